package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"storedog/internal/service"
)

// fakeStore answers as the store does, but for what is replaced.
func fakeStore(t *testing.T, replace ...string) string {
	t.Helper()
	answers := map[string]string{
		"GET /":           "<p>Discount of the day: 20 % off with the code STOREDOG20</p>",
		"GET /products/1": "<h2>Dog Bowl</h2> <p>25.00</p>",
		"POST /checkout":  `{"price":"25.00","total":"20.00"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(service.SyntheticHeader) == "" {
			t.Errorf("a check is not marked as one: %s %s", r.Method, r.URL)
		}
		by := r.Header.Get(service.FlavourHeader)
		w.Header().Set(service.ServedByHeader, strings.NewReplacer(replace...).Replace(by))
		answer := strings.NewReplacer(replace...).Replace(answers[r.Method+" "+r.URL.Path])
		if answer == "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestJourneys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		replace []string
		failed  string // the journeys that fail
	}{
		{"a store that is well", nil, ""},
		{"no banner", []string{"STOREDOG20", "a smile"}, "browse"},
		{"another product", []string{"Bowl", "Bed"}, "product"},
		{"no discount", []string{"20.00", "25.00"}, "checkout"},
		{"no JSON", []string{"{", "<"}, "checkout"},
		{"an error", []string{"<h2>Dog Bowl</h2> <p>25.00</p>", ""}, "product"},
		{"another flavour", []string{"canary", "production"}, "browse product checkout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := fakeStore(t, c.replace...)
			var failed []string
			for _, j := range journeys {
				if err := j.travel(t.Context(), http.DefaultClient, store, "canary"); err != nil {
					failed = append(failed, j.name)
				}
			}
			if got := strings.Join(failed, " "); got != c.failed {
				t.Errorf("%q fail, want %q", got, c.failed)
			}
		})
	}
}

// counts returns the counters by journey, flavour and result.
func counts(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			got[labels["journey"]+" "+labels["flavour"]+" "+labels["result"]] = m.GetCounter().GetValue()
		}
	}
	return got
}

func TestChecks(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	c := newChecks(fakeStore(t, "20.00", "25.00"), []string{"production", "canary"}, time.Millisecond, registry)
	start := counts(t, registry)
	if len(start) != 12 {
		t.Errorf("there are %d counters at the start, want 12: %v", len(start), start)
	}
	for name, n := range start {
		if n != 0 {
			t.Errorf("%s is %v at the start", name, n)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	c.run(ctx)
	for name, n := range counts(t, registry) {
		right := strings.HasPrefix(name, "checkout") == strings.HasSuffix(name, failed)
		if right != (n > 0) {
			t.Errorf("%s is %v at the end", name, n)
		}
	}
}
