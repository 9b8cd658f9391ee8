package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// place says which metric a query is for.
type place struct {
	metric int
	query  providers.Query
}

// Queries returns the queries of a config over a window, by provider.
func Queries(c *config.Config, start, end time.Time) map[string][]providers.Query {
	all := map[string][]providers.Query{}
	for _, p := range places(c, start, end) {
		name := c.Metrics[p.metric].Provider
		all[name] = append(all[name], p.query)
	}
	return all
}

// places lists the queries of all metrics.
func places(c *config.Config, start, end time.Time) []place {
	var all []place
	for i, m := range c.Metrics {
		for _, arm := range providers.Arms {
			offset := c.Arms[arm].Offset
			for _, part := range providers.Parts {
				expr, ok := m.Queries[part][arm]
				if !ok {
					continue
				}
				all = append(all, place{i, providers.Query{
					Metric: m.Name, Arm: arm, Part: part, Expr: expr, Step: c.Window.Step,
					Start: start.Add(-offset), End: end.Add(-offset),
					Complement: m.Complement && part == providers.Bad,
				}})
			}
		}
	}
	return all
}

// fetch asks for the steps up to the given number and takes in the new ones.
func (r *underWay) fetch(ctx context.Context, ready int) error {
	from := r.grid.time(r.fetched)
	if r.Available.IsZero() {
		from = r.again()
	}
	to := r.grid.end(ready - 1)
	all := slices.DeleteFunc(places(r.Config, from, to), func(p place) bool {
		return p.query.Arm == providers.Baseline && r.Config.FromDays(p.metric) // it is known already
	})
	byProvider := map[string][]int{}
	for i, p := range all {
		name := r.Config.Metrics[p.metric].Provider
		byProvider[name] = append(byProvider[name], i)
	}
	ctx, cancel := r.lookContext(ctx)
	defer cancel()
	answers := make([]providers.Answer, len(all))
	for _, name := range slices.Sorted(maps.Keys(byProvider)) {
		at := byProvider[name]
		queries := make([]providers.Query, len(at))
		for n, i := range at {
			queries[n] = all[i].query
		}
		got, err := r.source[name].Fetch(ctx, queries)
		if err != nil {
			return err
		}
		for n, i := range at {
			answers[i] = got[n]
		}
	}
	var errs []error
	for i, p := range all {
		errs = append(errs, CheckAnswer(p.query, answers[i], r.Config.Metrics[p.metric].Unit))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, p := range all {
		for _, s := range answers[i].Series {
			if err := r.series.take(p, s, r.fetched, ready); err != nil {
				return err
			}
		}
	}
	return r.checkSpacing(ready)
}

// again returns from where on steps are fetched again, those that the preflight saw
// before the window among them.
func (r *underWay) again() time.Time {
	from, earliest := r.grid.time(r.fetched).Add(-time.Duration(r.overlap())*r.grid.step), r.grid.time(0)
	if !r.glanced.IsZero() && r.glanced.Before(earliest) {
		earliest = r.glanced
	}
	if from.Before(earliest) {
		return earliest
	}
	return from
}

// preflightSteps is how many steps before the window must have data.
const preflightSteps = 5

// preflight asks for some steps before the window. What comes back is neither
// recorded nor judged; an error ends the run before it has cost any time. The steps are
// those that the first look asks for again, so that data that come late show before
// anything is judged.
func (r *underWay) preflight(ctx context.Context) error {
	to := r.now().UTC().Add(-r.Config.Window.Lag).Truncate(r.Config.Window.Step)
	from := to.Add(-time.Duration(r.overlap()) * r.Config.Window.Step)
	recent := to.Add(-preflightSteps * r.Config.Window.Step)
	ctx, cancel := r.lookContext(ctx)
	defer cancel()
	byProvider := map[string][]place{}
	for _, p := range places(r.Config, from, to) {
		name := r.Config.Metrics[p.metric].Provider
		byProvider[name] = append(byProvider[name], p)
	}
	var errs []error
	var silent []string
	var first *place // of the silent ones
	for _, name := range slices.Sorted(maps.Keys(byProvider)) {
		var queries []providers.Query
		for _, p := range byProvider[name] {
			queries = append(queries, p.query)
		}
		answers, err := r.glance(ctx, name, queries)
		if err != nil {
			return err
		}
		for i, p := range byProvider[name] {
			answers[i].Series = recording.Since(answers[i].Series, recent.Add(-r.Config.Arms[p.query.Arm].Offset))
			errs = append(errs, CheckAnswer(p.query, answers[i], r.Config.Metrics[p.metric].Unit))
			m := r.Config.Metrics[p.metric]
			expected := m.Every == 0 && (m.Of == "" || p.query.Part != providers.Bad) // in a segment it may be that nothing fails
			if p.query.Arm == providers.Baseline && len(answers[i].Series) == 0 && expected {
				silent = append(silent, fmt.Sprintf("%s (%s)", p.query.Metric, p.query.Part))
				if first == nil {
					first = &p
				}
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	said, err := r.ask(ctx)
	if err != nil {
		return err
	}
	r.noteGuards(said)
	if len(silent) > 0 {
		r.Progress.Note(fmt.Sprintf("going on, but the baseline had no data in the last %d steps for %s%s",
			preflightSteps, shortened(silent), r.why(ctx, *first)))
	}
	r.answered, r.glanced, r.asked = true, from, r.now()
	return nil
}

// mostSilent is how many silent queries a note names.
const mostSilent = 6

// shortened lists what is silent.
func shortened(silent []string) string {
	if more := len(silent) - mostSilent; more > 1 {
		silent = append(silent[:mostSilent:mostSilent], fmt.Sprintf("%d more", more))
	}
	return strings.Join(silent, ", ")
}

// why explains a query that nothing matched, where its provider can. That it cannot
// find out is no trouble of the run.
func (r *underWay) why(ctx context.Context, p place) string {
	text, err := providers.Diagnose(ctx, r.Providers[r.Config.Metrics[p.metric].Provider], p.query)
	if err != nil || text == "" {
		return ""
	}
	return "; " + text
}

// shortestLook is the least time that the requests of a look get, however short
// the steps are.
const shortestLook = 20 * time.Second

// lookContext bounds the requests of a look, retries included, by the time until
// the next one.
func (r *underWay) lookContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if !r.Available.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, max(r.Config.Window.Step, shortestLook))
}

// CheckAnswer reports what makes an answer unfit to be judged: an error of its
// own, several series where one is compared, or another unit than the config
// says.
func CheckAnswer(q providers.Query, a providers.Answer, unit string) error {
	if a.Err != nil {
		return a.Err
	}
	if n := len(a.Series); n > 1 {
		return providers.Place(q, &web.Error{
			Class: web.BadQuery, Doing: fmt.Sprintf("matched %d series, such as %s", n, examples(a.Series)),
			Cure: "aggregate them, such as with sum(…), or narrow the labels: one series of each arm is compared",
		})
	}
	for _, s := range a.Series {
		if (q.Part == providers.Value || q.Part == providers.Buckets) && s.Unit != "" && unit != "" && s.Unit != unit {
			return providers.Place(q, &web.Error{
				Class: web.BadQuery, Doing: fmt.Sprintf("the source gives %s, the config says %s", s.Unit, unit),
				Cure: "write unit: " + s.Unit,
			})
		}
	}
	return nil
}

// examples names the first two of several series.
func examples(all []analysis.Series) string {
	var names []string
	for _, s := range all[:2] {
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			labels = append(labels, name+"="+s.Labels[name])
		}
		names = append(names, "{"+web.Quote(strings.Join(labels, ","))+"}")
	}
	return strings.Join(names, " and ")
}
