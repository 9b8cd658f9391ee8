package prometheus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// How far back a diagnosis looks for samples: so long and so many steps, and no longer.
const (
	diagnosedTime  = 10 * time.Minute
	diagnosedSteps = 10
	longestLookup  = 2 * time.Hour
)

// Diagnose implements providers.Diagnoser: for each selector of the query it asks whether
// there are series, and how often they have samples.
func (p *Provider) Diagnose(ctx context.Context, q providers.Query) (string, error) {
	found, err := lookups(q.Expr)
	if err != nil {
		return "", err
	}
	for _, l := range found {
		why, err := p.silence(ctx, q, l)
		if why != "" || err != nil {
			// It names labels in the server's words, which may repeat the request's headers.
			return web.Quote(why, p.secrets()...), err
		}
	}
	return "each selector of the query finds series with enough samples; try the whole query by hand: its parts may have no labels in common, or nothing happened in these steps", nil
}

// DiagnoseZero implements providers.ZeroDiagnoser. increase and rate count what a series
// grows by, so that a series that comes into being with its first event counts for nothing:
// https://prometheus.io/docs/prometheus/latest/querying/functions/#increase
func (p *Provider) DiagnoseZero(ctx context.Context, q providers.Query) (string, error) {
	found, err := lookups(q.Expr)
	if err != nil {
		return "", err
	}
	back := lookback(q)
	for _, l := range found {
		if !l.ranged {
			continue
		}
		over := l.over(back)
		born := fmt.Sprintf("((max_over_time(%s) == min_over_time(%s)) > 0) unless max_over_time(%s offset %s)", over, over, over, promDuration(back))
		var numbers [2]float64
		for i, f := range []string{"count", "sum"} {
			series, err := p.instant(ctx, q, f+"("+born+")")
			if err != nil {
				return "", err
			}
			numbers[i] = number(series)
		}
		if numbers[0] > 0 {
			return web.Quote(fmt.Sprintf("%.0f series of %s came into being in the %s before, and have not grown since: the %.0f events that they began with count for nothing, as increase needs a sample from before an event; take labels off the counter that differ from event to event, or have the service start it at 0",
				numbers[0], l.describe(), providers.Duration(back), numbers[1]), p.secrets()...), nil
		}
	}
	return "", nil
}

// lookup is a selector of a query.
type lookup struct {
	name    string // of the metric; "" = it is selected otherwise
	filters []metricsql.LabelFilter
	text    string
	ranged  bool // a range of samples is read, by increase and the like
}

// lookups returns the selectors of a query, each once.
func lookups(expr string) ([]lookup, error) {
	e, err := parse(expr)
	if err != nil {
		return nil, err
	}
	var all []lookup
	ranged := map[metricsql.Expr]bool{}
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		if r, ok := e.(*metricsql.RollupExpr); ok && r.Window != nil {
			ranged[r.Expr] = true
		}
	})
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		m, ok := e.(*metricsql.MetricExpr)
		if !ok || len(m.LabelFilterss) == 0 {
			return
		}
		l := lookup{text: string(m.AppendString(nil)), ranged: ranged[e]}
		if len(m.LabelFilterss) == 1 {
			for _, f := range m.LabelFilterss[0] {
				if f.Label == "__name__" && !f.IsNegative && !f.IsRegexp {
					l.name = f.Value
					continue
				}
				l.filters = append(l.filters, f)
			}
		}
		if !slices.ContainsFunc(all, func(o lookup) bool { return o.text == l.text }) {
			all = append(all, l)
		}
	})
	return all, nil
}

// over is the selector over a length of time.
func (l lookup) over(length time.Duration) string { return l.text + "[" + promDuration(length) + "]" }

// describe is what the selector is called in a message.
func (l lookup) describe() string {
	if l.name != "" {
		return l.name
	}
	return l.text
}

func promDuration(d time.Duration) string { return Dialect{}.Step(d) }

// lookback is how far back to look for samples of a query.
func lookback(q providers.Query) time.Duration {
	return min(max(diagnosedTime, diagnosedSteps*q.Step, q.End.Sub(q.Start)), longestLookup)
}

// silence says why a selector gives nothing, "" if it does not tell.
func (p *Provider) silence(ctx context.Context, q providers.Query, l lookup) (string, error) {
	back := lookback(q)
	best, err := p.instant(ctx, q, "topk(1, count_over_time("+l.over(back)+"))")
	if err != nil {
		return "", err
	}
	if len(best) == 0 {
		return p.absence(ctx, q, l, back)
	}
	times, err := p.samples(ctx, q, l, best[0].Labels, back)
	if err != nil || len(times) == 0 {
		return "", err
	}
	last, apart := times[len(times)-1], distance(times)
	switch {
	case last.Before(q.Start):
		return fmt.Sprintf("nothing reports %s any more: its newest sample is of %s, and these steps begin at %s",
			l.describe(), last.Format(time.TimeOnly), q.Start.Format(time.TimeOnly)), nil
	case l.ranged && len(times) == 1:
		return fmt.Sprintf("%s has one sample in %s, and increase needs two in a step; use longer steps, or scrape it more often",
			l.describe(), providers.Duration(back)), nil
	case l.ranged && 2*apart > q.Step:
		return fmt.Sprintf("%s has a sample every %s, and increase needs two in a step of %s; set window.step to at least %s, better %s, or scrape it more often",
			l.describe(), providers.Duration(apart), providers.Duration(q.Step), providers.Duration(2*apart), providers.Duration(4*apart)), nil
	}
	return "", nil
}

