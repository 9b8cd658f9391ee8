package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size of a plot, in the units of its view box. The page scales it.
const (
	plotWidth  = 760
	plotHeight = 230
)

// mostColumns is how many points side by side an eye can tell apart in a plot.
const mostColumns = plotWidth / 2

// role is what an element of a plot stands for. gonum/plot knows colours only, so
// each role is drawn in a colour of its own, which is then replaced by the role's
// class: the page's style sheet gives the colours, light and dark.
type role uint8

const (
	ink role = iota + 1 // axes and their labels
	gridLine
	warmup
	moment
	limit
	baselineArm
	canaryArm
	effectInterval
)

var roleNames = map[role]string{
	ink: "ink", gridLine: "grid", warmup: "warmup", moment: "moment", limit: "limit",
	baselineArm: "baseline", canaryArm: "canary", effectInterval: "interval",
}

// RGBA implements color.Color.
func (r role) RGBA() (red, green, blue, alpha uint32) {
	return color.RGBA{R: uint8(r), A: 0xff}.RGBA()
}

func (r role) line(width float64) draw.LineStyle {
	return draw.LineStyle{Color: r, Width: vg.Length(width)}
}

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
	points    []string
}

// Plot implements plot.Plotter.
func (ch *chart) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	clip := func(y float64) vg.Length { return trY(math.Max(p.Y.Min, math.Min(p.Y.Max, y))) }
	if ch.shaded > p.X.Min {
		c.FillPolygon(warmup, []vg.Point{
			{X: trX(p.X.Min), Y: trY(p.Y.Min)}, {X: trX(ch.shaded), Y: trY(p.Y.Min)},
			{X: trX(ch.shaded), Y: trY(p.Y.Max)}, {X: trX(p.X.Min), Y: trY(p.Y.Max)},
		})
	}
	for _, l := range ch.limits {
		c.StrokeLine2(limit.line(1.5), trX(p.X.Min), clip(l), trX(p.X.Max), clip(l))
	}
	if !math.IsNaN(ch.at) {
		c.StrokeLine2(moment.line(1.5), trX(ch.at), trY(p.Y.Min), trX(ch.at), trY(p.Y.Max))
	}
	if ch.low != nil {
		var bars vg.Path
		for i, x := range ch.x {
			low, high := clip(orLimit(ch.low[i], -1)), clip(orLimit(ch.high[i], 1))
			bars.Move(vg.Point{X: trX(x), Y: low})
			bars.Line(vg.Point{X: trX(x), Y: high})
		}
		c.SetLineStyle(effectInterval.line(math.Max(1.5, math.Min(9, 0.5*plotWidth/float64(len(ch.x))))))
		c.Stroke(bars)
	}
	for k, ys := range ch.ys {
		c.SetLineStyle(ch.roles[k].line(1.8))
		c.Stroke(unbroken(ch.x, ys, trX, clip))
	}
	for i, x := range ch.x {
		point := fmt.Sprintf("%.0f", trX(x).Points())
		for _, ys := range ch.ys {
			point += ","
			if finite(ys[i]) {
				point += fmt.Sprintf("%.0f", plotHeight-clip(ys[i]).Points())
			}
		}
		ch.points = append(ch.points, point)
	}
}

// orLimit stands for a missing limit of an interval: there is none on that side.
func orLimit(v float64, side int) float64 {
	if math.IsNaN(v) {
		return math.Inf(side)
	}
	return v
}

// unbroken is a line that a gap interrupts. A point between two gaps is a dot.
func unbroken(xs, ys []float64, trX, trY func(float64) vg.Length) vg.Path {
	var path vg.Path
	down := false
	for i, y := range ys {
		if !finite(y) {
			down = false
			continue
		}
		at := vg.Point{X: trX(xs[i]), Y: trY(y)}
		if !down {
			path.Move(at)
		}
		if down || i+1 == len(ys) || !finite(ys[i+1]) {
			path.Line(at)
		}
		down = true
	}
	return path
}

