package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

const testConfig = "history: off\n" + seenConfig

// seenConfig says nothing of history, which is asked for then.
const seenConfig = `
service: shop
provider: prometheus
baseline: {app: shop}
canary: {app: shop-canary}
window: {length: 10m, step: 30s, warmup: 1m, lag: 15s}
metrics:
  - name: errors
    ratio:
      bad: sum(increase(errors_total{$arm}[$step]))
      total: sum(increase(requests_total{$arm}[$step]))
    tolerance: 50%
  - name: latency
    value: avg(latency{$arm})
    unit: s
    tolerance: 20%
`

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("canary.yaml", []byte(text), config.Options{Types: []providers.Type{prometheus.Type()}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// world is a provider whose points are a function of time.
type world struct {
	// at returns a number for a query and step; NaN is a gap.
	at func(q providers.Query, start time.Time) float64
	// err, unless nil, may fail a fetch; now is when it comes.
	err func(now time.Time) error
	// series is how many series each query matches.
	series  int
	fetches int
	latest  time.Time // the latest end that was asked for
}

func (w *world) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	w.fetches++
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.err != nil {
		if err := w.err(time.Now()); err != nil {
			return nil, err
		}
	}
	answers := make([]providers.Answer, len(queries))
	for i, q := range queries {
		if q.End.After(w.latest) {
			w.latest = q.End
		}
		s := analysis.Series{Step: q.Step}
		for at := q.Start; at.Before(q.End); at = at.Add(q.Step) {
			s.Points = append(s.Points, analysis.ValuePoint(at, w.at(q, at)))
		}
		for range max(1, w.series) {
			answers[i].Series = append(answers[i].Series, s)
		}
	}
	return answers, nil
}

// shop returns numbers of a shop whose canary has factor times the errors.
func shop(factor float64) func(q providers.Query, at time.Time) float64 {
	return func(q providers.Query, at time.Time) float64 {
		wobble := math.Sin(float64(at.Unix()%97) + float64(len(q.Arm)))
		total := 1000.0
		if q.Arm == providers.Canary {
			total = 200
		}
		switch q.Part {
		case providers.Total:
			return math.Round(total * (1 + 0.1*wobble))
		case providers.Bad:
			bad := 0.02 * total
			if q.Arm == providers.Canary {
				bad *= factor
			}
			return math.Round(bad * (1 + 0.3*wobble))
		}
		return 0.2 * (1 + 0.03*wobble)
	}
}

// diary notes what a run tells.
type diary struct {
	looks    []int
	troubles []string
	notes    []string
	first    []string // notes of what the first steps brought
	waits    int
}

func (d *diary) Wait(time.Time)    { d.waits++ }
func (d *diary) Look(l job.Look)   { d.looks = append(d.looks, l.Number) }
func (d *diary) Trouble(err error) { d.troubles = append(d.troubles, err.Error()) }
func (d *diary) Note(text string) {
	if strings.HasPrefix(text, "first data") {
		d.first = append(d.first, text)
		return
	}
	d.notes = append(d.notes, text)
}

func newJob(c *config.Config, w providers.Provider) (*job.Job, *diary) {
	d := &diary{}
	return &job.Job{
		Config: c, Providers: map[string]providers.Provider{"prometheus": w},
		Start: time.Now().UTC().Truncate(c.Window.Step), Recording: &recording.Recording{},
		Preflight: true, Progress: d,
	}, d
}

// resultJSON is the result as it is saved, but for where and when.
func resultJSON(t *testing.T, c *config.Config, o *job.Outcome) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.New(c, o).JSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// replay judges a recording.
func replay(t *testing.T, text string, r *recording.Recording) *job.Outcome {
	t.Helper()
	return replayOf(t, parse(t, text), r)
}

func replayOf(t *testing.T, c *config.Config, r *recording.Recording) *job.Outcome {
	t.Helper()
	j := &job.Job{
		Config: c, Providers: map[string]providers.Provider{"prometheus": r}, Progress: &diary{}, Sightings: r,
		Start: r.Header.Window.Start, Available: r.Judged,
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

// A live run and the replay of its recording give the same result, whatever the
// verdict.
func TestALiveRunIsTheReplayOfItsRecording(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		factor  float64
		verdict analysis.Verdict
	}{{1, analysis.VerdictPass}, {8, analysis.VerdictFail}, {1.45, analysis.VerdictInconclusive}} {
		t.Run(fmt.Sprint("x", c.factor), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run.jsonl")
			synctest.Test(t, func(t *testing.T) {
				conf := parse(t, testConfig)
				w := &world{at: shop(c.factor)}
				j, d := newJob(conf, w)
				var err error
				j.File, err = recording.Create(path, recording.Header{
					Started: time.Now().UTC(), Config: conf.Document,
					Window: &recording.Window{Start: j.Start, Step: conf.Window.Step.String(), Warmup: conf.Window.Warmup, Steps: conf.Window.Steps},
				})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				o, err := j.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := j.File.Close(recording.End{Why: string(o.Ended)}); err != nil {
					t.Fatal(err)
				}
				if o.Result.Verdict != c.verdict {
					t.Errorf("verdict %v, want %v", o.Result.Verdict, c.verdict)
				}
				// A step is fetched once it has ended and its late data has had its time.
				steps := time.Duration(conf.Window.Warmup + o.Result.Looks)
				if took, want := time.Since(began), steps*conf.Window.Step+conf.Window.Lag; took != want {
					t.Errorf("took %s for %d looks, want %s", took, o.Result.Looks, want)
				}
				if len(d.looks) != o.Result.Looks || w.fetches != int(steps)+1 {
					t.Errorf("%d looks told, %d fetches for %d steps and the preflight", len(d.looks), w.fetches, steps)
				}
				r, err := recording.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(resultJSON(t, conf, o), resultJSON(t, conf, replay(t, testConfig, r))); diff != "" {
					t.Errorf("the replay says something else (-live +replay):\n%s", diff)
				}
			})
		})
	}
}

var errDown = &web.Error{Class: web.Unreachable, Provider: "prometheus", Doing: "query", Detail: "down"}

// Steps that arrive together are looked at one by one, and the first look that
// has a verdict gives it: an outage changes nothing but the time of the verdict.
func TestAnOutageDelaysLooksAndSkipsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := parse(t, testConfig)
		smooth, _ := newJob(c, &world{at: shop(4)})
		want, err := smooth.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var from time.Time
		w := &world{at: shop(4), err: func(now time.Time) error {
			if now.After(from.Add(100*time.Second)) && now.Before(from.Add(250*time.Second)) {
				return errDown
			}
			return nil
		}}
		j, _ := newJob(c, w)
		from = time.Now()
		// The same world, seen from the same start.
		j.Start = smooth.Start
		got, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(resultJSON(t, c, want), resultJSON(t, c, got)); diff != "" {
			t.Errorf("(-smooth +outage):\n%s", diff)
		}
	})
}

