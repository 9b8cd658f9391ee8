package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStoryRecordings replays the recordings of Storedog's stories: each is judged as the
// table in their README says. Which change breaks what was known before it was judged.
func TestStoryRecordings(t *testing.T) {
	t.Parallel()
	const dir = "../../testdata/storedog"
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(dir + "/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(.+)` \\| .* \\| (pass|fail) \\| (.*)\\|$").FindAllStringSubmatch(string(readme), -1)
	if len(rows) != len(files) || len(rows) == 0 {
		t.Errorf("the README names %d recordings, and there are %d", len(rows), len(files))
	}
	for _, row := range rows {
		file, verdict, failed := row[1], row[2], strings.TrimSpace(row[3])
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			a := &app{env: map[string]string{}, args: []string{"replay", filepath.Join(dir, file), "-o", "json"}, stdout: &out, stderr: &log}
			a.run(t.Context())
			var result struct {
				Verdict string
				Metrics []struct{ Name, Decision string }
			}
			if err := json.Unmarshal(out.Bytes(), &result); err != nil {
				t.Fatalf("%v\n%s", err, &log)
			}
			var names []string
			for _, m := range result.Metrics {
				if m.Decision == "fail" {
					names = append(names, m.Name)
				}
			}
			if got := strings.Join(names, ", "); result.Verdict != verdict || got != failed {
				t.Errorf("the verdict is %s, over %q; want %s, over %q", result.Verdict, got, verdict, failed)
			}
		})
	}
}
