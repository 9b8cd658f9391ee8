package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// History is what a run looked at before its first step, and is judged with.
type History struct {
	recording.History
	// Hash is the SHA-256 of the numbers that count, in hexadecimal.
	Hash string
}

// historyTime bounds the requests for all of a history: they are for many times what a look
// asks for.
const historyTime = 2 * time.Minute

// With history the first looks can fail, and a cold start be found as a regression
// (docs/statistics/history.md, section 9): so long a warm-up holds where the config does not
// say how long; beyond the fewest steps at most this share of the window.
const (
	learnedWarmup      = 3 * time.Minute
	learnedWarmupSteps = 3
	learnedWarmupShare = 10
)

// learn has the plan's metrics learn from the time before the run: from what a recording
// holds of it or, at the start of a live run, from the sources. It may make the warm-up longer.
// It returns nil where there is no history.
func (j *Job) learn(ctx context.Context) (*past, error) {
	c, from := j.Config, j.Sightings
	if !c.AnyLearns() {
		return nil, nil
	}
	live := false
	if from == nil {
		from = j.Recording
		live = from != nil && from.History == nil && from.Judged.IsZero()
	}
	if live {
		h, err := j.lookBack(ctx)
		if err != nil && !c.History.Asked {
			err = fmt.Errorf("%w; with history: off a run does without what was before it", err)
		}
		if err != nil {
			return nil, err
		}
		from.History = h
	}
	switch { // a replay is judged with what the run knew
	case from != nil && from.History != nil && from.History.By == c.History.Instances && (len(from.History.Back) > 0) == (c.History.Days > 0):
	case c.History.Instances != "":
		return nil, fmt.Errorf("the recording holds no instances by %s, which history.instances asks for; leave that out of the config", c.History.Instances)
	case c.History.Days > 0:
		return nil, errors.New("the recording holds no earlier windows, which history.days asks for; leave that out of the config")
	default:
		return nil, nil
	}
	p := &past{config: c, History: History{History: *from.History}}
	if err := p.read(ctx, from, LearnedWarmup(c.Window)+c.Window.Steps); err != nil {
		return nil, err
	}
	if err := j.raiseWarmup(p); err != nil {
		return nil, err
	}
	var err error
	if p.Hash, err = p.hash(from); err != nil || !live {
		return p, err
	}
	p.Warmup, p.Steps = c.Window.Warmup, c.Window.Steps
	from.History = &p.History.History
	if j.File == nil {
		return p, nil
	}
	return p, j.File.History(p.History.History)
}

// LearnedWarmup returns the number of steps of the warm-up where history is used.
func LearnedWarmup(w config.Window) int {
	if !w.WarmupAssumed {
		return w.Warmup
	}
	long := min(int((learnedWarmup+w.Step-1)/w.Step), w.Steps/learnedWarmupShare)
	return max(w.Warmup, learnedWarmupSteps, long)
}

// raiseWarmup gives the metrics what they learn from, and makes the warm-up longer if any
// uses it.
func (j *Job) raiseWarmup(p *past) error {
	c := j.Config
	p.give()
	more := LearnedWarmup(c.Window) - c.Window.Warmup
	if more <= 0 {
		return nil
	}
	judge, err := analysis.NewJudge(c.Plan)
	if err != nil {
		return err
	}
	used := func(m analysis.MetricResult) bool { return m.Learned != nil && m.Learned.Cause == "" }
	if !slices.ContainsFunc(judge.Result().Metrics, used) {
		return nil
	}
	if j.Bounded {
		more = min(more, c.Window.Steps-analysis.LeastSteps)
		c.SetSteps(c.Window.Steps - more)
	}
	c.Window.Warmup += more
	p.give()
	return nil
}

