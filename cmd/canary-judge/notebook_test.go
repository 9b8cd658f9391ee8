package main

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// A run writes one notebook at its verdict, with a graph of each metric, and links it; a dry
// run, and the replay, write none.
func TestNotebooks(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"run": nil, "dry run": {"--dry-run"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := standInServer(brokenCanary)
				s := judgeWith(t, faultConfig, datadog.Settings{Notebook: true}, providertest.Serve(t, server), args...)
				const link = "Notebook of this run in datadog: https://app.datadoghq.com/notebook/123456"
				all := server.Notebooks()
				if linked := strings.Contains(s.out, link); s.code != exitFail || linked != (args == nil) || len(all) != 1-len(args) {
					t.Fatalf("exit %d, %d notebooks, linked %v:\n%s%s", s.code, len(all), linked, s.out, s.log)
				}
				if args != nil {
					return
				}
				want := []string{"100 * baseline_bad / baseline_total", "100 * canary_bad / canary_total", "baseline_value", "canary_value"}
				if diff := cmp.Diff(want, all[0].Lines); diff != "" || !strings.HasPrefix(all[0].Name, "FAIL: the canary, 20") || !strings.Contains(all[0].Text, s.result.Reason) {
					t.Errorf("%q: %q (-want +got)\n%s", all[0].Name, all[0].Text, diff)
				}
				code, out, log := judge(t, "http://127.0.0.1:1", "replay", filepath.Join(s.dir, "run.jsonl"))
				if code != exitFail || strings.Contains(out, "Notebook") {
					t.Errorf("the replay: exit %d\n%s%s", code, out, log)
				}
			})
		})
	}
}
