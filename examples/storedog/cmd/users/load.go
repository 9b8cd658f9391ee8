package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"storedog/internal/service"
)

const (
	// connections is how many requests can be under way. When all are, the next
	// ones are skipped: they never pile up behind a store that is slow.
	connections = 64
	// longestRequest is how long a user waits for an answer.
	longestRequest = 10 * time.Second
	// products is how many products are looked at and bought; their ids count from 1.
	products = 6
)

// load is the requests of a number of users.
type load struct {
	client *http.Client
	store  string  // URL
	users  int     // user-1 to user-N
	rate   float64 // requests a second, of all users together

	sent, failed, skipped atomic.Int64
}

func newLoad(store string, users int, rate float64) *load {
	return &load{
		client: &http.Client{Timeout: longestRequest, Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
		store:  store, users: users, rate: rate,
	}
}

// run sends requests until the context is done, and waits for the last answers.
func (l *load) run(ctx context.Context) {
	var running sync.WaitGroup
	due := make(chan struct{})
	for range connections {
		running.Go(func() {
			for range due {
				l.sent.Add(1)
				// Whoever has asked waits for the answer: requests that are cut
				// short would look like errors of the store.
				if err := l.send(context.WithoutCancel(ctx)); err != nil {
					l.failed.Add(1)
				}
			}
		})
	}
	l.pace(ctx, due)
	close(due)
	running.Wait()
	l.client.CloseIdleConnections()
}

// pace says when requests are due, until the context is done.
func (l *load) pace(ctx context.Context, due chan<- struct{}) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / l.rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		select {
		case due <- struct{}{}:
		default:
			l.skipped.Add(1)
		}
	}
}

// send sends the request of a user and reads the answer to its end, so that the
// connection can be used again.
func (l *load) send(ctx context.Context) error {
	method, path := draw(rand.IntN)
	req, err := http.NewRequestWithContext(ctx, method, l.store+path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set(service.UserHeader, fmt.Sprintf("user-%d", 1+rand.IntN(l.users)))
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the store answers %s", resp.Status)
	}
	return nil
}

// draw draws what a user does: 70 % see the home page, 20 % a product, 10 % buy.
// intN draws a number from 0 to n-1.
func draw(intN func(n int) int) (method, path string) {
	product := 1 + intN(products)
	switch of100 := intN(100); {
	case of100 < 70:
		return http.MethodGet, "/"
	case of100 < 90:
		return http.MethodGet, fmt.Sprintf("/products/%d", product)
	default:
		return http.MethodPost, fmt.Sprintf("/checkout?product=%d&code=STOREDOG20", product)
	}
}

// summary says in a line what was sent in a time.
func (l *load) summary(took time.Duration) string {
	return fmt.Sprintf("%d users sent %d requests in %.1f s (%.1f/s): %d failed, and %d were skipped since %d were under way",
		l.users, l.sent.Load(), took.Seconds(), float64(l.sent.Load())/took.Seconds(), l.failed.Load(), l.skipped.Load(), connections)
}
