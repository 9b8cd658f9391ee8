package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// A limit that held a run up, or soon may, is told in every format that people read; any
// other in the page and the result alone.
func TestRateLimitsAreTold(t *testing.T) {
	t.Parallel()
	const sentence = "Rate limit:"
	for _, tt := range []struct {
		name   string
		limit  RateLimit
		looks  int
		want   string
		loudly bool
	}{
		{"plenty", RateLimit{"datadog", "90 of 100 requests left for 7 s", false, 0}, 12, "datadog: 90 of 100 requests left for 7 s", false},
		{"near", RateLimit{"datadog", "9 of 100 requests left for 7 s", true, 0}, 12, "datadog: 9 of 100 requests left for 7 s; use longer steps", true},
		{"refused", RateLimit{"datadog", "", false, 1}, 12, "datadog: 1 request refused as too many; use longer steps", true},
		{"both, before any look", RateLimit{"datadog", "0 of 100 requests left for 7 s", true, 3}, 0, "datadog: 3 requests refused as too many; 0 of 100 requests left for 7 s; use longer steps", true},
	} {
		r := &Report{
			Verdict: "pass", Reason: "PASS", Window: Window{Looks: tt.looks, Steps: 60, Step: 30},
			Generated: &Generated{Command: "run", RateLimits: []RateLimit{tt.limit}},
		}
		for format, write := range map[string]func(io.Writer) error{
			"text":     func(w io.Writer) error { return r.Text(w, false, 0) },
			"markdown": r.Markdown,
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil || strings.Contains(b.String(), tt.want) != tt.loudly || strings.Contains(b.String(), sentence) != tt.loudly {
				t.Errorf("%s, %s: %v, told %v is wrong:\n%s", tt.name, format, err, !tt.loudly, b.String())
			}
		}
		var page, result bytes.Buffer
		if err := r.HTML(&page); err != nil || !strings.Contains(page.String(), "<p>Rate limit of datadog: ") {
			t.Errorf("%s: the page does not tell, %v", tt.name, err)
		}
		if err := r.JSON(&result); err != nil || !strings.Contains(result.String(), `"rate_limits": [`) {
			t.Errorf("%s: the result does not tell, %v", tt.name, err)
		}
	}
}
