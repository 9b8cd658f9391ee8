package job_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// watchedWorld is a world with a guard.
type watchedWorld struct {
	world
	begin time.Time
	// says returns the guard's state at a time into the run, or why it cannot be read.
	says  func(since time.Duration) (providers.State, error)
	since time.Time // which a guard was asked for last
}

func (w *watchedWorld) Watch(_ context.Context, guards []providers.Guard, since time.Time) ([]providers.Sighting, error) {
	w.since = since
	var all []providers.Sighting
	for _, g := range guards {
		state, err := w.says(time.Since(w.begin))
		if err != nil {
			return nil, err
		}
		all = append(all, providers.Sighting{Guard: g.Name, State: state, Detail: "is " + string(state)})
	}
	return all, nil
}

func TestGuards(t *testing.T) {
	t.Parallel()
	from := func(at time.Duration, before, after providers.State) func(time.Duration) (providers.State, error) {
		return func(since time.Duration) (providers.State, error) {
			if since < at {
				return before, nil
			}
			return after, nil
		}
	}
	failing := func(class web.Class, from, to time.Duration) func(time.Duration) (providers.State, error) {
		return func(since time.Duration) (providers.State, error) {
			if since >= from && since < to {
				return "", &web.Error{Class: class, Doing: "read monitor 1"}
			}
			return providers.Quiet, nil
		}
	}
	for _, tt := range []struct {
		name   string
		factor float64 // of the canary's errors
		says   func(time.Duration) (providers.State, error)
		want   analysis.Verdict
		ended  job.End
		reason string
		log    string
	}{
		{"quiet", 1, from(0, "", providers.Quiet), analysis.VerdictPass, job.AtVerdict, "PASS after", ""},
		{"an alert", 1, from(3*time.Minute, providers.Quiet, providers.Alerting), analysis.VerdictFail, job.AtVerdict, "FAIL after 2 of 10 min: monitor 1 is alert", "(2 of 10 min) FAIL: errors "},
		{"an alert in the warm-up that lasts", 1, from(0, "", providers.Alerting), analysis.VerdictFail, job.AtVerdict, "FAIL after 30 s of 10 min: monitor 1 is alert", "monitor 1 fails it: is alert"},
		{"never read", 1, from(0, "", providers.Unread), analysis.VerdictInconclusive, job.AtWindowEnd, "nothing passes while a guard cannot be read: monitor 1 is unread", "monitor 1 is not read"},
		{"read at last", 1, from(11*time.Minute, providers.Unread, providers.Quiet), analysis.VerdictPass, job.AtVerdict, "PASS after 10 min", ""},
		{"no longer read", 1, from(2*time.Minute, providers.Quiet, providers.Unread), analysis.VerdictInconclusive, job.AtWindowEnd, "monitor 1 is unread", ""},
		{"a canary that fails, unread", 5, from(0, "", providers.Unread), analysis.VerdictFail, job.AtVerdict, "errors are", ""},
		{"trouble that passes", 1, failing(web.Unreachable, 2*time.Minute, 4*time.Minute), analysis.VerdictPass, job.AtVerdict, "PASS after", ""},
		{"refused in the middle", 1, failing(web.Auth, 2*time.Minute, time.Hour), analysis.VerdictInconclusive, job.AtError, "could not go on: read monitor 1", ""},
		{"trouble that stays", 1, failing(web.Unreachable, 2*time.Minute, time.Hour), analysis.VerdictInconclusive, job.AtError, "could not go on: read monitor 1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := parse(t, testConfig)
				c.Guards = []config.Guard{{Provider: "prometheus", Guard: providers.Guard{Name: "monitor 1", ID: "1"}}}
				c.Plan.Guards = []string{"monitor 1"}
				w := &watchedWorld{world: world{at: shop(tt.factor)}, begin: time.Now(), says: tt.says}
				j, _ := newJob(c, w)
				var log strings.Builder
				j.Progress = &report.Log{To: &log, Config: c}
				path := filepath.Join(t.TempDir(), "run.jsonl")
				var err error
				if j.File, err = recording.Create(path, recording.Header{}); err != nil {
					t.Fatal(err)
				}
				o, err := j.Run(t.Context())
				if (err != nil) != (tt.ended == job.AtError) {
					t.Fatal(err)
				}
				if err := j.File.Close(recording.End{Why: string(o.Ended), Detail: o.Detail}); err != nil {
					t.Fatal(err)
				}
				live := resultJSON(t, c, o)
				if o.Result.Verdict != tt.want || o.Ended != tt.ended || !strings.Contains(live, tt.reason) {
					t.Errorf("%s, ended by %s, want %s by %s with %q:\n%.600s", o.Result.Verdict, o.Ended, tt.want, tt.ended, tt.reason, live)
				}
				for i, at := range o.Trajectory {
					if i > 0 && at.Look <= o.Trajectory[i-1].Look {
						t.Errorf("look %d follows look %d", at.Look, o.Trajectory[i-1].Look)
					}
				}
				if last := o.Trajectory[len(o.Trajectory)-1]; last.Verdict != o.Result.Verdict || last.Look != o.Result.Looks {
					t.Errorf("look %d says %s, the result of %d looks %s", last.Look, last.Verdict, o.Result.Looks, o.Result.Verdict)
				}
				if tt.log != "" && !strings.Contains(log.String(), tt.log) {
					t.Errorf("the log lacks %q:\n%s", tt.log, log.String())
				}
				if !w.since.Equal(j.Start) {
					t.Errorf("asked for alerts since %s, the run began at %s", w.since, j.Start)
				}
				if tt.ended == job.AtError {
					return // the replay command puts its end and its error in place
				}
				r, err := recording.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				replay := &job.Job{
					Config: c, Providers: map[string]providers.Provider{"prometheus": r}, Sightings: r,
					Start: j.Start, Available: r.Judged, Progress: &diary{},
				}
				again, err := replay.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(live, resultJSON(t, c, again)); diff != "" {
					t.Errorf("the replay differs (-live +replay)\n%s", diff)
				}
			})
		})
	}
}

