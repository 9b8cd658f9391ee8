package report

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	svg "github.com/ajstarks/svgo/float"
)

// Size of a plot, in the units of its view box, and the room around what is drawn: for
// labels, and for half of the right-most one. The page scales it.
const (
	plotWidth  = 760
	plotHeight = 230

	plotTop    = 6
	plotRight  = 32
	plotBottom = 24
	tickLength = 5
	// labelWidth is about the width of a character of a label.
	labelWidth = 7.5
)

// mostColumns is how many points side by side an eye can tell apart in a plot.
const mostColumns = plotWidth / 2

// role is what an element of a plot stands for: the page's style sheet gives each its
// colour, light and dark.
type role string

const (
	ink            role = "ink" // axes and their labels
	gridLine       role = "grid"
	warmup         role = "warmup"
	moment         role = "moment"
	limit          role = "limit"
	baselineArm    role = "baseline"
	canaryArm      role = "canary"
	effectInterval role = "interval"
	baselineBefore role = "before-baseline"
	canaryBefore   role = "before"
	rangeBefore    role = "before-range"
	deployment     role = "deployment"
)

func (r role) stroke(width float64) string {
	return fmt.Sprintf(`class="stroke-%s" stroke-width="%.3g"`, r, width)
}

func (r role) fill() string { return fmt.Sprintf(`class="fill-%s"`, r) }

// drawn is a plot as it is put into the page, with what its points say.
type drawn struct {
	SVG template.HTML
	// Points is where the points lie, a group a column: "x,y,y x,y,y"; an empty y is
	// a gap.
	Points string
	// Says is what they say, in the same order, separated by |.
	Says string
	// Last is the number of the last column, from 0.
	Last int
}

// chart is a plot of columns: a step or a look each.
type chart struct {
	x      []float64 // seconds since the start
	ys     [][]float64
	says   []string
	shaded float64   // end of the warm-up, 0 = none
	at     float64   // moment of the decision, NaN = none
	limits []float64 // of the tolerance
	// low and high are limits of an interval; then ys has the estimate.
	low, high []float64
	roles     []role
	// before is a history that is drawn left of the run, or behind it; nil = none.
	before *before
}

// frame is where a chart's values lie in a plot. What lies between edge and left is history.
type frame struct {
	edge, left           float64
	xMost, yLeast, yMost float64
}

func (f frame) x(v float64) float64 { return f.left + v/f.xMost*(plotWidth-plotRight-f.left) }

// y keeps values beyond the axis at its ends.
func (f frame) y(v float64) float64 {
	v = math.Max(f.yLeast, math.Min(f.yMost, v))
	return plotTop + (f.yMost-v)/(f.yMost-f.yLeast)*(plotHeight-plotBottom-plotTop)
}

// tick is a place of an axis that has a label.
type tick struct {
	value float64
	label string
}

// draw draws the chart between the given values.
func (ch *chart) draw(low, high float64, write func(float64) string, start time.Time, end float64) drawn {
	values, times := valueTicks(low, high, write), timeTicks(start, end)
	longest := 0
	for _, t := range values {
		longest = max(longest, len([]rune(t.label)))
	}
	f := frame{edge: math.Ceil(labelWidth*float64(longest)) + 2*tickLength, xMost: end, yLeast: low, yMost: high}
	f.left = f.edge
	if ch.before != nil {
		f.left += ch.before.share() * (plotWidth - plotRight - f.edge)
	}
	var b bytes.Buffer
	canvas := svg.New(&b)
	canvas.Decimals = 1 // a tenth of a unit is less than a pixel
	f.axes(canvas, values, times)
	ch.marks(canvas, f)
	if ch.before != nil {
		ch.before.draw(canvas, f)
	}
	for k, ys := range ch.ys {
		canvas.Path(unbroken(ch.x, ys, f), ch.roles[k].stroke(1.8))
	}
	return drawn{
		SVG: template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" aria-hidden="true">%s</svg>`, //nolint:gosec // drawn here; svgo escapes the labels
			plotWidth, plotHeight, strings.ReplaceAll(b.String(), "\n", " "))),
		Points: strings.Join(ch.points(f), " "), Says: strings.Join(ch.says, "|"), Last: len(ch.x) - 1,
	}
}