// distance is the typical distance between times, in whole seconds where it is one or
// more; 0 without two of them.
func distance(times []time.Time) time.Duration {
	var all []time.Duration
	for i := 1; i < len(times); i++ {
		all = append(all, times[i].Sub(times[i-1]))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	d := all[len(all)/2]
	if d >= time.Second {
		return d.Round(time.Second)
	}
	return d
}

// samples returns the times of the samples of one series.
func (p *Provider) samples(ctx context.Context, q providers.Query, l lookup, labels map[string]string, back time.Duration) ([]time.Time, error) {
	var matchers []string
	for _, f := range l.filters {
		if labels[f.Label] == "" { // one that the series must not have
			matchers = append(matchers, string(f.AppendString(nil)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "__name__" {
			matchers = append(matchers, name+"="+strconv.Quote(labels[name]))
		}
	}
	series := l.text
	if l.name != "" {
		series = l.name + "{" + strings.Join(matchers, ",") + "}"
	}
	q.Expr, q.Part, q.Step = "max(timestamp("+series+"))", providers.Value, time.Second
	q.End = q.End.Truncate(time.Second)
	q.Start = q.End.Add(-back.Truncate(time.Second))
	got, err := p.fetch(ctx, q)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	var times []time.Time
	for _, point := range got[0].Points {
		at := time.UnixMilli(int64(point.Value() * 1e3)).UTC()
		// One from before is what the server still shows at the start.
		if !at.Before(q.Start) && (len(times) == 0 || at.After(times[len(times)-1])) {
			times = append(times, at)
		}
	}
	return times, nil
}

// absence says why a selector finds no series.
func (p *Provider) absence(ctx context.Context, q providers.Query, l lookup, back time.Duration) (string, error) {
	if l.name == "" {
		return fmt.Sprintf("there are no series %s in the %s before", l.text, providers.Duration(back)), nil
	}
	if base, is := strings.CutSuffix(l.name, "_bucket"); is {
		native := base + strings.TrimPrefix(l.text, l.name)
		if there, err := p.there(ctx, q, "count_over_time("+native+"["+promDuration(back)+"])"); there || err != nil {
			return fmt.Sprintf("there are no series of %s, and %s has samples: it is a native histogram; write histogram: sum(increase(%s[$step]))", l.name, base, native), err
		}
	}
	known, err := p.there(ctx, q, "count_over_time("+l.name+"["+promDuration(back)+"])")
	if err != nil {
		return "", err
	}
	if !known {
		return fmt.Sprintf("there are no series of %s in the %s before, whatever their labels; check its spelling, and that its targets are scraped (a counter of errors may come into being with the first one)", l.name, providers.Duration(back)), nil
	}
	for _, f := range l.filters {
		one := l.name + "{" + string(f.AppendString(nil)) + "}[" + promDuration(back) + "]"
		matched, err := p.there(ctx, q, "count_over_time("+one+")")
		if err != nil {
			return "", err
		}
		if !matched {
			return p.mismatch(ctx, q, l, f, back)
		}
	}
	return fmt.Sprintf("each label of %s by itself is on series of %s, all of them together on none", l.text, l.name), nil
}

// mismatch says what a label has instead of what is asked for.
func (p *Provider) mismatch(ctx context.Context, q providers.Query, l lookup, f metricsql.LabelFilter, back time.Duration) (string, error) {
	series, err := p.instant(ctx, q, fmt.Sprintf("count by (%s) (count_over_time(%s[%s]))", f.Label, l.name, promDuration(back)))
	if err != nil {
		return "", err
	}
	var values []string
	for _, s := range series {
		if v := s.Labels[f.Label]; v != "" {
			values = append(values, strconv.Quote(v))
		}
	}
	wanted := string(f.AppendString(nil))
	if len(values) == 0 {
		return fmt.Sprintf("nothing matches %s: %s has no label %s", wanted, l.name, f.Label), nil
	}
	const enough = 8
	if n := len(values); n > enough {
		values = append(values[:enough], fmt.Sprintf("%d more", n-enough))
	}
	return fmt.Sprintf("nothing matches %s: the label %s of %s is %s", wanted, f.Label, l.name, strings.Join(values, ", ")), nil
}

// there reports whether an expression gives any series.
func (p *Provider) there(ctx context.Context, q providers.Query, expr string) (bool, error) {
	series, err := p.instant(ctx, q, "count("+expr+")")
	n := number(series)
	return n > 0, err
}

// instant asks for an expression at the end of a query's window.
func (p *Provider) instant(ctx context.Context, q providers.Query, expr string) ([]analysis.Series, error) {
	q.Expr, q.Part, q.Start = expr, providers.Value, q.End.Add(-q.Step)
	return p.fetch(ctx, q)
}

// number is the one number of an answer, 0 without one.
func number(series []analysis.Series) float64 {
	if len(series) == 0 || len(series[0].Points) == 0 {
		return 0
	}
	return series[0].Points[0].Value()
}
