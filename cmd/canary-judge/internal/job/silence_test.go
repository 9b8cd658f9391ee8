package job_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// telling is a world that can say why it is silent.
type telling struct {
	*world
	asked []string
}

func (w *telling) Diagnose(_ context.Context, q providers.Query) (string, error) {
	w.asked = append(w.asked, fmt.Sprintf("%s of the %s", q.Part, q.Arm))
	return "a sample every 1m; set window.step to 4m", nil
}

func (w *telling) DiagnoseZero(_ context.Context, q providers.Query) (string, error) {
	w.asked = append(w.asked, fmt.Sprintf("zero %s of the %s", q.Part, q.Arm))
	return "37 series began with their first event", nil
}

// Why there is nothing to judge is asked once, told after a few looks, and stands in the
// result, that of a replay too.
func TestWhyThereIsNothingToJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		share  func(q providers.Query) float64
		asked  string
		note   string
		result string
	}{
		{"one arm", func(q providers.Query) float64 {
			if q.Arm == providers.Canary {
				return math.NaN()
			}
			return 1
		}, "total of the canary", "going on, but of errors the first 3 steps show no data of the canary, or too few: a sample every 1m; set window.step to 4m",
			"no step has data in both arms (baseline: 40 of 40, canary: 0 of 40); canary: a sample every 1m; set window.step to 4m"},
		{"both arms", func(providers.Query) float64 { return math.NaN() }, "total of the baseline, total of the canary", "",
			"canary: 0 of 40); both arms: a sample every 1m; set window.step to 4m"},
		{"errors that count for nothing", func(q providers.Query) float64 {
			if q.Part == providers.Bad && q.Arm == providers.Canary {
				return 0
			}
			return 1
		}, "zero bad of the canary", "no bad events of the canary: 37 series", `"canary: 37 series began with their first event"`},
		{"all is well", func(providers.Query) float64 { return 1 }, "", "", "within tolerance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &telling{world: late(1, func(q providers.Query, _ time.Duration) float64 { return c.share(q) })}
				conf, j, d, path := lateJob(t, latePrometheus, w.world)
				j.Providers["prometheus"] = w
				j.Preflight = false
				o, err := j.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := j.File.Close(recording.End{Why: string(o.Ended)}); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(w.asked, ", "); got != c.asked {
					t.Errorf("asked %q, want %q", got, c.asked)
				}
				if notes := strings.Join(d.notes, "\n"); !strings.Contains(notes, c.note) || (notes == "") != (c.asked == "") {
					t.Errorf("noted %q, want %q", notes, c.note)
				}
				if c.name == "all is well" && (len(d.first) != 1 || !strings.Contains(d.first[0], "errors: baseline 21 of 1015, canary 3 of 181")) {
					t.Errorf("of the first step %q", d.first)
				}
				said := resultJSON(t, conf, o)
				if !strings.Contains(said, c.result) {
					t.Errorf("the result lacks %q", c.result)
				}
				if diff := cmp.Diff(said, resultJSON(t, conf, judgeFile(t, latePrometheus, open(t, path)))); diff != "" {
					t.Errorf("the replay says something else (-live +replay):\n%s", diff)
				}
			})
		})
	}
}

// What a series of steps looks like tells how often there are data.
func TestApartAndRare(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	series := func(pattern string) (samples []analysis.Sample, times []time.Time) {
		for i, c := range pattern {
			s := analysis.Sample{}
			if c == 'x' {
				s = analysis.ValueSample(1)
			}
			samples, times = append(samples, s), append(times, start.Add(time.Duration(i)*30*time.Second))
		}
		return samples, times
	}
	for _, c := range []struct{ baseline, canary, apart, rare string }{
		{"x.x.x.x.", ".x.x.x.x", "the steps with data of one are at least 30s away from those of the other, and there are data every 1m; set window.step to 1m",
			"there are data every 1m, and a step is 30s; set window.step to 1m"},
		{"x..x..x..", "x..x..x..", "", "there are data every 1m30s, and a step is 30s; set window.step to 1m30s"},
		{"xxx......", "......xxx", "at least 2m away from those of the other; use longer steps, or times that both have", ""},
		{"xxxxxxxx", "xxxxxxxx", "", ""},
		{"xx..x...x", "xxxxxxxxx", "", ""},
		{"........", "xxxxxxxx", "", ""},
	} {
		b, times := series(c.baseline)
		can, _ := series(c.canary)
		got := job.Apart(analysis.Metric{}, b, can, times, 30*time.Second)
		if !strings.HasSuffix(got, c.apart) || (got == "") != (c.apart == "") {
			t.Errorf("%s %s: apart %q, want %q", c.baseline, c.canary, got, c.apart)
		}
		if got := job.Rare(analysis.Metric{}, b, can, times, 30*time.Second); got != c.rare {
			t.Errorf("%s %s: rare %q, want %q", c.baseline, c.canary, got, c.rare)
		}
	}
}

// Arms that never meet are told of early, without asking anyone.
func TestArmsThatNeverMeet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{at: func(q providers.Query, at time.Time) float64 {
			if even := at.Unix()/30%2 == 0; even == (q.Arm == providers.Canary) {
				return math.NaN()
			}
			return shop(1)(q, at)
		}}
		conf, j, d, _ := lateJob(t, latePrometheus, w)
		j.Preflight = false
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const want = "the steps with data of one are at least 30s away from those of the other, and there are data every 1m; set window.step to 1m"
		if len(d.notes) != 1 || !strings.Contains(d.notes[0], "30s away") || !strings.Contains(resultJSON(t, conf, o), want) {
			t.Errorf("noted %q", d.notes)
		}
	})
}
