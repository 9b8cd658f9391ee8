package job_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
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

const rampConfig = `
service: shop
provider: prometheus
baseline: {app: shop}
canary: {app: shop-canary}
window: {length: 30m, step: 30s, warmup: 1m, lag: 15s}
stages:
  - {share: 1%, run: [./weight.sh, '1'], at_least: 2m}
  - {share: 10%, run: [./weight.sh, '10'], at_least: 2m}
  - {share: 50%, run: [./weight.sh, '50'], at_least: 2m}
metrics:
  - name: errors
    ratio:
      bad: sum(increase(errors_total{$arm}[$step]))
      total: sum(increase(requests_total{$arm}[$step]))
    tolerance: 50%
`

// router is a shop behind something that splits the traffic. It remembers how.
type router struct {
	factor func(share float64) float64 // by which the canary's errors are more
	takes  time.Duration               // to split it otherwise
	fails  func(stage int) error       // to do so
	stuck  bool                        // it says that it did, and did not

	since  []time.Time
	shares []float64
	set    []int // stages, as they were asked for
}

// share is the canary's part of the traffic at a time.
func (r *router) share(at time.Time) float64 {
	share := 0.0
	for i, since := range r.since {
		if !at.Before(since) {
			share = r.shares[i]
		}
	}
	return share
}

func (r *router) setStage(shares []float64) func(context.Context, int) error {
	return func(ctx context.Context, stage int) error {
		r.set = append(r.set, stage)
		if r.fails != nil {
			if err := r.fails(stage); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(r.takes):
		}
		if !r.stuck || len(r.since) == 0 {
			r.since, r.shares = append(r.since, time.Now()), append(r.shares, shares[stage])
		}
		return nil
	}
}

// at returns the numbers of a step: 20,000 requests of which 1% fail, more in the canary by the
// factor of the share it has.
func (r *router) at(q providers.Query, start time.Time) float64 {
	share := (r.share(start) + r.share(start.Add(q.Step-1))) / 2
	wobble := math.Sin(float64(start.Unix()%97) + float64(len(q.Arm)))
	total, factor := 20000*(1-share), 1.0
	if q.Arm == providers.Canary {
		total, factor = 20000*share, r.factor(share)
	}
	total = math.Round(total * (1 + 0.1*wobble))
	if q.Part == providers.Total {
		return total
	}
	return math.Min(total, math.Round(0.01*total*factor*(1+0.2*math.Sin(float64(start.Unix()%89)+float64(len(q.Arm))))))
}

var rampShares = []float64{0.01, 0.1, 0.5}

func always(factor float64) func(float64) float64 { return func(float64) float64 { return factor } }

// rampJob is a live job with a ramp, whose recording is a file.
func rampJob(t *testing.T, path string, r *router) (*job.Job, *diary) {
	t.Helper()
	c := parse(t, rampConfig)
	j, d := newJob(c, &world{at: r.at})
	j.SetStage = r.setStage(rampShares)
	var err error
	if _, from, failed := recording.Resume(path); failed == nil {
		t.Fatalf("%s is there already: %v", path, from.Header)
	}
	j.File, err = recording.Create(path, recording.Header{
		Started: time.Now().UTC(), Config: c.Document,
		Window: &recording.Window{Start: j.Start, Step: c.Window.Step.String(), Warmup: c.Window.Warmup, Steps: c.Window.Steps},
	})
	if err != nil {
		t.Fatal(err)
	}
	return j, d
}

// resumed is the job that goes on with the recording of another.
func resumed(t *testing.T, path string, r *router) (*job.Job, *diary) {
	t.Helper()
	c := parse(t, rampConfig)
	j, d := newJob(c, &world{at: r.at})
	j.SetStage, j.Preflight = r.setStage(rampShares), false
	var err error
	if j.File, j.Recording, err = recording.Resume(path); err != nil {
		t.Fatal(err)
	}
	j.Start = j.Recording.Header.Window.Start
	return j, d
}

