// Package job is the loop of a run: fetch, judge at every look, stop at the
// verdict. A live run, a window in the past and a replay are the same loop; only
// where the series come from and whether there is anything to wait for differ.
package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// Job is a run that can be started.
type Job struct {
	Config *config.Config
	// Providers holds the providers of the config's metrics by name.
	Providers map[string]providers.Provider
	// Start is the beginning of the first step, warm-up included, a whole number
	// of steps since the epoch.
	Start time.Time
	// Available is the end of the last step that will ever be available, of a
	// recording; zero when time will bring more.
	Available time.Time
	// Times are the starts of the steps of a recording that need not be evenly
	// spaced; nil for steps from Start on.
	Times []time.Time
	// Recording keeps what is fetched, and File, unless nil, on disk too. A replay,
	// whose provider is a recording itself, needs none.
	Recording *recording.Recording
	File      *recording.Writer
	// Sightings is the recording that a replay takes from what its guards said, and what
	// came late; a live run asks them, and sees that.
	Sightings *recording.Recording
	// RecordOnly fetches the whole window and judges nothing.
	RecordOnly bool
	// Bounded: the window ends where the config's steps end, and may become no longer.
	Bounded bool
	// Preflight asks for a few steps before the first one right away, so that what is
	// wrong with the queries or the keys shows at once.
	Preflight bool
	Progress  Progress
	// SetStage gives the canary the traffic of a stage of the config's ramp, from 0. Nil: no
	// traffic is moved, as in a replay.
	SetStage func(ctx context.Context, stage int) error
	// Clock tells the time; nil for the system's.
	Clock Clock
}

// Progress is told how a run goes.
type Progress interface {
	// Wait is called before a wait for the next step.
	Wait(until time.Time)
	// Look is called after each look.
	Look(Look)
	// Trouble is called when a fetch failed and will be tried again.
	Trouble(error)
	// Note is called with what is worth knowing early.
	Note(string)
}

// Look is one evaluation of all metrics.
type Look struct {
	Number  int       // from 1
	Planned int       // looks in all
	Time    time.Time // end of its last step
	Verdict analysis.Verdict
	// Judge gives what is known so far; nil when nothing is judged.
	Judge *analysis.Judge
	// Pairs is what the step showed of each metric, Guards what each guard said after it.
	Pairs  []analysis.Pair
	Guards []recording.Sighting
	// Settling: the step is not judged, since the traffic changed in it or just before.
	Settling bool
}

// End is why a run ended.
type End string

// The ends.
const (
	AtVerdict     End = "verdict"     // a look gave the verdict
	AtWindowEnd   End = "window"      // all planned looks were taken
	AtInterrupt   End = "interrupted" // by a signal
	AtError       End = "error"       // the provider broke off
	AtTheFilesEnd End = "file"        // a recording holds no more
	GoesOn        End = "running"     // not at all yet: this is of what there is so far
)

// Outcome is what a run comes to.
type Outcome struct {
	Result analysis.Result
	Ended  End
	Detail string // of an error
	// Start is the beginning of the warm-up, Steps the steps fetched of the planned
	// ones, warm-up included.
	Start          time.Time
	Fetched, Total int
	Times          []time.Time // starts of the steps, warm-up included
	// Samples of each metric and arm, a step each, warm-up included.
	Samples map[providers.Arm][][]analysis.Sample
	// Trajectory is how the effects developed, at every Stride-th look and the last.
	Trajectory []Waypoint
	Stride     int
	// Clamped counts, a metric, the points whose bad counts were a hair above their
	// totals, as extrapolation can make them.
	Clamped []int
	// History is what was looked at before the first step; nil = nothing.
	History *History
	// Diagnoses are what was found out about metrics without data, or without bad events.
	Diagnoses []recording.Diagnosis
	// Guards are what the config's guards said at the last look, as the result has it, with
	// the words of each.
	Guards []recording.Sighting
	// Ramp is how far the run was in its ramp at its last look; nil without one. Stages are
	// those that were set, StageOf is the place among them that each step lies in, -1 before the
	// first, and Left is the last one: the traffic as the run left it.
	Ramp    *analysis.RampState
	Stages  []StageRun
	StageOf []int
	Left    recording.Stage
}

// Waypoint is what was known at a look.
type Waypoint struct {
	Look      int
	Verdict   analysis.Verdict
	Effects   []analysis.Effect
	Decisions []analysis.Decision
}

// mostWaypoints bounds metrics times waypoints kept; more are thinned out evenly.
const mostWaypoints = 5000

// block is how many steps a replay takes at once: enough to be quick, and few
// enough to keep the memory for them small.
const block = 32

// patience is how many steps a passing trouble may outlast the window's end.
const patience = 4

