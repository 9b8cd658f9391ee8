package prometheus

import (
	"net/url"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

func TestLink(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://prom:9090": "http://prom:9090/graph",
		"https://ada:hunter2@example.com/prometheus/":  "https://example.com/prometheus/graph",
		"https://example.com/prometheus?token=hunter2": "https://example.com/prometheus/graph",
	} {
		p, err := New(Settings{URL: base}, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		got, err := url.Parse(p.Link(providers.Query{Expr: `sum(up{job="a&b"})`, Start: start, End: start.Add(30 * time.Minute), Step: time.Minute}))
		if err != nil {
			t.Fatal(err)
		}
		q := got.Query()
		if q.Get("g0.expr") != `sum(up{job="a&b"})` || q.Get("g0.range_input") != "1800s" || q.Get("g0.end_input") != "2026-11-23 10:30:00" || q.Get("g0.step_input") != "60" || len(q) != 5 {
			t.Errorf("the parameters are %v", q)
		}
		if got.RawQuery = ""; got.String() != want {
			t.Errorf("%s: the page is %s, want %s", base, got, want)
		}
	}
}
