//go:build e2e

package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// testdata is where the recordings are kept.
const testdata = "../testdata"

// update renews the recordings that are kept, if asked to.
func update(t *testing.T, runs map[string]judged) {
	t.Helper()
	if os.Getenv("CANARY_JUDGE_UPDATE") != "1" {
		return
	}
	if code := runs["healthy"].run.cmd.ProcessState.ExitCode(); code != pass {
		t.Fatalf("the healthy canary exits %d, which is no recording to keep; try again", code)
	}
	save := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(testdata, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, j := range runs {
		save(name+".jsonl", read(t, j.recording))
	}
	save("canary.csv", csvOf(t, runs["broken"].recording))
}

// judgeCSV judges a recording as a CSV, without a config.
func judgeCSV(t *testing.T, cj tool, recording string) {
	path := filepath.Join(t.TempDir(), "canary.csv")
	if err := os.WriteFile(path, csvOf(t, recording), 0o600); err != nil {
		t.Fatal(err)
	}
	p, code := cj.run(t, "replay", path)
	t.Logf("exit %d\n%s%s", code, &p.stderr, &p.stdout)
	if code != fail {
		t.Errorf("exit %d, want %d", code, fail)
	}
}

// csvOf turns a recording's errors and latency into a CSV.
func csvOf(t *testing.T, recording string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"time", "metric", "arm", "value", "total"}}
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', 6, 64)
	}
	for line := range bytes.Lines(read(t, recording)) {
		var p struct {
			T, Metric, Arm    string
			Value, Bad, Total *float64
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("read the recording: %v", err)
		}
		switch p.Metric {
		case "errors":
			rows = append(rows, []string{p.T, p.Metric, p.Arm, number(p.Bad), number(p.Total)})
		case "latency mean":
			rows = append(rows, []string{p.T, p.Metric, p.Arm, number(p.Value), ""})
		}
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
