package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"storedog/internal/service"
)

// journey is a way through the store, and what its user must find there. What is
// right stands here in figures, not in the store's own formulas.
type journey struct {
	name   string
	method string
	path   string
	right  func(answer []byte) error
}

var journeys = []journey{
	{"browse", http.MethodGet, "/", containing("Discount of the day: 20 % off with the code STOREDOG20")},
	{"product", http.MethodGet, "/products/1", containing("<h2>Dog Bowl</h2>", "25.00")},
	{"checkout", http.MethodPost, "/checkout?product=1&code=STOREDOG20", costing("20.00")},
}

// longestPage bounds what is read of an answer, in bytes.
const longestPage = 1 << 20

// travel makes a journey through a flavour of the store.
func (j journey) travel(ctx context.Context, client *http.Client, store, flavour string) error {
	req, err := http.NewRequestWithContext(ctx, j.method, store+j.path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set(service.FlavourHeader, flavour)
	req.Header.Set(service.SyntheticHeader, "true")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestPage))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the store answers %s: %.200s", resp.Status, bytes.TrimSpace(text))
	}
	if by := resp.Header.Get(service.ServedByHeader); by != flavour {
		return fmt.Errorf("it was served by %q, not by %q", by, flavour)
	}
	return j.right(text)
}

// containing is right for pages with all of these texts.
func containing(texts ...string) func([]byte) error {
	return func(page []byte) error {
		for _, text := range texts {
			if !strings.Contains(string(page), text) {
				return fmt.Errorf("the page lacks %q", text)
			}
		}
		return nil
	}
}

// costing is right for receipts with this total.
func costing(total string) func([]byte) error {
	return func(text []byte) error {
		var receipt struct{ Total string }
		if err := json.Unmarshal(text, &receipt); err != nil {
			return fmt.Errorf("read the receipt: %w", err)
		}
		if receipt.Total != total {
			return fmt.Errorf("the total is %q, want %q", receipt.Total, total)
		}
		return nil
	}
}
