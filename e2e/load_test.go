//go:build e2e

package e2e

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	// mostRequests is how many requests a second a deployment gets, at most.
	mostRequests = 300
	// clients is how many requests can be under way: several times the rate times
	// the latency, so that the load does not wait for slow answers.
	clients = 64
	// longestLoad bounds the load, whatever else goes wrong.
	longestLoad = 5 * time.Minute
)

// load is a stream of requests to one address.
type load struct {
	http    *http.Client
	address string

	mu     sync.Mutex
	sent   map[int64]int // by second since the epoch
	broken int           // without an answer
}

// between returns how many requests were sent from one second to another.
func (l *load) between(from, to time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for second := from.Unix(); second < to.Unix(); second++ {
		n += l.sent[second]
	}
	return n
}

// startLoad sends requests until the test ends.
func startLoad(t *testing.T, address string) *load {
	t.Helper()
	l := &load{
		address: address, sent: map[int64]int{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}},
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), longestLoad)
	var running sync.WaitGroup
	due := make(chan struct{})
	for range clients {
		running.Go(func() {
			for range due {
				l.send(ctx)
			}
		})
	}
	began := time.Now()
	running.Go(func() { pace(ctx, due) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		l.http.CloseIdleConnections()
		n := l.between(began, time.Now())
		t.Logf("%s got %d requests in %.0f s", address, n, time.Since(began).Seconds())
		if l.broken > 0 {
			t.Errorf("%d of %d requests to %s had no answer", l.broken, n, address)
		}
	})
	return l
}

// pace says when requests are due. On a machine that cannot keep up there are
// fewer: they do not pile up.
func pace(ctx context.Context, due chan<- struct{}) {
	defer close(due)
	ticker := time.NewTicker(time.Second / mostRequests)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		select {
		case due <- struct{}{}:
		default: // every client is busy
		}
	}
}

// send sends a request and reads the answer to its end, so that the connection
// can be used again.
func (l *load) send(ctx context.Context) {
	second := time.Now().Unix()
	err := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.address, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := l.http.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[second]++
	if err != nil && ctx.Err() == nil {
		l.broken++
	}
}
