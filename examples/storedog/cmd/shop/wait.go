package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"storedog/cmd/shop/internal/process"
)

// patience is how long an infrastructure process gets to start, and to end.
const (
	patienceToStart = 30 * time.Second
	patienceToEnd   = 6 * time.Second
)

// waitFor waits until something holds, as long as a process runs.
func waitFor(ctx context.Context, p *process.Process, within time.Duration, holds func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	err := errors.New("it was never asked")
	for {
		select {
		case <-p.Done():
			return p.Ended()
		case <-ctx.Done():
			return fmt.Errorf("%s is not well after %s: %w; its log is %s", p.Name(), within, err, p.Log())
		case <-ticker.C:
		}
		// An answer cut off by the deadline says less than the one before.
		now := holds(ctx)
		if now == nil {
			return nil
		}
		if ctx.Err() == nil {
			err = now
		}
	}
}

// ask sends a request and returns its answer, which must be a 200.
func ask(ctx context.Context, method, url string, header http.Header) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s %s answers %s: %.200s", method, url, resp.Status, strings.TrimSpace(string(text)))
	}
	return resp.Header, text, nil
}

// freeAddresses finds addresses at which nobody listens. They are held until all are
// found, so that they differ.
func freeAddresses(n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close()
		addresses[i] = listener.Addr().String()
	}
	return addresses, nil
}