// closed ends a job's recording and returns what is in it.
func closed(t *testing.T, j *job.Job, path string, end job.End) *recording.Recording {
	t.Helper()
	if err := j.File.Close(recording.End{Why: string(end)}); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARamp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		router  router
		verdict analysis.Verdict
		stages  int    // set
		says    string // a note
	}{
		{"healthy", router{factor: always(1), takes: 20 * time.Second}, analysis.VerdictPass, 3, "the canary has its traffic at 50% (stage 3 of 3)"},
		{"broken", router{factor: always(30)}, analysis.VerdictFail, 1, "the canary has its traffic at 1% (stage 1 of 3)"},
		{"broken under load", router{factor: func(share float64) float64 {
			if share > 0.05 {
				return 8
			}
			return 1
		}}, analysis.VerdictFail, 2, "the canary has its traffic at 10% (stage 2 of 3)"},
		{"a router that does nothing", router{factor: always(1), stuck: true}, analysis.VerdictInconclusive, 2, "of the requests where 10% are expected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run.jsonl")
			synctest.Test(t, func(t *testing.T) {
				j, d := rampJob(t, path, &c.router)
				o, err := j.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if o.Result.Verdict != c.verdict || len(o.Stages) != c.stages || o.Left.Number != c.stages {
					t.Errorf("%s after %d looks, %d stages were set, left in %+v\n%s", o.Result.Verdict, o.Result.Looks, len(o.Stages), o.Left, strings.Join(d.notes, "\n"))
				}
				if !strings.Contains(strings.Join(d.notes, "\n"), c.says) {
					t.Errorf("it does not say %q:\n%s", c.says, strings.Join(d.notes, "\n"))
				}
				for i, s := range o.Stages {
					if s.Number != i+1 || s.Share != rampShares[i] || s.Done.Before(s.Began.Add(c.router.takes)) || i < len(o.Stages)-1 && s.Judged < 4 {
						t.Errorf("stage %d: %+v", i+1, s)
					}
				}
				live := resultJSON(t, j.Config, o)
				r := closed(t, j, path, o.Ended)
				again := parse(t, rampConfig)
				if diff := cmp.Diff(live, resultJSON(t, again, replayOf(t, again, r))); diff != "" {
					t.Errorf("the replay is another (-live +replay):\n%s", diff)
				}
			})
		})
	}
}

// A step whose traffic changed is shown to no metric, nor are those of a stage's warm-up.
func TestARampSkipsWhatSettles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	synctest.Test(t, func(t *testing.T) {
		r := &router{factor: always(1), takes: 100 * time.Second}
		j, _ := rampJob(t, path, r)
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictPass {
			t.Fatalf("%s, %v", o.Result.Verdict, err)
		}
		judged := 0
		for i, s := range o.Stages {
			judged += s.Judged
			first, last := o.Times[1+s.First], o.Times[1+s.Last].Add(30*time.Second)
			if first.Before(s.Done.Add(time.Minute)) || i+1 < len(o.Stages) && last.After(o.Stages[i+1].Began) {
				t.Errorf("stage %d was set from %s to %s and is judged from %s to %s", s.Number, s.Began, s.Done, first, last)
			}
		}
		m := o.Result.Metrics[0]
		if m.Elapsed != judged || judged >= o.Result.Looks-3 {
			t.Errorf("%d steps of %d looks were judged, and %d lie in stages", m.Elapsed, o.Result.Looks, judged)
		}
	})
}

