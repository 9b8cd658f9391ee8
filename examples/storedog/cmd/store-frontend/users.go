package main

import (
	"hash/maphash"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"storedog/internal/service"
)

// mostUsers is how many different users are told apart: enough for a canary, at
// some 4 MB.
const mostUsers = 100_000

// userCounter counts different users, up to a limit.
type userCounter struct {
	limit int
	seed  maphash.Seed

	mu   sync.Mutex
	seen map[uint64]struct{} // hashes of their ids
}

func newUserCounter(limit int) *userCounter {
	return &userCounter{limit: limit, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

func (c *userCounter) see(user string) {
	hash := maphash.String(c.seed, user)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) < c.limit {
		c.seen[hash] = struct{}{}
	}
}

func (c *userCounter) count() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(len(c.seen))
}

// visitors are the users the store has seen since it started.
type visitors struct{ flagged, others *userCounter }

// newVisitors returns visitors, who are counted in the gauge shop_users.
func newVisitors(metrics *service.Metrics) visitors {
	v := visitors{flagged: newUserCounter(mostUsers), others: newUserCounter(mostUsers)}
	for flag, users := range map[string]*userCounter{service.FlagOn: v.flagged, service.FlagOff: v.others} {
		metrics.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "shop_users",
			Help:        "Different users seen since the start, up to 100,000.",
			ConstLabels: prometheus.Labels{"flag": flag},
		}, users.count))
	}
	return v
}

// watch sees the users of requests.
func (v visitors) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.Header.Get(service.UserHeader)
		switch {
		case user == "" || r.Header.Get(service.SyntheticHeader) != "":
		case r.Header.Get(service.FlagHeader) != "":
			v.flagged.see(user)
		default:
			v.others.see(user)
		}
		next.ServeHTTP(w, r)
	})
}