// A provider that keeps no guards cannot be asked for any.
func TestGuardsOfNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := parse(t, testConfig)
		c.Guards = []config.Guard{{Provider: "prometheus", Guard: providers.Guard{Name: "monitor 1"}}}
		c.Plan.Guards = []string{"monitor 1"}
		j, _ := newJob(c, &world{at: shop(1)})
		o, err := j.Run(t.Context())
		if err == nil || o.Result.Verdict != analysis.VerdictInconclusive || !strings.Contains(err.Error(), "monitor 1: the provider prometheus keeps no guards") {
			t.Errorf("%v, %v", o.Result.Verdict, err)
		}
	})
}

// While a guard holds the verdict back, the metrics go on being judged: a canary that
// would have passed in the first half of its hour, and fails a third of its requests in the
// second, fails.
func TestMetricsFailWhileAGuardHoldsTheVerdictBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := parse(t, strings.Replace(testConfig, "length: 10m", "length: 1h", 1))
		c.Guards = []config.Guard{{Provider: "prometheus", Guard: providers.Guard{Name: "monitor 1"}}}
		c.Plan.Guards = []string{"monitor 1"}
		begin := time.Now()
		breaks := func(q providers.Query, at time.Time) float64 {
			if at.Sub(begin) < 31*time.Minute {
				return shop(1)(q, at)
			}
			return shop(15)(q, at)
		}
		says := func(time.Duration) (providers.State, error) { return providers.Unread, nil }
		j, _ := newJob(c, &watchedWorld{world: world{at: breaks}, begin: begin, says: says})
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictFail || o.Ended != job.AtVerdict {
			t.Errorf("%v by %s, %v; want a fail", o.Result.Verdict, o.Ended, err)
		}
		passed := false
		for _, at := range o.Trajectory {
			passed = passed || at.Decisions[0] == analysis.Pass && at.Decisions[1] == analysis.Pass && at.Verdict == analysis.VerdictInconclusive
		}
		if !passed {
			t.Error("the guard never held a verdict back, so this shows nothing")
		}
	})
}
