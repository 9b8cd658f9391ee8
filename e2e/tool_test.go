//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Exit codes of canary-judge.
const (
	pass         = 0
	fail         = 1
	inconclusive = 3
	interrupted  = 130
)

// tool is the binary under test.
type tool struct{ path string }

// build builds the binary. Without the state of the repository: the recordings
// that are kept must not tell of it.
func build(t *testing.T) tool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "canary-judge")
	cmd := command(t, "go", "build", "-buildvcs=false", "-o", path, "../cmd/canary-judge")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build canary-judge: %v\n%s", err, out)
	}
	return tool{path}
}

// start starts the tool with an environment of its own: in a CI job it would
// take inputs from there, and report to it.
func (b tool) start(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := command(t, b.path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	return start(t, "canary-judge "+args[0], cmd)
}

// run runs a command that need not wait for anything.
func (b tool) run(t *testing.T, args ...string) (p *process, code int) {
	t.Helper()
	p = b.start(t, args...)
	return p, p.wait(t, 30*time.Second)
}

// on returns the arguments to judge a scenario of a stack.
func (s *stack) on(scenario string) []string {
	return []string{"-c", "canary.yaml", "--set", "scenario=" + scenario, "--set", "prometheus=" + s.prometheus}
}

// result is what the test reads of a result.
type result struct {
	Schema, Verdict, Reason string
	Window                  struct {
		From  time.Time `json:"judged_from"`
		End   time.Time
		Looks int
	}
	Metrics  []metric
	Exposure struct{ Observed float64 }
	Ramp     struct {
		Stage  int
		Stages []struct {
			Number   int
			Steps    int `json:"judged_steps"`
			Requests float64
		}
	}
}

// metric is what the test reads of a metric.
type metric struct {
	Name, Decision   string
	Advisory         bool
	Baseline, Canary struct{ Total float64 }
}

// failed returns the names of the metrics that failed the canary.
func (r result) failed() []string {
	var names []string
	for _, m := range r.Metrics {
		if m.Decision == "fail" && !m.Advisory {
			names = append(names, m.Name)
		}
	}
	return names
}

// metric returns a metric by its name.
func (r result) metric(t *testing.T, name string) metric {
	t.Helper()
	i := slices.IndexFunc(r.Metrics, func(m metric) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("the result has no metric %q", name)
	}
	return r.Metrics[i]
}

func readResult(t *testing.T, path string) result {
	t.Helper()
	var r result
	if err := json.Unmarshal(read(t, path), &r); err != nil {
		t.Fatalf("read the result: %v", err)
	}
	const schema = "canary-judge/result/v1"
	if r.Schema != schema {
		t.Fatalf("the schema of the result is %q, want %q", r.Schema, schema)
	}
	return r
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sameResult reports where two results differ, byte by byte, in anything but the
// field generated.
func sameResult(t *testing.T, a, b string) {
	t.Helper()
	fields := func(path string) map[string]json.RawMessage {
		var f map[string]json.RawMessage
		if err := json.Unmarshal(read(t, path), &f); err != nil {
			t.Fatalf("read the result: %v", err)
		}
		if f["generated"] == nil {
			t.Errorf("%s lacks the field generated", filepath.Base(path))
		}
		delete(f, "generated")
		return f
	}
	first, second := fields(a), fields(b)
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s and %s differ in the field %q:\n%s\n%s", filepath.Base(a), filepath.Base(b), name, first[name], second[name])
		}
		delete(second, name)
	}
	for name := range second {
		t.Errorf("only %s has the field %q", filepath.Base(b), name)
	}
}
