package api_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// The headers are those of https://docs.datadoghq.com/api/latest/rate-limits/
func TestRateLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		remaining, limit string
		refused          int // requests before one is answered
		want             providers.RateLimit
	}{
		{"none", "", "", 0, providers.RateLimit{}},
		{"plenty", "11", "100", 0, providers.RateLimit{Said: "11 of 100 requests left for 7 s"}},
		{"a tenth", "10", "100", 0, providers.RateLimit{Said: "10 of 100 requests left for 7 s", Near: true}},
		{"nothing left", "0", "6", 0, providers.RateLimit{Said: "0 of 6 requests left for 7 s", Near: true}},
		{"tried again", "90", "100", 2, providers.RateLimit{Said: "90 of 100 requests left for 7 s", Refused: 2}},
		{"never answered", "0", "100", 99, providers.RateLimit{Said: "0 of 100 requests left for 7 s", Near: true, Refused: 5}},
		{"no numbers", "hunter2-api", "<b>", 0, providers.RateLimit{Said: "[secret] of <b> requests left for 7 s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				left := tt.refused
				c := apitest.Client(t, api.Options{Transport: providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("X-RateLimit-Reset", "7")
					if tt.limit != "" {
						w.Header().Set("X-RateLimit-Limit", tt.limit)
						w.Header().Set("X-RateLimit-Remaining", tt.remaining)
					}
					if left--; left >= 0 {
						w.WriteHeader(http.StatusTooManyRequests)
					}
				}))})
				_, _ = c.Call(t.Context(), "try", http.MethodGet, "/api/v1/x", nil, nil)
				if diff := cmp.Diff(tt.want, c.RateLimit()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}
