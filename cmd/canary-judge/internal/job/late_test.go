package job_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/recording"
)

const (
	latePrometheus = `
provider: prometheus
history: off
baseline: {app: shop}
canary: {app: shop-canary}
window: {length: 20m, step: 30s, warmup: 0s, lag: 20s}
metrics:
  - name: errors
    ratio:
      bad: sum(increase(errors_total{$arm}[$step]))
      total: sum(increase(requests_total{$arm}[$step]))
    tolerance: 50%
    floor: 0.1%
`
	lateDatadog = `
provider: datadog
history: off
datadog: {api_key: k, app_key: a}
baseline: {service: shop}
canary: {service: shop-canary}
window: {length: 20m, step: 30s, warmup: 0s, lag: 20s}
metrics:
  - name: errors
    ratio:
      bad: sum:shop.errors{$arm}.as_count()
      total: sum:shop.hits{$arm}.as_count()
      absent: zero
    tolerance: 50%
    floor: 0.1%
`
)

// late is a shop whose canary has factor times the errors, and whose answers depend on how
// long ago a step was when it is asked for. share says how much of a count is there then.
func late(factor float64, share func(q providers.Query, age time.Duration) float64) *world {
	return &world{at: func(q providers.Query, at time.Time) float64 {
		return shop(factor)(q, at) * share(q, time.Since(at.Add(q.Step)))
	}}
}

// complete is a source whose data of one part are there in part before they are of an age,
// and then whole.
func complete(part providers.Part, arm providers.Arm, age time.Duration, before float64) func(providers.Query, time.Duration) float64 {
	return func(q providers.Query, now time.Duration) float64 {
		if q.Part == part && q.Arm == arm && now < age {
			return before
		}
		return 1
	}
}

// lateJob is a job that records to a file.
func lateJob(t *testing.T, text string, w *world) (*config.Config, *job.Job, *diary, string) {
	t.Helper()
	c := parseLate(t, text)
	j, d := newJob(c, w)
	j.Providers = map[string]providers.Provider{"prometheus": w, "datadog": w}
	path := filepath.Join(t.TempDir(), "run.jsonl")
	var err error
	if j.File, err = recording.Create(path, recording.Header{
		Config: c.Document,
		Window: &recording.Window{Start: j.Start, Step: c.Window.Step.String(), Warmup: c.Window.Warmup, Steps: c.Window.Steps},
	}); err != nil {
		t.Fatal(err)
	}
	return c, j, d, path
}

func parseLate(t *testing.T, text string) *config.Config {
	t.Helper()
	if strings.Contains(text, "datadog") {
		c, err := config.Parse("canary.yaml", []byte(text), config.Options{Types: []providers.Type{datadog.Type()}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return parse(t, text)
}

// judgeFile replays a recording.
func judgeFile(t *testing.T, text string, r *recording.Recording) *job.Outcome {
	t.Helper()
	j := &job.Job{
		Config: parseLate(t, text), Providers: map[string]providers.Provider{"prometheus": r, "datadog": r}, Progress: &diary{},
		Start: r.Header.Window.Start, Available: r.Judged, Sightings: r,
	}
	o, err := j.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.End != nil && o.Ended == job.AtTheFilesEnd {
		o.Ended, o.Detail = job.End(r.End.Why), r.End.Detail
	}
	return o
}

func open(t *testing.T, path string) *recording.Recording {
	t.Helper()
	r, err := recording.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// With data that are complete after 40 s and a lag of 20 s, a canary with 8 times the
// errors looked as good as the baseline, and a healthy one 5.5 times as bad: what was
// judged then stands in the recording, and without what was answered later that is
// what a replay of it comes to.
func TestDataThatArriveLaterThanTheLag(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		world        *world
		without      analysis.Verdict // the wrong one, if nothing is known of late data
	}{
		{"errors late, Prometheus", latePrometheus, late(8, complete(providers.Bad, providers.Canary, 40*time.Second, 1./8)), analysis.VerdictPass},
		{"totals late, Prometheus", latePrometheus, late(1, complete(providers.Total, providers.Canary, 40*time.Second, 1/5.5)), analysis.VerdictFail},
		{"errors late, Datadog", lateDatadog, whole(late(8, complete(providers.Bad, providers.Canary, 40*time.Second, 0))), analysis.VerdictPass},
		{"totals late, Datadog", lateDatadog, whole(late(1, complete(providers.Total, providers.Canary, 40*time.Second, 1/5.5))), analysis.VerdictFail},
		{"errors much later", latePrometheus, late(8, complete(providers.Bad, providers.Canary, 4*time.Minute, 1./8)), analysis.VerdictPass},
		{"both arms little by little", latePrometheus, late(8, func(q providers.Query, age time.Duration) float64 {
			if q.Part == providers.Bad {
				return min(1, age.Minutes()/3)
			}
			return 1
		}), analysis.VerdictFail},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conf, j, d, path := lateJob(t, c.config, c.world)
				o, err := j.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := j.File.Close(recording.End{Why: string(o.Ended)}); err != nil {
					t.Fatal(err)
				}
				said := resultJSON(t, conf, o)
				if o.Result.Verdict != analysis.VerdictInconclusive || o.Result.Looks != 40 ||
					!strings.Contains(said, "errors: data arrive later than window.lag: raise it to at least") {
					t.Errorf("%v after %d looks: %s", o.Result.Verdict, o.Result.Looks, said[:400])
				}
				if len(d.notes) != 1 || !strings.Contains(d.notes[0], "data arrive later than window.lag") {
					t.Errorf("the notes are %q", d.notes)
				}
				r := open(t, path)
				if diff := cmp.Diff(said, resultJSON(t, conf, judgeFile(t, c.config, r))); diff != "" {
					t.Errorf("the replay says something else (-live +replay):\n%s", diff)
				}
				r.Revisions = nil
				if got := judgeFile(t, c.config, r).Result.Verdict; got != c.without {
					t.Errorf("without what came later it is %v, want %v: the case shows nothing", got, c.without)
				}
			})
		})
	}
}

