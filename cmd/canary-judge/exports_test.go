package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/providers/recording/exports"
)

// TestExportsPage runs the commands of docs/exports.md on files that tools write. What
// they come to follows from how the files were made (testdata/exports/README.md).
func TestExportsPage(t *testing.T) {
	want := map[string]int{"grafana": 0, "prometheus": 1, "datadog": 1, "k6": 1, "jmeter": 1, "locust": 1, "csv": 1}
	page, err := os.ReadFile("../../docs/exports.md")
	if err != nil {
		t.Fatal(err)
	}
	loop := ""
	t.Chdir("testdata/exports")
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		words := strings.Fields(strings.ReplaceAll(block[1], "'", ""))
		if words[0] != "canary-judge" {
			loop = block[1]
			continue
		}
		var out, errs bytes.Buffer
		code := (&app{env: map[string]string{}, args: words[1:], stdout: &out, stderr: &errs}).run(context.Background())
		format := words[3]
		if code != want[format] {
			t.Errorf("%s\nexit %d, want %d\n%s%s", block[1], code, want[format], out.String(), errs.String())
		}
		delete(want, format)
	}
	if len(want) > 0 {
		t.Errorf("the page has no command for %v", want)
	}
	if loop == "" {
		t.Fatal("the page has no loop for wrk")
	}
	for _, line := range strings.Split(strings.TrimSpace(loop), "\n") {
		if _, advice := exports.Recognize(strings.NewReader("Running 30s test @ http://127.0.0.1/\n")); !strings.Contains(advice, strings.TrimSpace(line)) {
			t.Errorf("the message for wrk's files lacks the page's line\n%s", line)
		}
	}
	wrkLoop(t, loop)
}

// wrkLoop runs the page's loop with a wrk that prints what the real one does (its README
// has an example), and a clock of ten seconds a call.
func wrkLoop(t *testing.T, loop string) {
	t.Helper()
	if _, err := exec.LookPath("awk"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"wrk": `#!/bin/sh
echo "Running 10s test @ $2"
echo "  2 threads and 10 connections"
echo "  Thread Stats   Avg      Stdev     Max   +/- Stdev"
echo "    Latency   635.91us    0.89ms  12.92ms   93.69%"
echo "  900 requests in 10.00s, 1.76MB read"
[ "$2" = http://new ] && echo "  Socket errors: connect 0, read 60, write 0, timeout 40"
[ "$2" = http://new ] && echo "  Non-2xx or 3xx responses: 123"
echo "Requests/sec: 90.00"
`,
		"date":         "#!/bin/sh\necho x >>" + dir + "/calls; echo $((1795622400 + 10 * $(wc -l <" + dir + "/calls)))\n",
		"canary-judge": "#!/bin/sh\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", strings.Replace(loop, "seq 30", "seq 2", 1))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "BASELINE=http://old", "CANARY=http://new")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "wrk.csv"))
	const want = `time,metric,arm,value,total
1795622410,errors,baseline,0,900
1795622410,errors,canary,223,1000
1795622420,errors,baseline,0,900
1795622420,errors,canary,223,1000
`
	if err != nil || string(got) != want {
		t.Errorf("%v, got\n%swant\n%s", err, got, want)
	}
}
