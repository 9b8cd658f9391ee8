package datadog

import (
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// Whatever a server says of a test's runs, what is counted keeps the contract, and
// no part is more than the whole.
func FuzzReadResults(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"id":"a","attributes":{"status":"passed","run_type":"scheduled","started_at":1795428001000,"finished_at":1795428002000,"location":{"id":"aws:a"}}}]}`,
		`{"data":[{"id":"b","attributes":{"status":"failed","run_type":"fast","started_at":1795428005000,"finished_at":1795428062000,"execution_info":{"is_fast_retry":true}}},` +
			`{"id":"a","attributes":{"status":"failed","run_type":"scheduled","started_at":1795428001000,"finished_at":1795428002000}}]}`,
		`{"data":[{"id":"a","attributes":{"status":"in_progress","finished_at":null}}]}`,
		`{"data":[{"id":"a","attributes":{"status":"passed","run_type":"ci","started_at":1e12,"finished_at":-1}}]}`,
		`{"data":[]}`, `{"data":null}`, `{"errors":["x"]}`, "<html>",
	} {
		f.Add([]byte(seed))
	}
	start := time.UnixMilli(1795428000000).UTC()
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := readResults(body)
		if err != nil {
			return
		}
		trials := trialsOf(all)
		if len(trials) > len(all) {
			t.Errorf("%d trials of %d results", len(trials), len(all))
		}
		counts := map[string]float64{}
		for _, counted := range []string{"failed", "passed", "runs"} {
			q := providers.Query{Part: providers.Total, Start: start, End: start.Add(8 * time.Minute), Step: time.Minute}
			a := providers.Answer{Series: runsQuery{counted: counted}.count(q, trials)}
			if err := providertest.Check(q, a); err != nil {
				t.Error(err)
			}
			for _, s := range a.Series {
				for _, p := range s.Points {
					counts[counted] += p.Value()
				}
			}
		}
		if counts["failed"]+counts["passed"] != counts["runs"] {
			t.Errorf("counted %v", counts)
		}
	})
}

// What a server says of a test is its type, or an error.
func FuzzReadTestType(f *testing.F) {
	for _, seed := range []string{`{"public_id":"abc-def-ghi","type":"api"}`, `{"type":"browser"}`, `{"public_id":5}`, "null", "<html>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if kind, err := readTestKind(body, "abc-def-ghi"); (err == nil) != (kind.kind != "") {
			t.Errorf("type %q, %v", kind, err)
		}
	})
}

// Whatever a server says of a monitor, it is quiet only if it says so.
func FuzzReadMonitor(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"overall_state":"OK"}`, `{"id":1,"overall_state":"Alert","state":{"groups":{"*":{"status":"Alert","last_triggered_ts":1795428000}}}}`,
		`{"id":1,"overall_state":"OK","options":{"silenced":{"*":null}},"matching_downtimes":[{"scope":["a:b"]}]}`,
		`{"id":1,"overall_state":"OK","state":{"groups":{"env:prod,host:a":{"status":"No Data"}}}}`, "null", "<html>",
	} {
		f.Add([]byte(seed))
	}
	labels := []providers.Label{{Name: "env", Value: "prod"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := readMonitor(body, "1")
		if err != nil {
			return
		}
		s, err := m.sighting(labels, time.UnixMilli(1795428000000).UTC())
		if err != nil || s.State != providers.Quiet {
			return
		}
		if text := string(body); !strings.Contains(text, "OK") && !strings.Contains(text, "Warn") && !strings.Contains(text, `\u`) {
			t.Errorf("quiet: %s", text)
		}
	})
}

// Whatever a text is, no one is notified by it, and it is no Markdown.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"%%%%", "%%@%", "@all", "%%% \n%%%", strings.Repeat("%", 11), "\xff", strings.Repeat("x", 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text, 40)
		if strings.Contains(got, "%%%") || strings.Contains(got, "@") || len([]rune(got)) > 40 {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// An event was taken only if the answer says so.
func FuzzReadPosted(f *testing.F) {
	for _, seed := range []string{`{"status":"ok"}`, `{"status":null}`, "[]", "<html>", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if readPosted(body) == nil && !strings.Contains(string(body), "ok") && !strings.Contains(string(body), `\u`) {
			t.Errorf("taken: %s", body)
		}
	})
}