// A run that breaks off in any stage, or while one is set, is gone on with: the stages are as
// they were, one that was not set is set again, and the verdict is the one of a whole run.
func TestARampIsResumed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := ""
	synctest.Test(t, func(t *testing.T) {
		j, _ := rampJob(t, filepath.Join(dir, "whole.jsonl"), &router{factor: always(1), takes: 20 * time.Second})
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		closed(t, j, filepath.Join(dir, "whole.jsonl"), o.Ended)
		whole = o.Result.Verdict.String()
		if len(o.Stages) != 3 || o.Result.Looks < 20 {
			t.Fatalf("%d stages, %d looks", len(o.Stages), o.Result.Looks)
		}
	})
	for _, after := range []time.Duration{5 * time.Second, time.Minute, 190 * time.Second, 6 * time.Minute, 7*time.Minute + 40*time.Second, 9 * time.Minute} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run.jsonl")
			synctest.Test(t, func(t *testing.T) {
				r := &router{factor: always(1), takes: 20 * time.Second}
				j, _ := rampJob(t, path, r)
				ctx, cancel := context.WithTimeout(t.Context(), after)
				defer cancel()
				o, err := j.Run(ctx)
				if err != nil || o.Ended != job.AtInterrupt {
					t.Fatalf("ended by %s, %v", o.Ended, err)
				}
				if err := j.File.Abandon(); err != nil { // as a kill leaves it
					t.Fatal(err)
				}
				time.Sleep(40 * time.Second)
				set := len(r.set)
				j, _ = resumed(t, path, r)
				o, err = j.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if o.Result.Verdict.String() != whole || o.Left.Number != 3 || r.share(time.Now()) != 0.5 {
					t.Errorf("%s in stage %d with %g of the traffic; of a whole run %s", o.Result.Verdict, o.Left.Number, r.share(time.Now()), whole)
				}
				for i := set; i < len(r.set); i++ {
					if i > 0 && r.set[i] < r.set[i-1] {
						t.Errorf("stages went back: %v", r.set)
					}
				}
				live := resultJSON(t, j.Config, o)
				again := parse(t, rampConfig)
				if diff := cmp.Diff(live, resultJSON(t, again, replayOf(t, again, closed(t, j, path, o.Ended)))); diff != "" {
					t.Errorf("the replay is another (-live +replay):\n%s", diff)
				}
			})
		})
	}
}

// A stage that cannot be set ends the run without a verdict. Who resumes it sets it again.
func TestAStageThatCannotBeSet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	synctest.Test(t, func(t *testing.T) {
		r := &router{factor: always(1), fails: func(stage int) error {
			if stage == 1 {
				return errors.New("run ./weight.sh 10: it exited with 1")
			}
			return nil
		}}
		j, _ := rampJob(t, path, r)
		o, err := j.Run(t.Context())
		want := "give the canary its traffic at 10% (stage 2 of 3): run ./weight.sh 10: it exited with 1"
		if err == nil || o.Ended != job.AtError || o.Detail != want {
			t.Fatalf("ended by %s, %q, %v", o.Ended, o.Detail, err)
		}
		if o.Left.Number != 2 || !o.Left.Done.IsZero() {
			t.Errorf("left in %+v", o.Left)
		}
		closed(t, j, path, o.Ended)
		r.fails = nil
		j, _ = resumed(t, path, r)
		o, err = j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictPass || len(o.Stages) != 3 {
			t.Errorf("resumed: %s, %v, %+v", o.Result.Verdict, err, o.Stages)
		}
		if got := r.set; !cmp.Equal(got, []int{0, 1, 1, 2}) {
			t.Errorf("set were %v", got)
		}
		closed(t, j, path, o.Ended)
	})
}

// What moves no traffic is judged as one stage, and says so.
func TestARampWithoutItsStages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &router{factor: always(1), since: []time.Time{{}}, shares: []float64{0.1}}
		j, _ := newJob(parse(t, rampConfig), &world{at: r.at})
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictPass || o.Ramp != nil || o.Result.Exposure != nil {
			t.Fatalf("%s, %v", o.Result.Verdict, err)
		}
		text := resultJSON(t, j.Config, o)
		if !strings.Contains(text, "judged as one stage, whatever traffic the canary gets: this run moves no traffic") {
			t.Errorf("it does not say so:\n%.600s", text)
		}
		j.Recording.Header.Window = &recording.Window{Start: j.Start}
		j.Recording.Stages = []recording.Stage{{Number: 1, Share: 0.25, Began: j.Start, Done: j.Start}}
		again := &job.Job{
			Config: parse(t, rampConfig), Providers: map[string]providers.Provider{"prometheus": j.Recording}, Progress: &diary{}, Sightings: j.Recording,
			Start: j.Start, Available: j.Recording.Judged,
		}
		if _, err := again.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "the recording has stage 1 with 25% of the traffic, and the config has not") {
			t.Errorf("another ramp: %v", err)
		}
	})
}
