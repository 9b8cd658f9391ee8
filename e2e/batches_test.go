//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/prometheus"
)

// counted counts requests.
type counted struct {
	atomic.Int64
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

// TestBatches asks real stores for the queries of twenty metrics as one expression, and for each by
// itself: the answers are the same, and so is what is wrong with a query among them.
func TestBatches(t *testing.T) {
	d := newPast()
	fill(d)
	for store, start := range map[string]func(*testing.T, *past) string{"Prometheus": prometheusOf, "VictoriaMetrics": victoriaMetricsOf} {
		t.Run(store, func(t *testing.T) {
			address := start(t, d)
			ratios := lookAt(d, ratioQueries(20))
			together, requests := answersOf(t, address, ratios, false)
			alone, _ := answersOf(t, address, ratios, true)
			compareAnswers(t, ratios, alone, together)
			if requests > 2 {
				t.Errorf("20 ratios took %d requests, want 2 at most", requests)
			}
			t.Logf("20 ratios: %s together, %s each by itself", timed(t, address, ratios, false), timed(t, address, ratios, true))
			all := lookAt(d, append(oddQueries(), ratioQueries(20)...))
			together, requests = answersOf(t, address, all, false)
			alone, singly := answersOf(t, address, all, true)
			compareAnswers(t, all, alone, together)
			t.Logf("%d odd and other queries: %d requests at the first look; %d each by itself", len(all), requests, singly)
			long := make([]providers.Query, len(all))
			for i, q := range all {
				q.Start = q.End.Add(-40 * q.Step)
				long[i] = q
			}
			together, _ = answersOf(t, address, long, false)
			alone, _ = answersOf(t, address, long, true)
			compareAnswers(t, long, alone, together)
		})
	}
}

// ratioQueries are what some ratio metrics ask for.
func ratioQueries(metrics int) []providers.Query {
	var all []providers.Query
	for i := range metrics {
		for arm, service := range map[providers.Arm]string{providers.Baseline: "base", providers.Canary: "canary"} {
			filter := fmt.Sprintf(`case="partial",service=%q,pod!="%d"`, service, i)
			all = append(all,
				providers.Query{Metric: fmt.Sprint("errors ", i), Arm: arm, Part: providers.Bad, Expr: "sum(increase(http_requests_total{" + filter + `,code=~"5.."}[1m]))`},
				providers.Query{Metric: fmt.Sprint("errors ", i), Arm: arm, Part: providers.Total, Expr: "sum(increase(http_requests_total{" + filter + "}[1m]))"})
		}
	}
	return all
}

// oddQueries are of every kind of answer.
func oddQueries() []providers.Query {
	var all []providers.Query
	for part, exprs := range map[providers.Part][]string{
		providers.Value: {
			`histogram_quantile(0.95, sum by (le) (increase(http_request_duration_seconds_bucket{case="usual",service="canary"}[1m])))`,
			`sum by (pod) (increase(http_requests_total{case="partial"}[1m]))`,
			`http_requests_total{case="partial",service="base"}`,
			`sum(increase(http_requests_total{case="nobody"}[1m]))`,
			`sum(increase(http_requests_total{case="partial",code="500"}[1m])) / sum(increase(http_requests_total{case="partial"}[1m])) # a share`,
			`scalar(sum(increase(http_requests_total{case="partial"}[1m])))`,
			`http_requests_total{case="partial"} / on (service) http_requests_total{case="partial"}`,
			`max_over_time(sum(increase(http_requests_total{case="partial"}[1m]))[2m:1m])`,
			`label_replace(sum(increase(http_requests_total{case="partial"}[1m])), "a", "b", "", "")`,
			`sum(increase(http_requests_total{case="partial"}[1m] offset 5m))`,
			`sum(increase(http_requests_total{case="partial"}[1m])) > 1e9`,
			`sum(increase(http_requests_total{case="nobody"}[1m])) or vector(0)`,
		},
		providers.Buckets: {
			`sum by (le) (increase(http_request_duration_seconds_bucket{case="mixed",service="canary"}[1m]))`,
			`sum by (le) (increase(http_request_duration_seconds_bucket{case="changed",service="canary"}[1m]))`,
			`sum(increase(http_requests_total{case="partial"}[1m]))`,
		},
	} {
		for i, expr := range exprs {
			all = append(all, providers.Query{Metric: fmt.Sprint("odd ", i), Arm: providers.Canary, Part: part, Expr: expr})
		}
	}
	return all
}

// lookAt gives queries a step in the middle of a past.
func lookAt(d *past, queries []providers.Query) []providers.Query {
	for i := range queries {
		queries[i].Step = time.Minute
		queries[i].Start = d.start.Add(40 * time.Minute).UTC()
		queries[i].End = queries[i].Start.Add(time.Minute)
	}
	return queries
}

// answersOf fetches queries, all at once or each by itself, and counts the requests.
func answersOf(t *testing.T, address string, queries []providers.Query, singly bool) ([]providers.Answer, int) {
	t.Helper()
	wire := &counted{}
	p, err := prometheus.New(prometheus.Settings{URL: address}, wire)
	if err != nil {
		t.Fatal(err)
	}
	groups := [][]providers.Query{queries}
	if singly {
		groups = nil
		for i := range queries {
			groups = append(groups, queries[i:i+1])
		}
	}
	var all []providers.Answer
	for _, g := range groups {
		got, err := p.Fetch(context.WithoutCancel(t.Context()), g)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got...)
	}
	return all, int(wire.Load())
}

// timed returns how long a look takes, the fastest of some.
func timed(t *testing.T, address string, queries []providers.Query, singly bool) time.Duration {
	t.Helper()
	best := time.Hour
	for range 5 {
		began := time.Now()
		answersOf(t, address, queries, singly)
		best = min(best, time.Since(began))
	}
	return best.Round(100 * time.Microsecond)
}

// compareAnswers checks that answers are the same, and their errors.
func compareAnswers(t *testing.T, queries []providers.Query, want, got []providers.Answer) {
	t.Helper()
	for i, q := range queries {
		a, b := fmt.Sprint(want[i].Err), fmt.Sprint(got[i].Err)
		if diff := cmp.Diff(want[i].Series, got[i].Series, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" || !sameErrors(a, b) {
			t.Errorf("%s:\nby itself %s\ntogether  %s\n(-by itself +together)\n%s", q.Expr, a, b, diff)
		}
	}
}

// sameErrors compares what is told of a query; which of several series a server names is up to it.
func sameErrors(a, b string) bool {
	head := func(text string) string {
		for _, end := range []string{"group", "left side"} {
			text, _, _ = strings.Cut(text, end)
		}
		return text
	}
	return head(a) == head(b)
}
