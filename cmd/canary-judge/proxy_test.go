package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A proxy that refuses repeats what it was sent, in its own words and as it was sent. None
// of it is shown, on standard error, in the result or in the recording.
func TestProxyCredentialsAreNotShown(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := link(t, self)
	asked := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Proxy-Authorization")
		asked <- sent
		w.WriteHeader(http.StatusProxyAuthRequired)
		fmt.Fprintf(w, "Proxy-Authorization: %s; bob may not enter with pass/word1, PASS/WORD1, pass%%2Fword1 or %s", sent, strings.ToLower(sent))
	}))
	t.Cleanup(proxy.Close)
	address := strings.Replace(proxy.URL, "http://", "http://bob:pass%2Fword1@", 1)
	config := `{provider: prometheus, baseline: {app: shop}, canary: {app: canary}, window: {length: 10m, step: 30s},
metrics: [{name: latency, value: 'avg(latency{$arm})', tolerance: 10%}]}`
	for _, variable := range []string{"HTTP_PROXY", "http_proxy"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "canary.yaml"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "run", "-v", "--start", "-20m", "--end", "-10m", "--record", "run.jsonl", "-o", "json=result.json", "-o", "text")
		cmd.Dir, cmd.Env = dir, []string{variable + "=" + address, "PROMETHEUS_URL=http://prometheus.example:9090"}
		out, _ := cmd.CombinedOutput() // its code is looked at
		all := string(out)
		for _, file := range []string{"run.jsonl", "result.json"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Error(err)
			}
			all += string(text)
		}
		// Ym9iOnBhc3Mvd29yZDE= is bob:pass/word1 in Base64.
		if got := <-asked; got != "Basic Ym9iOnBhc3Mvd29yZDE=" {
			t.Fatalf("the proxy was sent %q", got)
		}
		lower := strings.ToLower(all)
		if cmd.ProcessState.ExitCode() != exitNotJudged || !strings.Contains(all, "407 Proxy Authentication Required") ||
			strings.Contains(lower, "word1") || strings.Contains(lower, "ym9ionbh") {
			t.Errorf("%s: %s\n%s", variable, cmd.ProcessState, all)
		}
	}
}
