package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// standIns note what they are told, and stand for the programs that examples/stages run. The
// rollout goes on by two steps when it is promoted, as one that pauses after each weight does.
var standIns = map[string]string{
	"nginx": `echo "nginx $*" >>"$TOLD"`,
	"aws":   `echo "aws $*" >>"$TOLD"`,
	"curl":  `echo "curl $*" >>"$TOLD"; cat >>"$TOLD"`,
	"kubectl": `case "$*" in
*currentStepIndex*) cat "$STEP" ;;
*phase*) echo Paused ;;
*promote*) echo "kubectl $*" >>"$TOLD"; echo $(($(cat "$STEP") + 2)) >"$STEP" ;;
*) echo "kubectl $*" >>"$TOLD" ;;
esac`,
}

// The commands of examples/stages set what they are asked for, and set the same once more.
func TestStagesOfExamples(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		command []string
		told    []string // once a run
		file    string   // what the file of the weight is afterwards
	}{
		{[]string{"nginx-weight.sh", "5"}, []string{"nginx -t", "nginx -s reload"}, "split_clients $request_id $arm { 5% canary; * stable; }\n"},
		{[]string{"nginx-weight.sh", "0"}, []string{"nginx -t", "nginx -s reload"}, "split_clients $request_id $arm { * stable; }\n"},
		{[]string{"nginx-weight.sh", "100"}, []string{"nginx -t", "nginx -s reload"}, "split_clients $request_id $arm { * canary; }\n"},
		{[]string{"gateway-weight.sh", "10"}, []string{
			"kubectl patch httproute discounts --namespace default --type=json --patch",
			`"path": "/spec/rules/0/backendRefs/0/weight", "value": 90}`, `"path": "/spec/rules/0/backendRefs/1/weight", "value": 10}`,
		}, ""},
		{[]string{"alb-weight.sh", "1"}, []string{
			`aws elbv2 modify-rule --rule-arn rule --actions [{"Type": "forward", "ForwardConfig": {"TargetGroups": [`,
			`{"TargetGroupArn": "stable", "Weight": 99}`, `{"TargetGroupArn": "canary", "Weight": 1}`,
		}, ""},
		{[]string{"flag-rollout.sh", "50"}, []string{
			"--request PATCH", "domain-model=launchdarkly.semanticpatch", `"rolloutWeights": {"on": 50000, "off": 50000}}]}`,
			"https://app.launchdarkly.com/api/v2/flags/web/checkout", `header = "Authorization: secret"`,
		}, ""},
	} {
		t.Run(strings.Join(c.command, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			told := filepath.Join(dir, "told")
			for range 2 {
				if err := os.WriteFile(told, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				runExample(t, dir, bin, 0, c.command...)
				got, err := os.ReadFile(told)
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range c.told {
					if n := strings.Count(string(got), want); n != 1 {
						t.Errorf("%q was told %d times:\n%s", want, n, got)
					}
				}
				if args, _, _ := strings.Cut(string(got), "\nheader"); strings.Contains(args, "secret") {
					t.Errorf("a secret is an argument:\n%s", args)
				}
			}
			if c.file == "" {
				return
			}
			files, _ := filepath.Glob(filepath.Join(dir, "weight*"))
			if got, err := os.ReadFile(filepath.Join(dir, "weight")); err != nil || string(got) != c.file || len(files) != 1 {
				t.Errorf("the weight is %q, %v; files %q", got, err, files)
			}
		})
	}
	for _, script := range []string{"nginx-weight.sh", "gateway-weight.sh", "alb-weight.sh", "flag-rollout.sh", "rollout-step.sh"} {
		runExample(t, t.TempDir(), bin, 2, script, "5; reboot")
		runExample(t, t.TempDir(), bin, 2, script)
	}
	dir := t.TempDir()
	for _, step := range []struct {
		target     string
		promotions int
	}{{"1", 1}, {"3", 2}, {"3", 2}, {"1", 2}, {"5", 3}} {
		runExample(t, dir, bin, 0, "rollout-step.sh", step.target)
		got, err := os.ReadFile(filepath.Join(dir, "told"))
		if err != nil || strings.Count(string(got), "promote") != step.promotions {
			t.Errorf("at step %s: %v\n%s", step.target, err, got)
		}
	}
}

// runExample runs a command of examples/stages with stand-ins.
func runExample(t *testing.T, dir, bin string, code int, args ...string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "step")); err != nil {
		if err := os.WriteFile(filepath.Join(dir, "step"), []byte("-1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs(filepath.Join("../../examples/stages", args[0]))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script, args[1:]...)
	cmd.Env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "TOLD=" + filepath.Join(dir, "told"), "STEP=" + filepath.Join(dir, "step"), "PAUSE=0", "NGINX_WEIGHT=" + filepath.Join(dir, "weight"),
		"RULE_ARN=rule", "STABLE_ARN=stable", "CANARY_ARN=canary", "FLAG_TOKEN=secret", "ENVIRONMENT=production", "PROJECT=web", "FLAG=checkout", "ON_ID=on", "OFF_ID=off",
	}
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%s exits with %d, want %d: %v\n%s", strings.Join(args, " "), got, code, err, out)
	}
}
