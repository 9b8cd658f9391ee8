package api

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/canary-judge/canary-judge/providers"
)

// limit is what answers told of the rate limit, by the headers of
// https://docs.datadoghq.com/api/latest/rate-limits/
type limit struct {
	last    atomic.Pointer[http.Header] // nil until an answer came
	refused atomic.Int64
}

// see takes note of an answer.
func (l *limit) see(resp *http.Response) {
	l.last.Store(&resp.Header)
	if resp.StatusCode == http.StatusTooManyRequests {
		l.refused.Add(1)
	}
}

// RateLimit implements providers.Limited. Each kind of request has a limit of its own;
// it is that of the last answer.
func (c *Client) RateLimit() providers.RateLimit {
	state := providers.RateLimit{Refused: int(c.limit.refused.Load())}
	h := c.limit.last.Load()
	if h == nil || h.Get("X-RateLimit-Remaining") == "" {
		return state
	}
	quote := func(name string) string { return c.Quote(h.Get("X-RateLimit-" + name)) }
	state.Said = fmt.Sprintf("%s of %s requests left for %s s", quote("Remaining"), quote("Limit"), quote("Reset"))
	state.Near = nearLimit(h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Limit"))
	return state
}

// nearLimit reports whether a tenth of a limit or less remains. What is no number is
// not near.
func nearLimit(remaining, limit string) bool {
	left, err := strconv.Atoi(remaining)
	if err != nil {
		return false
	}
	all, err := strconv.Atoi(limit)
	return err == nil && left <= all/10
}
