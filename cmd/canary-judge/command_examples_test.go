package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/providers/recording"
)

// cloudWatch stands for the AWS CLI, and answers as
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html has it: one result a query, with
// the times as the CLI writes them, and no point where nothing was.
const cloudWatch = `#!/bin/sh
for a; do case "$a" in *'"Period": 60'*'"Value": "app/shop/50dc6c495c0c9188"'*) asked=yes ;; esac; done
[ "${asked-}" ] || { echo "An error occurred (ValidationError): $*" >&2; exit 254; }
[ "$STATUS" != down ] || { echo "Unable to locate credentials" >&2; exit 253; }
cat <<JSON
{"MetricDataResults": [
 {"Id": "baseline_errors", "Label": "baseline/errors", "Timestamps": ["2026-11-23T10:01:00+00:00"], "Values": [3.0], "StatusCode": "Complete"},
 {"Id": "baseline_requests", "Label": "baseline/requests", "Timestamps": ["2026-11-23T10:00:00+00:00", "2026-11-23T10:01:00+00:00"], "Values": [900.0, 910.0], "StatusCode": "$STATUS"},
 {"Id": "baseline_response_time", "Label": "baseline/response time", "Timestamps": ["2026-11-23T10:00:00+00:00"], "Values": [0.25], "StatusCode": "Complete"},
 {"Id": "canary_errors", "Label": "canary/errors", "Timestamps": [], "Values": [], "StatusCode": "Complete"},
 {"Id": "canary_requests", "Label": "canary/requests", "Timestamps": ["2026-11-23T10:01:00+00:00"], "Values": [100.0], "StatusCode": "Complete"},
 {"Id": "canary_response_time", "Label": "canary/response time", "Timestamps": [], "Values": [], "StatusCode": "Complete"}
], "Messages": []}
JSON
`

// kubectlTop stands for kubectl, whose answer has a row a pod: name, cores, memory.
const kubectlTop = `#!/bin/sh
case "$*" in
'top pods --selector=app=shop --no-headers') echo 'shop-1 12m 100Mi'; echo 'shop-2 14m 120Mi' ;;
'top pods --selector=app=shop-canary --no-headers') [ "$STATUS" != down ] || { echo 'error: Metrics API not available' >&2; exit 1; }
  echo "canary-1 9m $STATUS" ;;
*) exit 9 ;;
esac
`

// The programs of examples/command print what can be read, and fail where the source does: what is missing is
// no gap.
func TestCommandExamples(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for name, text := range map[string]string{"aws": cloudWatch, "kubectl": kubectlTop, "date": "#!/bin/sh\necho 1795428120\n"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const now = 1795428120 // as date says
	last := []string{fmt.Sprint(now - 60), fmt.Sprint(now), "60", "shop", "shop-canary"}
	minutes := []string{"2026-11-23T10:00:00Z", "2026-11-23T10:02:00Z", "60", "targetgroup/shop/1", "targetgroup/canary/2"}
	for _, tt := range []struct {
		program, status string
		args            []string
		want            string // metric, arm and number of each point in order, or what is said
	}{
		{"cloudwatch.sh", "Complete", minutes, "errors baseline 0, errors baseline 3, requests baseline 900, requests baseline 910, response time baseline 0.25, errors canary 0, requests canary 100"},
		{"cloudwatch.sh", "PartialData", minutes, "CloudWatch has not all of the data"},
		{"cloudwatch.sh", "down", minutes, "Unable to locate credentials"},
		{"kubernetes.sh", "130Mi", last, "memory baseline 110, memory canary 130"},
		{"kubernetes.sh", "2Gi", last, "what is 2Gi?"},
		{"kubernetes.sh", "down", last, "Metrics API not available"},
		{"kubernetes.sh", "130Mi", []string{fmt.Sprint(now - 660), fmt.Sprint(now - 600), "60", "shop", "shop-canary"}, ""},
	} {
		t.Run(tt.program+" "+tt.status+" "+tt.args[0], func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("jq"); err != nil && tt.program == "cloudwatch.sh" {
				t.Skip("there is no jq")
			}
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "../../examples/command/"+tt.program, tt.args...)
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "STATUS="+tt.status, "LOAD_BALANCER=app/shop/50dc6c495c0c9188")
			var out, said strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &said
			if err := cmd.Run(); err != nil {
				if !strings.Contains(said.String(), tt.want) || tt.want == "" {
					t.Errorf("%v: %s", err, &said)
				}
				return
			}
			r, err := recording.ReadPoints(strings.NewReader(out.String()))
			if err != nil {
				t.Fatalf("%v in\n%s", err, &out)
			}
			var got []string
			for _, arm := range []string{"baseline", "canary"} {
				for p := range r.Points() {
					if string(p.Arm) == arm {
						got = append(got, p.Metric+" "+arm+" "+fmt.Sprint(p.Sample.Value()))
					}
				}
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("got  %s\nwant %s\nof\n%s", text, tt.want, &out)
			}
		})
	}
}