// finite reports whether a number is there to be drawn.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// draw draws the chart between the given values.
func (ch *chart) draw(low, high float64, axis, clock plot.Ticker, end float64) drawn {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, low, high
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle, a.Tick.LineStyle = ink.line(0.7), ink.line(0.7)
		a.Tick.Label.Color, a.Tick.Label.Font.Size = ink, 11
		a.Padding = 0
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = clock, axis
	grid := plotter.NewGrid()
	grid.Vertical, grid.Horizontal = draw.LineStyle{}, gridLine.line(0.7)
	p.Add(grid, ch)
	canvas := vgsvg.New(plotWidth, plotHeight)
	// The right-most label and point need room.
	p.Draw(draw.Crop(draw.New(canvas), 0, -16, 2, -6))
	var b bytes.Buffer
	_, _ = canvas.WriteTo(&b) // a buffer takes everything
	return drawn{
		SVG: inline(b.String()), Points: strings.Join(ch.points, " "), Says: strings.Join(ch.says, "|"), Last: len(ch.x) - 1,
	}
}

var (
	prologue = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	styled   = regexp.MustCompile(`style="[^"]*?(fill|stroke):#0(\d)0000(?:[^"]*?stroke-width:([\d.]+))?[^"]*"`)
	unstyled = regexp.MustCompile(`style="[^"]*"`)
	decimals = regexp.MustCompile(`(\.\d)\d+`)
)

// inline makes what gonum/plot drew a part of a page: roles for colours, and no
// style attributes, which the page's policy forbids.
func inline(svg string) template.HTML {
	svg = prologue.ReplaceAllString(svg, fmt.Sprintf(`<svg viewBox="0 0 %d %d" aria-hidden="true">`, plotWidth, plotHeight))
	svg = styled.ReplaceAllStringFunc(svg, func(s string) string {
		m := styled.FindStringSubmatch(s)
		class := fmt.Sprintf(`class="%s-%s"`, m[1], roleNames[role(m[2][0]-'0')])
		if m[3] != "" {
			class += fmt.Sprintf(` stroke-width="%s"`, m[3])
		}
		return class
	})
	svg = decimals.ReplaceAllString(unstyled.ReplaceAllString(svg, ""), "$1") // a tenth of a unit is less than a pixel
	return template.HTML(strings.ReplaceAll(svg, "\n", " "))                  //nolint:gosec // drawn here; vgsvg escapes the labels
}

// numbers are ticks that are written as people write these values.
type numbers func(float64) string

// Ticks implements plot.Ticker.
func (write numbers) Ticks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = Clean(write(ticks[i].Value))
		}
	}
	return ticks
}

// clock is the time of day at an axis of seconds since a moment.
type clock struct{ start time.Time }

// tickDistances are distances that a clock is read in.
var tickDistances = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// Ticks implements plot.Ticker.
func (c clock) Ticks(_, high float64) []plot.Tick {
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
	var ticks []plot.Tick
	for at := c.start.Truncate(d); at.Sub(c.start).Seconds() <= high; at = at.Add(d) {
		if x := at.Sub(c.start).Seconds(); x >= 0 {
			ticks = append(ticks, plot.Tick{Value: x, Label: at.UTC().Format(layout)})
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

// plotArms draws both arms over time; nil when there is nothing to draw.
func (w Window) plotArms(m Metric) *drawn {
	n := min(len(m.Series.Baseline), len(m.Series.Canary))
	if n == 0 {
		return nil
	}
	write := m.writer()
	ch := &chart{shaded: w.since(w.stepTime(w.Warmup)), at: w.decidedAt(m), ys: make([][]float64, 2), roles: []role{baselineArm, canaryArm}}
	if w.Warmup == 0 {
		ch.shaded = 0
	}
	stride := stepsPerColumn(n)
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
	low, high := room(all, isRate(m))
	d := ch.draw(low, high, numbers(write), clock{w.Start}, math.Max(1, w.since(w.End)))
	return &d
}

// stepsPerColumn returns how many of n steps share a column.
func stepsPerColumn(n int) int { return (n + mostColumns - 1) / mostColumns }

// columnTimes returns the times of the columns of n steps.
func (w Window) columnTimes(n int) string {
	var times []string
	for first := 0; first < n; first += max(1, stepsPerColumn(n)) {
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
	axis := numbers(func(v float64) string { return change(v, m.Effect.Unit, asPercentage, given) })
	d := ch.draw(low, high, axis, clock{w.Start}, math.Max(1, w.since(w.End)))
	return &d
}
