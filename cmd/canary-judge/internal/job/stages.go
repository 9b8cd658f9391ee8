package job

import (
	"context"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// StageRun is a stage of a ramp as it went.
type StageRun struct {
	recording.Stage
	// First and Last are the looks at the first and the last step that was judged in it, 0 for
	// none.
	First, Last int
	Judged      int // steps
}

// settling is how far a step of a ramp is from what can be judged.
type settling struct {
	stage    int  // from 0
	settling bool // the traffic changed in the step, or had just changed
}

// stageOf returns the stage that a step lies in: the last one that had begun when it ended.
func (r *underWay) stageOf(step int) settling {
	if r.judgedAsOne() {
		return settling{}
	}
	at := r.setBefore(r.grid.end(step))
	if at < 0 {
		return settling{settling: true}
	}
	s := r.seen.Stages[at]
	set := s.Done.Add(r.Config.Stages[s.Number-1].Warmup)
	return settling{s.Number - 1, s.Done.IsZero() || r.grid.time(step).Before(set)}
}

// setBefore returns the place of the last stage that had begun by then, -1 for none.
func (r *underWay) setBefore(end time.Time) int {
	at := -1
	for i, s := range r.seen.Stages {
		if s.Began.Before(end) {
			at = i
		}
	}
	return at
}

// judgedAsOne reports whether there is no ramp.
func (r *underWay) judgedAsOne() bool { return r.Config.Plan.Ramp == nil }

// checkStages reports stages of a recording that are none of the config's.
func (r *underWay) checkStages() error {
	stages := r.Config.Stages
	for _, s := range r.seen.Stages {
		if s.Number > len(stages) || s.Share != stages[s.Number-1].Share {
			return fmt.Errorf("the recording has stage %d with %.4g%% of the traffic, and the config has not; leave out -c, or give the stages that were recorded", s.Number, 100*s.Share)
		}
	}
	return nil
}

// firstStage sets the first stage of a live ramp; of one that is resumed, the stage that it
// was in if that was not done, or is not any more.
func (r *underWay) firstStage(ctx context.Context) error {
	if r.SetStage == nil || r.judgedAsOne() {
		return nil
	}
	set := r.seen.Stages
	if len(set) == 0 {
		return r.setStage(ctx, 0, r.now())
	}
	if last := set[len(set)-1]; last.Done.IsZero() {
		return r.setStage(ctx, last.Number-1, last.Began)
	}
	return nil
}

// goOn sets the next stage of a live ramp once the evidence allows it.
func (r *underWay) goOn(ctx context.Context) error {
	state := r.judge.Ramp()
	if r.SetStage == nil || state == nil || r.judge.Looks() == 0 || r.fetched == r.outcome.Total {
		return nil
	}
	if set := r.seen.Stages; len(set) == 0 || set[len(set)-1].Number-1 != state.Stage {
		return nil // it is set, and none of its steps judged yet
	}
	if state.Hold == analysis.NoHold && r.tooShort(state) {
		state.Hold = analysis.HoldForWindow
	}
	if state.Hold != analysis.NoHold || state.Stage == state.Stages-1 {
		r.noteHold(state)
		return nil
	}
	r.holds = analysis.NoHold
	return r.setStage(ctx, state.Stage+1, r.now())
}

// tooShort reports whether the rest of the window leaves no time for the stages that are left:
// more users would meet a canary that cannot pass any more.
func (r *underWay) tooShort(state *analysis.RampState) bool {
	needed := 0
	for i, s := range r.Config.Plan.Ramp.Stages {
		if i > state.Stage && (!r.Config.Plan.Ramp.Early || i == state.Stage+1) {
			needed += s.Steps + int((r.Config.Stages[i].Warmup+r.grid.step-1)/r.grid.step)
		}
	}
	return needed > r.outcome.Total-r.fetched
}

// noteHold says what keeps a ramp in its stage, once it has lasted as long as it has to.
func (r *underWay) noteHold(state *analysis.RampState) {
	if state.Hold == r.holds || state.Hold == analysis.HoldForTime || state.Hold == analysis.NoHold {
		return
	}
	r.holds = state.Hold
	r.Progress.Note("the ramp stays " + StageText(state.Stage, state.Stages, state.Share) + ": " + HoldText(state))
}

// StageText names a stage: at 10% (stage 2 of 3).
func StageText(stage, stages int, share float64) string {
	return fmt.Sprintf("at %.4g%% (stage %d of %d)", 100*share, stage+1, stages)
}

// HoldText says why a ramp stays in its stage.
func HoldText(s *analysis.RampState) string {
	switch s.Hold {
	case analysis.HoldForHarm:
		return fmt.Sprintf("at the worst that the evidence on %s allows, up to %.3g more requests would fail in the next stage, and %.3g may", s.Metric, s.Harm, s.AtMost)
	case analysis.HoldForLook:
		return s.Metric + " could not be looked at yet"
	case analysis.HoldForTolerance:
		return "the estimate of " + s.Metric + " lies beyond its tolerance"
	case analysis.HoldForGuard:
		return s.Metric + " is not quiet"
	}
	return string(s.Hold)
}

// setStage has the canary given a stage's share of the traffic. The recording says so before
// and after: who resumes the run sets a stage that was not done again.
func (r *underWay) setStage(ctx context.Context, stage int, began time.Time) error {
	s := recording.Stage{Number: stage + 1, Share: r.Config.Stages[stage].Share, Look: r.judge.Looks(), Began: began.UTC().Truncate(time.Millisecond)}
	text := StageText(stage, len(r.Config.Stages), s.Share)
	if err := r.keepStage(s); err != nil {
		return err
	}
	r.warned = false
	if err := r.SetStage(ctx, stage); err != nil {
		return fmt.Errorf("give the canary its traffic %s: %w", text, err)
	}
	// By a clock that is set back in between the traffic would have changed before it began.
	s.Done = later(r.now().UTC().Truncate(time.Millisecond), s.Began)
	if err := r.keepStage(s); err != nil {
		return err
	}
	r.Progress.Note("the canary has its traffic " + text)
	return nil
}

// keepStage records a stage.
func (r *underWay) keepStage(s recording.Stage) error {
	if err := r.seen.SetStage(s); err != nil {
		return err
	}
	if r.File == nil {
		return nil
	}
	end := r.grid.time(0)
	if r.fetched > 0 {
		end = r.grid.end(r.fetched - 1)
	}
	return r.File.Stage(end, s)
}

// noteStages puts the stages that were set into the outcome.
func (r *underWay) noteStages(end End) {
	if r.judgedAsOne() {
		return
	}
	r.outcome.Ramp = r.judge.Ramp()
	if state := r.outcome.Ramp; state.Hold == analysis.NoHold && state.Stage < state.Stages-1 && r.tooShort(state) {
		state.Hold = analysis.HoldForWindow
	}
	for _, s := range r.seen.Stages {
		if end == AtVerdict && s.Look >= r.judge.Looks() {
			break // another config came to its verdict later
		}
		r.outcome.Stages = append(r.outcome.Stages, StageRun{Stage: s})
	}
	warmup := r.Config.Window.Warmup
	for look := 1; look <= r.judge.Looks(); look++ {
		step := warmup + look - 1
		at := min(r.setBefore(r.grid.end(step)), len(r.outcome.Stages)-1)
		if at < 0 || r.stageOf(step).settling {
			continue
		}
		run := &r.outcome.Stages[at]
		if run.Judged == 0 {
			run.First = look
		}
		run.Last = look
		run.Judged++
	}
	for step := range r.grid.steps {
		r.outcome.StageOf = append(r.outcome.StageOf, min(r.setBefore(r.grid.end(step)), len(r.outcome.Stages)-1))
	}
	// The judge does not know of a stage before a step of it has ended.
	if n := len(r.outcome.Stages); n > 0 {
		r.outcome.Left = r.outcome.Stages[n-1].Stage
	}
}