// underWay is a Job under way.
type underWay struct {
	*Job
	grid   grid
	now    func() time.Time // by a clock that nobody sets
	judge  *analysis.Judge
	source map[string]providers.Provider
	// recorders are those of source that record; none in a replay.
	recorders map[string]*recording.Recorder
	series    *samples
	seen      *recording.Recording // what guards said, and what was revised
	glanced   time.Time            // since when the preflight has seen the data; zero = not
	asked     time.Time            // when the source answered last
	revised   int                  // revisions that the judge knows of
	lateSaid  bool
	doubted   bool // that a guard is not quiet has been noted
	fetched   int  // steps
	started   int  // steps whose checks were started, or will not be
	answered  bool
	failures  int // in a row, after the window's end
	warned    bool
	holds     analysis.Hold // that was said last
	outcome   *Outcome
}

// Run carries out the job. Its outcome is there whatever happens; the error says
// what kept it from a verdict.
func (j *Job) Run(ctx context.Context) (*Outcome, error) {
	learned, failed := j.learn(ctx)
	r, err := j.prepare(learned)
	if err != nil {
		return nil, err
	}
	end, err := AtError, failed
	if err == nil && learned != nil {
		r.noteChances()
	}
	if err == nil {
		end, err = r.loop(ctx)
	}
	if ctx.Err() != nil && err != nil {
		end, err = AtInterrupt, nil
	}
	if err != nil {
		end = AtError
		r.outcome.Detail = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	r.finish(end)
	return r.outcome, err
}

// prepare sets up a run, with what was learned before it; nil = nothing.
func (j *Job) prepare(learned *past) (*underWay, error) {
	judge, err := analysis.NewJudge(j.Config.Plan)
	if err != nil {
		return nil, err
	}
	w := j.Config.Window
	total := w.Warmup + w.Steps
	r := &underWay{Job: j, judge: judge, source: maps.Clone(j.Providers), now: steady(j.Clock)}
	r.grid = grid{start: j.Start, step: w.Step, steps: total}
	if j.Times != nil {
		r.grid = irregular(j.Times)
	}
	if j.Recording != nil {
		r.record()
	}
	if r.seen = j.Sightings; r.seen == nil {
		r.seen = j.Recording
	}
	if r.seen == nil {
		r.seen = &recording.Recording{}
	}
	if len(r.seen.Stages) == 0 && j.SetStage == nil && j.Config.Plan.Ramp != nil {
		why := "the recording has no stages"
		if j.Sightings == nil {
			why = "this run moves no traffic"
		}
		j.Config.Unstaged(why)
		if r.judge, err = analysis.NewJudge(j.Config.Plan); err != nil {
			return nil, err
		}
	}
	if err := r.checkStages(); j.Config.Plan.Ramp != nil && err != nil {
		return nil, err
	}
	r.series = newSamples(j.Config, r.grid)
	if learned != nil {
		for i := range j.Config.Metrics {
			copy(r.series.of[providers.Baseline][i], learned.baseline(i))
		}
	}
	r.outcome = &Outcome{Start: r.grid.time(0), Total: total, Times: r.grid.all(), Samples: r.series.of, Clamped: r.series.clamped}
	if learned != nil {
		r.outcome.History = &learned.History
	}
	r.outcome.Stride = max(1, (len(j.Config.Metrics)*w.Steps+mostWaypoints-1)/mostWaypoints)
	return r, nil
}

// loop fetches and judges until the end.
func (r *underWay) loop(ctx context.Context) (End, error) {
	total := r.outcome.Total
	if r.Preflight {
		if err := r.preflight(ctx); err != nil {
			return "", err
		}
		// The newest of many steps at once are judged only after a second look at them.
		if n := r.ready(r.now()); n > 0 && r.grid.end(n-1).After(r.glanced) {
			if err := r.wait(ctx); err != nil {
				return "", err
			}
		}
	}
	if err := r.firstStage(ctx); err != nil {
		return "", err
	}
	for {
		if err := r.start(ctx); err != nil {
			return "", err
		}
		ready := r.ready(r.now())
		if ready > r.fetched {
			end, err := r.advance(ctx, ready)
			if end != "" || err != nil {
				return end, err
			}
			if err := r.goOn(ctx); err != nil {
				return "", err
			}
		}
		switch {
		case r.fetched == total:
			return AtWindowEnd, nil
		case !r.Available.IsZero() && r.ready(time.Time{}) > r.fetched:
			continue
		case !r.Available.IsZero():
			return AtTheFilesEnd, nil
		}
		if err := r.wait(ctx); err != nil {
			return "", err
		}
	}
}

// ready returns the number of steps that can be fetched: those that have ended,
// and whose late data has had its time.
func (r *underWay) ready(now time.Time) int {
	if !r.Available.IsZero() {
		return min(r.grid.before(r.Available), r.fetched+block)
	}
	return r.grid.before(now.Add(-r.Config.Window.Lag))
}

// wait sleeps until the next step is ready, or for a step after a failure; or until
// checks are to be started.
func (r *underWay) wait(ctx context.Context) error {
	until := r.grid.end(r.fetched).Add(r.Config.Window.Lag)
	if now := r.now(); !until.After(now) {
		until = now.Add(r.Config.Window.Step)
	}
	r.Progress.Wait(until)
	if step, some := r.due(max(r.started, r.grid.before(r.now()))); some && r.grid.time(step).Before(until) {
		until = r.grid.time(step)
	}
	timer := time.NewTimer(until.Sub(r.now()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// advance fetches up to the given number of steps and judges the new ones. A
// trouble that may pass leaves everything as it was.
func (r *underWay) advance(ctx context.Context, ready int) (End, error) {
	err := r.fetch(ctx, ready)
	if err == nil {
		err = r.watch(ctx, ready)
	}
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if !r.mayPass(err) {
			return "", err
		}
		if ready == r.outcome.Total {
			if r.failures++; r.failures >= patience {
				return "", err
			}
		}
		r.Progress.Trouble(err)
		return "", nil
	}
	r.answered, r.failures = true, 0
	first := r.fetched
	if err := r.keepRevisions(ready); err != nil {
		return "", err
	}
	r.fetched = ready
	if r.File != nil {
		if err := r.File.Look(r.mark(ready), r.grid.end(ready-1)); err != nil {
			return "", err
		}
	}
	if r.Recording != nil {
		r.Recording.Look(r.grid.end(ready - 1))
	}
	if first == 0 {
		r.noteFirst()
	}
	if r.RecordOnly {
		r.Progress.Look(Look{Number: ready, Planned: r.outcome.Total, Time: r.grid.end(ready - 1)})
		return "", nil
	}
	for step := max(first, r.Config.Window.Warmup); step < ready; step++ {
		verdict, err := r.look(step)
		if err != nil {
			return "", err
		}
		if verdict != analysis.VerdictInconclusive {
			return AtVerdict, nil
		}
		if err := r.diagnose(ctx, step); err != nil {
			return "", err
		}
	}
	return "", nil
}

// mayPass reports whether to go on after an error. The first answer must come:
// what fails from the start is more likely wrong than unlucky.
func (r *underWay) mayPass(err error) bool {
	if !r.Available.IsZero() || !r.answered {
		return false
	}
	var e *web.Error
	return web.Passing(err) || errors.As(err, &e) && e.Class == web.Shape
}

// look takes the look after a step.
func (r *underWay) look(step int) (analysis.Verdict, error) {
	pairs, guards := r.series.pairs(step), r.sighted(step)
	in := r.stageOf(step)
	verdict, err := r.judge.Step(analysis.Look{
		Pairs: pairs, Guards: states(guards), Revisions: r.newRevisions(step), Stage: in.stage, Settling: in.settling,
	})
	if err != nil {
		return verdict, fmt.Errorf("step %s: %w", r.grid.time(step).Format(time.RFC3339), err)
	}
	r.outcome.Guards = guards
	r.warnOfExposure()
	r.noteLateness()
	if r.judge.Looks()%r.outcome.Stride == 0 && verdict == analysis.VerdictInconclusive {
		r.waypoint()
	}
	r.Progress.Look(Look{
		Number: r.judge.Looks(), Planned: r.Config.Window.Steps, Time: r.grid.end(step), Verdict: verdict, Judge: r.judge,
		Pairs: pairs, Guards: guards, Settling: in.settling,
	})
	return verdict, nil
}

// warnOfExposure says once, and early, that a canary with this traffic will not
// pass.
func (r *underWay) warnOfExposure() {
	if e := r.judge.Exposure(); e != nil && e.Off && !r.warned {
		r.warned = true
		r.Progress.Note(fmt.Sprintf("the canary gets %.3g%% of the requests where %.3g%% are expected: it cannot pass like that", 100*e.Observed, 100*e.Expected))
	}
}

// waypoint keeps what is known after the last look.
func (r *underWay) waypoint() {
	r.outcome.Trajectory = append(r.outcome.Trajectory, Waypoint{
		Look: r.judge.Looks(), Verdict: r.judge.Verdict(), Effects: r.judge.Effects(), Decisions: r.judge.Decisions(),
	})
}

// finish completes the outcome.
func (r *underWay) finish(end End) {
	r.outcome.Ended, r.outcome.Fetched = end, r.fetched
	r.outcome.Result = r.judge.Result()
	r.outcome.Diagnoses = r.seen.Diagnoses
	r.noteStages(end)
	looks := r.judge.Looks()
	if n := len(r.outcome.Trajectory); looks > 0 && (n == 0 || r.outcome.Trajectory[n-1].Look != looks) {
		r.waypoint()
	}
}