// axes draws the axes, their labels and the grid: all lines of a kind in one path, since a page may have a thousand plots.
func (f frame) axes(canvas *svg.SVG, values, times []tick) {
	const bottom = plotHeight - plotBottom
	var grid, ticks strings.Builder
	canvas.Group(ink.fill(), `text-anchor="end"`)
	for _, t := range values {
		y := f.y(t.value)
		fmt.Fprintf(&grid, "M%.1f,%.1fH%d", f.edge, y, plotWidth-plotRight)
		fmt.Fprintf(&ticks, "M%.1f,%.1fh%d", f.edge-tickLength, y, tickLength)
		canvas.Text(f.edge-1.5*tickLength, y+4, t.label)
	}
	canvas.Gend()
	canvas.Group(ink.fill(), `text-anchor="middle"`)
	for _, t := range times {
		x := f.x(t.value)
		fmt.Fprintf(&ticks, "M%.1f,%dv%d", x, bottom, tickLength)
		canvas.Text(x, plotHeight-5, t.label)
	}
	canvas.Gend()
	canvas.Path(grid.String(), gridLine.stroke(0.7))
	canvas.Path(ticks.String()+fmt.Sprintf("M%.1f,%dV%dH%d", f.edge, plotTop, bottom, plotWidth-plotRight), ink.stroke(0.7))
}

// marks draws what stands behind the lines: the warm-up, the limits of the tolerance, the
// moment of the decision, and intervals.
func (ch *chart) marks(canvas *svg.SVG, f frame) {
	const bottom = plotHeight - plotBottom
	if ch.shaded > 0 {
		canvas.Rect(f.left, plotTop, f.x(ch.shaded)-f.left, bottom-plotTop, warmup.fill())
	}
	for _, l := range ch.limits {
		canvas.Line(f.left, f.y(l), plotWidth-plotRight, f.y(l), limit.stroke(1.5))
	}
	if !math.IsNaN(ch.at) {
		canvas.Line(f.x(ch.at), plotTop, f.x(ch.at), bottom, moment.stroke(1.5))
	}
	if ch.low == nil {
		return
	}
	var bars strings.Builder
	for i, x := range ch.x {
		fmt.Fprintf(&bars, "M%.1f,%.1fV%.1f", f.x(x), f.y(orLimit(ch.low[i], -1)), f.y(orLimit(ch.high[i], 1)))
	}
	canvas.Path(bars.String(), effectInterval.stroke(math.Max(1.5, math.Min(9, 0.5*plotWidth/float64(len(ch.x))))))
}

// points returns where the points lie, a group a column.
func (ch *chart) points(f frame) []string {
	all := make([]string, len(ch.x))
	for i, x := range ch.x {
		all[i] = fmt.Sprintf("%.0f", f.x(x))
		for _, ys := range ch.ys {
			all[i] += ","
			if finite(ys[i]) {
				all[i] += fmt.Sprintf("%.0f", f.y(ys[i]))
			}
		}
	}
	return all
}

// orLimit stands for a missing limit of an interval: there is none on that side.
func orLimit(v float64, side int) float64 {
	if math.IsNaN(v) {
		return math.Inf(side)
	}
	return v
}

// unbroken is a line that a gap interrupts. A point between two gaps is a dot.
func unbroken(xs, ys []float64, f frame) string {
	var path strings.Builder
	down := false
	for i, y := range ys {
		if !finite(y) {
			down = false
			continue
		}
		at := fmt.Sprintf("%.1f,%.1f", f.x(xs[i]), f.y(y))
		if !down {
			path.WriteString("M" + at)
		}
		if down || i+1 == len(ys) || !finite(ys[i+1]) {
			path.WriteString("L" + at)
		}
		down = true
	}
	return path.String()
}

// finite reports whether a number is there to be drawn.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// valueTicks returns three to seven ticks at round values between two others.
func valueTicks(low, high float64, write func(float64) string) []tick {
	const most = 6
	distance := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/(factor*distance) <= most {
			distance *= factor
			break
		}
	}
	var ticks []tick
	for n := math.Ceil(low / distance); n*distance <= high; n++ {
		ticks = append(ticks, tick{n * distance, Clean(write(n * distance))})
	}
	return ticks
}

