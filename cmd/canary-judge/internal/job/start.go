package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Starts reports whether a run of this config starts checks.
func Starts(c *config.Config) bool {
	return slices.ContainsFunc(c.Metrics, func(m config.Metric) bool { return m.Every > 0 })
}

// live reports whether the run meets its steps as they come.
func (r *underWay) live() bool { return r.Available.IsZero() }

// due returns the step for which checks are to be started next, from the given one on,
// and false when there is none.
func (r *underWay) due(from int) (int, bool) {
	w := r.Config.Window
	for step := max(from, w.Warmup); step < r.grid.steps; step++ {
		if slices.ContainsFunc(r.Config.Metrics, func(m config.Metric) bool { return startsAt(m, w, step) }) {
			return step, true
		}
	}
	return 0, false
}

// startsAt reports whether a metric's checks are started for a step. Those of the
// warm-up would count for nothing.
func startsAt(m config.Metric, w config.Window, step int) bool {
	return m.Every > 0 && (step-w.Warmup)%m.Every == 0
}

// start starts the checks of the step that is under way, once. That it could not is no
// trouble of the run if it may pass: the step is a gap then.
func (r *underWay) start(ctx context.Context) error {
	now := r.grid.before(r.now())
	step, some := r.due(max(r.started, now))
	if !r.live() || !some || step != now || r.now().Before(r.grid.time(step)) {
		return nil
	}
	r.started = step + 1
	queries := map[string][]providers.Query{}
	for _, p := range places(r.Config, r.grid.time(step), r.grid.end(step)) {
		if m := r.Config.Metrics[p.metric]; startsAt(m, r.Config.Window, step) {
			queries[m.Provider] = append(queries[m.Provider], p.query)
		}
	}
	ctx, cancel := r.lookContext(ctx)
	defer cancel()
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		err := providers.Start(ctx, r.Providers[name], queries[name], r.Config.Window.Step+r.Config.Window.Lag)
		switch {
		case err == nil:
		case errors.Is(err, errors.ErrUnsupported):
			return fmt.Errorf("the provider %s has no checks to start", name)
		case !web.Passing(err):
			return err
		default:
			r.Progress.Trouble(err)
		}
	}
	return nil
}
