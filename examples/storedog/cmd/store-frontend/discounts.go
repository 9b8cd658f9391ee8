package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"storedog/internal/service"
)

// discount is what the store reads of a discount.
type discount struct {
	Code    string `json:"code"`
	Percent int    `json:"percent"` // of the price, 0 to 100
}

// errNoDiscount says that there is no such discount, or none today.
var errNoDiscount = errors.New("no such discount")

// discounts is who knows the discounts. The request is the one that is answered with
// their help: they are told whose it is.
type discounts interface {
	// today returns the discount of the day, or errNoDiscount.
	today(r *http.Request) (discount, error)
	// byCode returns a discount, or errNoDiscount.
	byCode(r *http.Request, code string) (discount, error)
}

const (
	// longestLookup is how long the discounts service may take.
	longestLookup = 3 * time.Second
	// longestAnswer bounds what is read of its answer, in bytes.
	longestAnswer = 4096
)

// discountsService asks the discounts service, through the load balancer, which
// sends the question on to the flavour that asks.
type discountsService struct {
	client  *http.Client
	url     string
	flavour string // that asks
}

func newDiscountsService(url, flavour string) *discountsService {
	return &discountsService{
		// As many connections are kept as requests are usually under way.
		client:  &http.Client{Timeout: longestLookup, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		url:     url,
		flavour: flavour,
	}
}

func (s *discountsService) today(r *http.Request) (discount, error) {
	return s.get(r, "/discount")
}

func (s *discountsService) byCode(r *http.Request, code string) (discount, error) {
	return s.get(r, "/discounts/"+url.PathEscape(code))
}

func (s *discountsService) get(r *http.Request, path string) (discount, error) {
	d, err := s.ask(r.Context(), r.Header, path)
	if err != nil && !errors.Is(err, errNoDiscount) {
		err = fmt.Errorf("ask the discounts service for %s: %w", path, err)
	}
	return d, err
}

func (s *discountsService) ask(ctx context.Context, header http.Header, path string) (discount, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		return discount{}, err
	}
	service.Forward(req.Header, header)
	req.Header.Set(service.FlavourHeader, s.flavour)
	resp, err := s.client.Do(req)
	if err != nil {
		return discount{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	switch {
	case err != nil:
		return discount{}, err
	case resp.StatusCode == http.StatusNotFound:
		return discount{}, errNoDiscount
	case resp.StatusCode != http.StatusOK:
		return discount{}, fmt.Errorf("it answers %s", resp.Status)
	}
	return parseDiscount(text)
}

// parseDiscount reads a discount. One without a code is of no use to anybody.
func parseDiscount(text []byte) (discount, error) {
	var d discount
	if err := json.Unmarshal(text, &d); err != nil {
		return discount{}, fmt.Errorf("read the discount: %w", err)
	}
	if d.Code == "" {
		return discount{}, fmt.Errorf("the discount has no code: %.200s", bytes.TrimSpace(text))
	}
	return d, nil
}