// tickDistances are distances that a clock is read in.
var tickDistances = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// timeTicks returns times of day at an axis of seconds since a moment.
func timeTicks(start time.Time, high float64) []tick {
	const most = 8
	d := tickDistances[len(tickDistances)-1]
	for _, one := range slices.Backward(tickDistances) {
		if high/one.Seconds() <= most {
			d = one
		}
	}
	for high/d.Seconds() > most {
		d *= 2
	}
	layout := "15:04"
	if d < time.Minute {
		layout = "15:04:05"
	}
	var ticks []tick
	for at := start.Truncate(d); at.Sub(start).Seconds() <= high; at = at.Add(d) {
		if x := at.Sub(start).Seconds(); x >= 0 {
			ticks = append(ticks, tick{x, at.UTC().Format(layout)})
		}
	}
	return ticks
}

// room returns the limits of an axis for these values; there is always something
// between them.
func room(values []float64, zero bool) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	switch {
	case low > high:
		return 0, 1
	case zero:
		low = math.Min(low, 0)
	}
	size := high - low
	if size == 0 {
		size = math.Max(math.Abs(high), 1)
	}
	high += 0.08 * size
	if !zero || low < 0 {
		low -= 0.08 * size
	}
	return low, high
}

// stepTime returns the start of a step, warm-up included, from 0.
func (w Window) stepTime(step int) time.Time {
	if step < len(w.Times) {
		return w.Times[step]
	}
	return w.Start.Add(time.Duration(float64(step) * float64(w.Step) * float64(time.Second)))
}

// lookTime returns the end of a look's step; looks count from 1.
func (w Window) lookTime(look int) time.Time {
	return w.stepTime(w.Warmup + look - 1).Add(time.Duration(float64(w.Step) * float64(time.Second)))
}

// since returns the seconds from the start of the window.
func (w Window) since(at time.Time) float64 { return at.Sub(w.Start).Seconds() }

// decidedAt returns when a metric was decided, on the plots' axis; NaN = not.
func (w Window) decidedAt(m Metric) float64 {
	if m.DecidedLook == 0 {
		return math.NaN()
	}
	return w.since(w.lookTime(m.DecidedLook))
}

// writer returns how a metric's values are written.
func (m Metric) writer() func(float64) string {
	if isRate(m) {
		return percentage
	}
	return func(v float64) string { return measure(v, m.Unit) }
}

// plotArms draws both arms over time, in a page of a number of metrics; nil when there is nothing to draw.
func (w Window) plotArms(m Metric, metrics int) *drawn {
	n := min(len(m.Series.Baseline), len(m.Series.Canary))
	if n == 0 {
		return nil
	}
	write := m.writer()
	ch := &chart{shaded: w.since(w.stepTime(w.Warmup)), at: w.decidedAt(m), ys: make([][]float64, 2), roles: []role{baselineArm, canaryArm}}
	if w.Warmup == 0 {
		ch.shaded = 0
	}
	stride := stepsPerColumn(n, metrics)
	var all []float64
	for first := 0; first < n; first += stride {
		last := min(first+stride, n)
		ch.x = append(ch.x, w.since(w.stepTime(first)))
		var says []string
		for k, series := range [][]Number{m.Series.Baseline, m.Series.Canary} {
			v := extreme(series[first:last], k == 1 && m.Direction == "decrease")
			ch.ys[k] = append(ch.ys[k], v)
			text := "gap"
			if finite(v) {
				text = write(v)
			}
			says = append(says, text)
		}
		ch.says = append(ch.says, plain(strings.Join(says, ";")))
		all = append(all, ch.ys[0][len(ch.x)-1], ch.ys[1][len(ch.x)-1])
	}
	ch.before = w.before(m)
	low, high := room(append(all, ch.before.usual()...), isRate(m))
	d := ch.draw(low, high, write, w.Start, math.Max(1, w.since(w.End)))
	return &d
}

// mostPlotted is of how many metrics all have a plot of their change; of more, those that passed do not: the picture at the
// top has their intervals, and a page of 500 metrics is to open on a phone.
const mostPlotted = 100