// whole makes the counts of a world whole ones, of which none is a silence.
func whole(w *world) *world {
	return &world{at: func(q providers.Query, at time.Time) float64 {
		if n := math.Round(w.at(q, at)); n > 0 {
			return n
		}
		return math.NaN()
	}}
}

// The lag that is asked for is one at which a run is judged.
func TestTheLagAskedForIsEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lateness := complete(providers.Bad, providers.Canary, 100*time.Second, 1./8)
		conf, j, _, _ := lateJob(t, latePrometheus, late(8, lateness))
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lag := regexp.MustCompile(`raise it to at least (\S+)`).FindStringSubmatch(resultJSON(t, conf, o))
		if lag == nil {
			t.Fatal("no lag is asked for")
		}
		// They are asked for every 30 s.
		if length, err := providers.ParseDuration(lag[1]); err != nil || length < 100*time.Second || length > 130*time.Second {
			t.Errorf("the lag asked for is %s, %v", lag[1], err)
		}
		_, j, _, _ = lateJob(t, strings.Replace(latePrometheus, "lag: 20s", "lag: "+lag[1], 1), late(8, lateness))
		if o, err = j.Run(t.Context()); err != nil || o.Result.Verdict != analysis.VerdictFail {
			t.Errorf("with a lag of %s: %v, %v", lag[1], o.Result.Verdict, err)
		}
	})
}

// What comes within the lag, or differs by a hair when it is asked for again, changes
// nothing: neither the result nor what is recorded.
func TestDataThatAreNotLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		share func(q providers.Query, age time.Duration) float64
	}{
		{"within the lag", complete(providers.Bad, providers.Canary, 15*time.Second, 1./8)},
		{"rounded differently", func(_ providers.Query, age time.Duration) float64 { return 1 + 1e-9*math.Mod(age.Seconds(), 7) }},
		{"extrapolated a little differently", func(_ providers.Query, age time.Duration) float64 { return 1 + 0.002*math.Mod(age.Seconds()/10, 3) }},
		{"forgotten after a while", func(_ providers.Query, age time.Duration) float64 {
			if age > 2*time.Minute {
				return math.NaN()
			}
			return 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conf, j, d, path := lateJob(t, latePrometheus, late(1, c.share))
				o, err := j.Run(t.Context())
				if err != nil || o.Result.Verdict != analysis.VerdictPass || len(d.notes) != 0 {
					t.Errorf("%v, %v, notes %q", o.Result.Verdict, err, d.notes)
				}
				// At the age at which a step is first asked for.
				once := late(1, func(q providers.Query, _ time.Duration) float64 { return c.share(q, conf.Window.Lag) })
				_, again, _, _ := lateJob(t, latePrometheus, once)
				again.Start = j.Start
				want, err := again.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(resultJSON(t, conf, want), resultJSON(t, conf, o)); diff != "" {
					t.Errorf("(-asked once +asked again):\n%s", diff)
				}
				if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "revised") {
					t.Errorf("the recording holds revisions (%v)", err)
				}
			})
		})
	}
}

