package synthetics

import (
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