// lookBack asks the sources for what lies before the run, and records it.
func (j *Job) lookBack(ctx context.Context) (*recording.History, error) {
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	c, step := j.Config, j.Config.Window.Step
	h := &recording.History{Start: j.Start, By: c.History.Instances}
	there := steady(j.Clock)().Add(-c.Window.Lag).Truncate(step) // what lies before has had its time to arrive
	if c.History.Days > 0 {
		length := time.Duration(LearnedWarmup(c.Window)+c.Window.Steps) * step
		h.Back = c.Windows(j.Start)
		if len(h.Back) > 0 && j.Start.Add(length-h.Back[0]).After(there) {
			return nil, fmt.Errorf("history: the window %s before the run is not over yet", providers.Duration(h.Back[0]))
		}
		for _, back := range slices.Backward(h.Back) { // points are recorded by ascending time
			from := j.Start.Add(-back)
			if err := j.keep(ctx, h, baselineOnly, from, from.Add(length)); err != nil {
				return nil, err
			}
		}
		return h, nil
	}
	h.To = earlier(j.Start, there)
	if until := c.History.Until; until.Given() {
		h.To = earlier(h.To, until.Before(j.Start).Truncate(step))
	}
	h.From = h.To.Add(-c.History.Length)
	if since := c.History.Since; since.Given() {
		h.From = later(h.From, up(since.Before(j.Start), step))
	}
	h.From = earlier(h.From, h.To)
	h.Since = h.From
	if h.From.Equal(h.To) {
		h.Notes = append(h.Notes, "nothing is left of the history between history.since and its end")
		return h, nil
	}
	if c.History.Instances != "" {
		return h, j.keepInstances(ctx, h)
	}
	return h, j.keep(ctx, h, bothArms, h.From, h.To)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// up returns the first start of a step at a time or later.
func up(at time.Time, step time.Duration) time.Time {
	if down := at.Truncate(step); down.Before(at) {
		return down.Add(step)
	}
	return at
}

func bothArms(providers.Arm) bool         { return true }
func baselineOnly(arm providers.Arm) bool { return arm == providers.Baseline }

// pastPlaces lists the queries of the metrics that learn, at the time that is said whatever
// the arms' offsets.
func pastPlaces(c *config.Config, arms func(providers.Arm) bool, from, to time.Time) []place {
	there := *c
	there.Arms = map[providers.Arm]config.Arm{}
	return slices.DeleteFunc(places(&there, from, to), func(p place) bool {
		return !c.Learns(p.metric) || !arms(p.query.Arm)
	})
}

// keep asks for some time before the run and records it. A metric of which several series
// match has no history, which is noted: what the run asks for may still be one.
func (j *Job) keep(ctx context.Context, h *recording.History, arms func(providers.Arm) bool, from, to time.Time) error {
	byProvider := map[string][]providers.Query{}
	for _, p := range pastPlaces(j.Config, arms, from, to) {
		name := j.Config.Metrics[p.metric].Provider
		byProvider[name] = append(byProvider[name], p.query)
	}
	for _, name := range slices.Sorted(maps.Keys(byProvider)) {
		recorder := recording.Recorder{Next: j.Providers[name], To: j.Recording, File: j.File}
		answers, err := recorder.Fetch(ctx, byProvider[name])
		if err != nil {
			return fmt.Errorf("fetch the history: %w", err)
		}
		var errs []error
		for i, a := range answers {
			q := byProvider[name][i]
			if len(a.Series) > 1 {
				note := fmt.Sprintf("%s has no history of the %s: before the run the query matched %d series, such as %s", q.Metric, q.Arm, len(a.Series), examples(a.Series))
				if !slices.Contains(h.Notes, note) {
					h.Notes = append(h.Notes, note)
				}
				continue
			}
			at := slices.IndexFunc(j.Config.Metrics, func(m config.Metric) bool { return m.Name == q.Metric })
			errs = append(errs, CheckAnswer(q, a, j.Config.Metrics[at].Unit))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("fetch the history: %w", err)
		}
	}
	return nil
}