// A metric that passed before its data turned out to be late holds the run back.
func TestAPassIsWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		// The errors of one step, well after the metric has passed, come late.
		w := late(1, func(q providers.Query, age time.Duration) float64 {
			if at := time.Since(begin) - age; q.Part == providers.Bad && q.Arm == providers.Canary && at > 15*time.Minute && age < 40*time.Second {
				return 0
			}
			return 1
		})
		text := latePrometheus + "  - {name: latency, value: 'avg(latency{$arm})', tolerance: 0%}\n"
		_, j, _, _ := lateJob(t, text, w)
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		passed := false
		for _, p := range o.Trajectory {
			passed = passed || p.Decisions[0] == analysis.Pass
		}
		if m := o.Result.Metrics[0]; !passed || m.Decision != analysis.Undecided || m.Cause != analysis.LateData || m.DecidedAt != 0 {
			t.Errorf("had passed: %v; %v, %q, at look %d", passed, m.Decision, m.Cause, m.DecidedAt)
		}
	})
}

// A run that goes on after a crash knows of data that came late before the crash, and sees
// what came late while it was away.
func TestAResumedRunKnowsOfLateData(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			crashes := time.Now().Add(4 * time.Minute)
			w := late(8, func(q providers.Query, age time.Duration) float64 {
				if away == time.Now().Before(crashes) { // complete whenever it is asked
					return map[bool]float64{false: 1, true: 1. / 8}[away && q.Part == providers.Bad && q.Arm == providers.Canary]
				}
				return complete(providers.Bad, providers.Canary, 40*time.Second, 1./8)(q, age)
			})
			conf, j, _, path := lateJob(t, latePrometheus, w)
			ctx, crash := context.WithDeadline(t.Context(), crashes)
			defer crash()
			if o, err := j.Run(ctx); err != nil || o.Ended != job.AtInterrupt {
				t.Fatal(o, err)
			}
			if err := j.File.Abandon(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			again, _ := newJob(conf, w)
			again.Preflight = false
			var err error
			if again.File, again.Recording, err = recording.Resume(path); err != nil {
				t.Fatal(err)
			}
			again.Start = j.Start
			o, err := again.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := again.File.Close(recording.End{Why: string(o.Ended)}); err != nil {
				t.Fatal(err)
			}
			if m := o.Result.Metrics[0]; o.Result.Verdict != analysis.VerdictInconclusive || m.Cause != analysis.LateData {
				t.Errorf("away %v: %v, %q", away, o.Result.Verdict, m.Cause)
			}
			if diff := cmp.Diff(resultJSON(t, conf, o), resultJSON(t, conf, judgeFile(t, latePrometheus, open(t, path)))); diff != "" {
				t.Errorf("the replay says something else (-live +replay):\n%s", diff)
			}
		})
	}
}

// A run that starts after the deployment catches up, and waits one step before it judges
// what it has seen only once.
func TestARunThatCatchesUpLooksTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, j, _, _ := lateJob(t, latePrometheus, late(8, complete(providers.Bad, providers.Canary, 4*time.Minute, 1./8)))
		j.Start = j.Start.Add(-8 * time.Minute)
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictInconclusive || o.Result.Metrics[0].Cause != analysis.LateData {
			t.Errorf("%v, %+v, %v", o.Result.Verdict, o.Result.Metrics[0], err)
		}
		_, j, _, _ = lateJob(t, latePrometheus, late(8, func(providers.Query, time.Duration) float64 { return 1 }))
		j.Start = j.Start.Add(-8 * time.Minute)
		began := time.Now()
		if o, err = j.Run(t.Context()); err != nil || o.Result.Verdict != analysis.VerdictFail || time.Since(began) > 30*time.Second {
			t.Errorf("%v after %s, %v", o.Result.Verdict, time.Since(began), err)
		}
	})
}

// A check for gaps does not count a step as silent whose data came later.
func TestAGapThatFillsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := late(1, func(q providers.Query, age time.Duration) float64 {
			if q.Part == providers.Value && q.Arm == providers.Canary && age < 40*time.Second {
				return math.NaN()
			}
			return 1
		})
		_, j, _, _ := lateJob(t, latePrometheus+"  - {name: latency, value: 'avg(latency{$arm})', tolerance: 10%}\n  - {name: silence, gaps: latency, tolerance: 20pt}\n", w)
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictInconclusive || o.Result.Metrics[2].Cause != analysis.LateData {
			t.Errorf("%v, %+v, %v", o.Result.Verdict, o.Result.Metrics[2], err)
		}
	})
}