func TestOutages(t *testing.T) {
	t.Parallel()
	auth := &web.Error{Class: web.Auth, Provider: "prometheus", Doing: "query", Detail: "403"}
	shape := &web.Error{Class: web.Shape, Provider: "prometheus", Doing: "read", Detail: "<html>"}
	for _, c := range []struct {
		name     string
		err      error
		from, to time.Duration // when it comes
		ended    job.End
		looks    int           // at least
		before   time.Duration // it ends by then
	}{
		{"refused from the start", auth, 0, time.Hour, job.AtError, 0, time.Second},
		{"down from the start", errDown, 0, time.Hour, job.AtError, 0, time.Second},
		{"garbage from the start", shape, 0, time.Hour, job.AtError, 0, time.Second},
		{"down for a while", errDown, 3 * time.Minute, 5 * time.Minute, job.AtWindowEnd, 20, 12 * time.Minute},
		{"garbage for a while", shape, 3 * time.Minute, 5 * time.Minute, job.AtWindowEnd, 20, 12 * time.Minute},
		{"refused midway", auth, 3 * time.Minute, time.Hour, job.AtError, 2, 4 * time.Minute},
		{"down to the end", errDown, 3 * time.Minute, time.Hour, job.AtError, 2, 15 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				w := &world{at: shop(1.45), err: func(now time.Time) error {
					if since := now.Sub(began); since >= c.from && since < c.to {
						return c.err
					}
					return nil
				}}
				j, d := newJob(parse(t, testConfig), w)
				o, err := j.Run(t.Context())
				if o == nil || o.Ended != c.ended || (err != nil) != (c.ended == job.AtError) {
					t.Fatalf("outcome %+v, error %v; want the end %s", o, err, c.ended)
				}
				if err != nil && !errors.Is(err, c.err) {
					t.Errorf("error %v does not say %v", err, c.err)
				}
				if o.Result.Looks < c.looks || time.Since(began) > c.before {
					t.Errorf("%d looks in %s, want %d in %s", o.Result.Looks, time.Since(began), c.looks, c.before)
				}
				if o.Result.Verdict == analysis.VerdictPass {
					t.Error("a run that broke off passed")
				}
				if c.ended == job.AtWindowEnd && len(d.troubles) == 0 {
					t.Error("nobody was told of the trouble")
				}
			})
		})
	}
}

func TestAnInterruptLeavesAPartialOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(4*time.Minute, func() { cancel(errors.New("a signal")) })
		j, _ := newJob(parse(t, testConfig), &world{at: shop(1.45)})
		o, err := j.Run(ctx)
		if err != nil || o.Ended != job.AtInterrupt || o.Result.Looks != 5 || o.Result.Verdict != analysis.VerdictInconclusive {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

func TestAWindowInThePastNeedsNoWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{at: shop(1.45)}
		j, d := newJob(parse(t, testConfig), w)
		j.Start, j.Preflight = j.Start.Add(-time.Hour), false
		began := time.Now()
		o, err := j.Run(t.Context())
		if err != nil || time.Since(began) != 0 || w.fetches != 1 || o.Result.Looks != 20 || d.waits != 0 {
			t.Errorf("took %s and %d fetches for %d looks: %v", time.Since(began), w.fetches, o.Result.Looks, err)
		}
		if want := j.Start.Add(11 * time.Minute); !w.latest.Equal(want) {
			t.Errorf("asked for data until %s, want %s", w.latest, want)
		}
	})
}

// A crashed run goes on from its recording: the same result as without the crash,
// though its source has changed its mind about the past by then, by a hair.
func TestACrashedRunResumes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	synctest.Test(t, func(t *testing.T) {
		c := parse(t, testConfig)
		j, d := newJob(c, &world{at: shop(1.45)})
		header := recording.Header{Config: c.Document, Window: &recording.Window{Start: j.Start, Step: "30s", Warmup: 2, Steps: 20}}
		var err error
		if j.File, err = recording.Create(path, header); err != nil {
			t.Fatal(err)
		}
		ctx, crash := context.WithCancel(t.Context())
		time.AfterFunc(4*time.Minute, crash)
		if _, err := j.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if err := j.File.Abandon(); err != nil || len(d.looks) != 5 {
			t.Fatal(d.looks, err)
		}
		time.Sleep(2 * time.Minute)
		crashed := time.Now()
		w := &world{at: func(q providers.Query, at time.Time) float64 {
			if at.Before(crashed.Add(-150 * time.Second)) {
				return 1.004 * shop(1.45)(q, at) // not what it said when it was recorded
			}
			return shop(1.45)(q, at)
		}}
		again, _ := newJob(c, w)
		again.Preflight = false
		if again.File, again.Recording, err = recording.Resume(path); err != nil {
			t.Fatal(err)
		}
		again.Start = again.Recording.Header.Window.Start
		got, err := again.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := newJob(c, &world{at: shop(1.45)})
		whole.Start, whole.Preflight = again.Start, false
		want, err := whole.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(resultJSON(t, c, want), resultJSON(t, c, got)); diff != "" {
			t.Errorf("(-whole +resumed):\n%s", diff)
		}
	})
}

func TestAnswersThatCannotBeJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		world *world
		want  string
	}{
		{"several series", &world{at: shop(1), series: 3}, "matched 3 series"},
		{"more bad than all", &world{at: func(q providers.Query, _ time.Time) float64 {
			return map[providers.Part]float64{providers.Bad: 20, providers.Total: 10, providers.Value: 1}[q.Part]
		}}, "20 bad of 10; the bad events must be among the total"},
		{"negative counts", &world{at: func(q providers.Query, _ time.Time) float64 {
			return map[providers.Part]float64{providers.Bad: -2, providers.Total: 10, providers.Value: 1}[q.Part]
		}}, "a count cannot be negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j, _ := newJob(parse(t, testConfig), c.world)
				o, err := j.Run(t.Context())
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				if o.Result.Verdict == analysis.VerdictPass {
					t.Error("passed")
				}
			})
		})
	}
}

// Extrapolated counts may be a hair off; that is no reason to give up.
func TestFractionalCountsThatAreAHairOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{at: func(q providers.Query, at time.Time) float64 {
			if q.Arm == providers.Canary && q.Part == providers.Bad {
				return 10.4 // of 10.2: all of them
			}
			return map[providers.Part]float64{providers.Bad: 0.1, providers.Total: 10.2, providers.Value: 1 + 0.1*math.Sin(float64(at.Unix()))}[q.Part]
		}}
		j, _ := newJob(parse(t, testConfig), w)
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictFail || o.Clamped[0] == 0 {
			t.Errorf("verdict %v, %d points clamped, error %v", o.Result.Verdict, o.Clamped[0], err)
		}
	})
}

// A baseline that lies back in time is asked for there, and compared step by
// step.
func TestABaselineInThePast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := &world{at: func(q providers.Query, at time.Time) float64 {
			if early := at.Before(began.Add(-time.Hour)); early != (q.Arm == providers.Baseline) {
				t.Errorf("the %s is asked for at %s", q.Arm, at)
			}
			return shop(8)(q, at)
		}}
		j, _ := newJob(parse(t, strings.Replace(testConfig, "{app: shop}", "{app: shop, offset: 1d}", 1)), w)
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictFail {
			t.Errorf("%v, %v", o.Result.Verdict, err)
		}
	})
}

// A canary that goes silent fails the check for gaps, which the metric itself
// cannot.
func TestSilenceIsEvidence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{at: func(q providers.Query, at time.Time) float64 {
			if q.Arm == providers.Canary {
				return math.NaN()
			}
			return shop(1)(q, at)
		}}
		j, _ := newJob(parse(t, testConfig+"  - {name: silence, gaps: latency, tolerance: 20pt}\n"), w)
		o, err := j.Run(t.Context())
		if err != nil || o.Result.Verdict != analysis.VerdictFail || o.Result.Metrics[2].Decision != analysis.Fail {
			t.Errorf("%v, %+v, %v", o.Result.Verdict, o.Result.Metrics[2], err)
		}
	})
}

// Large runs keep a thinned-out trajectory, always with the last look.
func TestTheTrajectoryIsThinnedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		text := strings.Replace(testConfig, "length: 10m", "length: 500m", 1)
		for i := range 8 {
			text += fmt.Sprintf("  - {name: m%d, value: 'm%d{$arm}', tolerance: 0%%}\n", i, i)
		}
		j, _ := newJob(parse(t, text), &world{at: shop(1)})
		j.Start, j.Preflight = j.Start.Add(-24*time.Hour), false
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		last := o.Trajectory[len(o.Trajectory)-1]
		if o.Stride != 2 || len(o.Trajectory) != 500 || last.Look != 1000 {
			t.Errorf("stride %d, %d waypoints, the last at look %d", o.Stride, len(o.Trajectory), last.Look)
		}
	})
}

func TestTheReportIsReadableAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := parse(t, testConfig)
		j, _ := newJob(c, &world{at: shop(8)})
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		saved := resultJSON(t, c, o)
		r, err := report.Read(strings.NewReader(saved))
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := r.JSON(&again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(saved, again.String()); diff != "" {
			t.Errorf("(-saved +again):\n%s", diff)
		}
		if !json.Valid(again.Bytes()) {
			t.Error("the result is not JSON")
		}
	})
}