// mostPointsDrawn bounds the columns of all plots of both arms together, and so the size of the page; leastColumns is what
// each may have nevertheless.
const (
	mostPointsDrawn = 20000
	leastColumns    = 40
)

// stepsPerColumn returns how many of n steps share a column in the plots of a number of metrics.
func stepsPerColumn(n, metrics int) int {
	most := max(leastColumns, min(mostColumns, mostPointsDrawn/max(1, metrics)))
	return (n + most - 1) / most
}

// columnTimes returns the times of the columns of n steps, in the plots of a number of metrics.
func (w Window) columnTimes(n, metrics int) string {
	var times []string
	for first := 0; first < n; first += max(1, stepsPerColumn(n, metrics)) {
		times = append(times, w.stepTime(first).UTC().Format("15:04:05"))
	}
	return strings.Join(times, " ")
}

// isRate reports whether a metric's values are rates, which are read against zero.
func isRate(m Metric) bool {
	return !math.IsNaN(float64(m.Canary.Rate)) || !math.IsNaN(float64(m.Baseline.Rate))
}

// extreme returns the largest value of steps that share a column, or the smallest:
// what an eye would see of them.
func extreme(values []Number, smallest bool) float64 {
	out := math.NaN()
	for _, n := range values {
		v := float64(n)
		if finite(v) && (math.IsNaN(out) || smallest && v < out || !smallest && v > out) {
			out = v
		}
	}
	return out
}

// mostLooksDrawn bounds the looks that all metrics of a page show together, and so
// its size; leastLooks is what each may show nevertheless.
const (
	mostLooksDrawn = 5000
	leastLooks     = 24
)

// plain keeps what separates the texts of points out of them.
func plain(s string) string { return strings.ReplaceAll(Clean(s), "|", "/") }

// plotEffect draws the effect's interval look by look against the tolerance; nil
// when no look had one.
func (r *Report) plotEffect(at int) *drawn {
	m, w := r.Metrics[at], r.Window
	ch := &chart{at: w.decidedAt(m), ys: make([][]float64, 1), roles: []role{canaryArm}, low: []float64{}}
	for _, l := range []Number{m.Tolerance.Lower, m.Tolerance.Upper} {
		if finite(float64(l)) {
			ch.limits = append(ch.limits, float64(l))
		}
	}
	shown := append([]float64{0}, ch.limits...)
	most := max(leastLooks, min(mostColumns, mostLooksDrawn/len(r.Metrics)))
	stride := (len(r.Looks) + most - 1) / most
	for i := 0; i < len(r.Looks); i += stride {
		l := r.Looks[min(i+stride, len(r.Looks))-1]
		if at >= len(l.Metrics) {
			return nil
		}
		e := l.Metrics[at]
		if !finite(float64(e.Lower)) && !finite(float64(e.Upper)) {
			continue
		}
		effect := Effect{Estimate: e.Estimate, Lower: e.Lower, Upper: e.Upper, Unit: m.Effect.Unit}
		s := styleOf(effect)
		estimate := "–"
		if finite(float64(e.Estimate)) {
			estimate = change(float64(e.Estimate), effect.Unit, s, estimated)
		}
		ch.x = append(ch.x, w.since(l.Time))
		ch.ys[0], ch.low, ch.high = append(ch.ys[0], float64(e.Estimate)), append(ch.low, float64(e.Lower)), append(ch.high, float64(e.Upper))
		ch.says = append(ch.says, plain(fmt.Sprintf("%s;%d;%s;%s;%s", l.Time.UTC().Format("15:04:05"), l.Look, estimate, interval(effect, m.Tolerance, s), e.Decision)))
	}
	if len(ch.x) == 0 {
		return nil
	}
	// The first intervals may be hundreds of times wider than the last: the plot
	// shows the later half whole, and of the others what it has room for.
	for i := len(ch.x) / 2; i < len(ch.x); i++ {
		shown = append(shown, ch.low[i], ch.high[i])
	}
	shown = append(shown, ch.ys[0]...)
	low, high := room(shown, false)
	axis := func(v float64) string { return change(v, m.Effect.Unit, asPercentage, given) }
	d := ch.draw(low, high, axis, w.Start, math.Max(1, w.since(w.End)))
	return &d
}
