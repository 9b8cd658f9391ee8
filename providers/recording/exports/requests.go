package exports

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// Names of the metrics that requests are counted into.
const (
	errorsMetric  = "errors"  // failed of all requests
	latencyMetric = "latency" // a histogram, in seconds
	checksMetric  = "checks"  // failed of all checks of a k6 script
	locustP95     = "latency p95"
)

// requests counts, by steps, what a load test says of each request.
type requests struct {
	step  time.Duration
	tally map[place]map[int64]*tally // by the start of the step, in nanoseconds
	ends  map[providers.Arm]*ends
	left  int // requests of neither arm
	read  int
	// seen holds a few values of each label, to say what could tell the arms apart.
	seen map[string]map[string]bool
}

type place struct {
	arm    providers.Arm
	metric string
}

type ends struct{ first, last time.Time }

// tally is what one arm did in one step.
type tally struct {
	bad, total float64
	buckets    map[int]float64
	value      float64 // seconds
}

// requests returns the importer's counts, to go on with.
func (im *importer) requests() *requests {
	if im.counted == nil {
		step := im.options.Step
		if step == 0 {
			step = DefaultStep
			im.note("requests were counted in steps of %s; --step counts them otherwise", step)
		}
		im.counted = &requests{step: step, tally: map[place]map[int64]*tally{}, ends: map[providers.Arm]*ends{}, seen: map[string]map[string]bool{}}
	}
	return im.counted
}

// at returns the tally of a moment.
func (q *requests) at(arm providers.Arm, metric string, at time.Time) *tally {
	p := place{arm, metric}
	if q.tally[p] == nil {
		q.tally[p] = map[int64]*tally{}
	}
	start := at.Truncate(q.step).UnixNano()
	t := q.tally[p][start]
	if t == nil {
		t = &tally{buckets: map[int]float64{}}
		q.tally[p][start] = t
	}
	e := q.ends[arm]
	if e == nil {
		e = &ends{at, at}
		q.ends[arm] = e
	}
	if at.Before(e.first) {
		e.first = at
	}
	if at.After(e.last) {
		e.last = at
	}
	return t
}

// count adds requests, of which some are bad.
func (q *requests) count(arm providers.Arm, metric string, at time.Time, bad, total float64) {
	t := q.at(arm, metric, at)
	t.bad, t.total = t.bad+bad, t.total+total
}

// took adds the duration of a request.
func (q *requests) took(arm providers.Arm, at time.Time, d time.Duration) {
	q.at(arm, latencyMetric, at).buckets[bucketOf(d.Seconds())]++
}

// bounds of latency, in seconds: 0.1 ms to 10,000 s, 5 % apart or less, and round, so
// that a bound that people ask for ("slower than 250 ms") is one of them.
var bounds = func() []float64 {
	var all []float64
	for power := -4; power <= 3; power++ {
		for half := 20; half < 200; half++ {
			if half < 40 || half%2 == 0 {
				// One division each, so that 0.25 is the number that people write.
				all = append(all, float64(half)*math.Pow10(max(power, 0))/(20*math.Pow10(max(-power, 0))))
			}
		}
	}
	return all
}()

// bucketOf returns the bucket of a duration: above bounds[i-1], at or below bounds[i].
func bucketOf(seconds float64) int { return sort.SearchFloat64s(bounds, seconds) }

// points are the counts as a recording holds them.
func (q *requests) points(im *importer) ([]recording.Point, error) {
	if err := q.complete(im); err != nil {
		return nil, err
	}
	shift, err := q.shift(im)
	if err != nil {
		return nil, err
	}
	q.pauses(im)
	from, to := q.spread()
	var points []recording.Point
	for _, metric := range []string{errorsMetric, latencyMetric, locustP95, checksMetric} {
		for _, arm := range providers.Arms {
			of := q.tally[place{arm, metric}]
			for _, start := range slices.Sorted(maps.Keys(of)) {
				at := time.Unix(0, start).UTC()
				if arm == providers.Canary {
					at = at.Add(shift)
				}
				p := recording.Point{Time: at, Metric: metric, Arm: arm, Kind: recording.Counts, Sample: analysis.CountSample(of[start].bad, of[start].total)}
				switch metric {
				case latencyMetric:
					p.Kind, p.Sample = recording.Histograms, analysis.BucketSample(of[start].histogram(from, to))
				case locustP95:
					p.Kind, p.Sample = recording.Values, analysis.QuantileSample(of[start].value, of[start].total)
				}
				points = append(points, p)
			}
		}
	}
	return points, nil
}

// complete checks that both arms have requests, and says what was left out.
func (q *requests) complete(im *importer) error {
	for _, arm := range providers.Arms {
		if q.ends[arm] != nil {
			continue
		}
		if im.selectors == nil {
			return fmt.Errorf("the %s's file holds no requests", arm)
		}
		return fmt.Errorf("no request is of the %s, which is %q; %s", arm, im.options.arm(arm), q.labels())
	}
	if q.left > 0 {
		im.note("of %d requests, %d are of neither arm and were left out", q.read, q.left)
	}
	return nil
}

func (o Options) arm(a providers.Arm) string {
	if a == providers.Baseline {
		return o.Baseline
	}
	return o.Canary
}

// see remembers a few values of a label.
func (q *requests) see(label, value string) {
	const most = 4
	if value == "" {
		return
	}
	if q.seen[label] == nil {
		q.seen[label] = map[string]bool{}
	}
	if len(q.seen[label]) < most {
		q.seen[label][value] = true
	}
}

// labels says by what the arms could be told apart.
func (q *requests) labels() string {
	text := "the file has"
	for _, label := range slices.Sorted(maps.Keys(q.seen)) {
		if len(q.seen[label]) < 2 {
			continue
		}
		text += fmt.Sprintf(" %s=%s", label, list(slices.Sorted(maps.Keys(q.seen[label]))))
	}
	if text == "the file has" {
		return "nothing in the file differs from one request to another; give a file for each arm: --baseline FILE --canary FILE"
	}
	return text
}

// shift returns by how much the canary is moved to lie over the baseline.
func (q *requests) shift(im *importer) (time.Duration, error) {
	first, last := map[providers.Arm]time.Time{}, map[providers.Arm]time.Time{}
	for arm, e := range q.ends {
		first[arm], last[arm] = e.first.Truncate(q.step), e.last.Truncate(q.step)
	}
	if !im.options.Align {
		return 0, apart(first, last)
	}
	return im.alignment(first), nil
}

// longestPause is how many steps without any request are taken for the end of a test.
const longestPause = 5

// pauses says that a file may hold two tests.
func (q *requests) pauses(im *importer) {
	for _, arm := range providers.Arms {
		var last int64
		of := map[int64]bool{}
		for p, steps := range q.tally {
			if p.arm == arm {
				for start := range steps {
					of[start] = true
				}
			}
		}
		for _, start := range slices.Sorted(maps.Keys(of)) {
			if last != 0 && start-last > longestPause*int64(q.step) {
				im.note("the %s had no request from %s to %s: two tests in one file are judged as one", arm,
					time.Unix(0, last).UTC().Add(q.step).Format(time.RFC3339), time.Unix(0, start).UTC().Format(time.RFC3339))
			}
			last = start
		}
	}
}

// spread returns the first and last buckets that anything fell into: all steps of both
// arms have the same bounds.
func (q *requests) spread() (from, to int) {
	from, to = len(bounds), 0
	for p, steps := range q.tally {
		if p.metric != latencyMetric {
			continue
		}
		for _, t := range steps {
			for i := range t.buckets {
				from, to = min(from, i), max(to, i)
			}
		}
	}
	return from, to
}

// histogram has a bucket below and one above all that was seen.
func (t *tally) histogram(from, to int) stats.Histogram {
	first, last := max(0, from-1), min(len(bounds), to+1)
	h := stats.Histogram{Bounds: bounds[first:last], Counts: make([]float64, last-first+1)}
	for i, n := range t.buckets {
		h.Counts[min(i, last)-first] += n
	}
	return h
}

// milliseconds reads a duration in milliseconds.
func milliseconds(text string) (time.Duration, error) {
	v, err := number(text)
	if err != nil {
		return 0, err
	}
	const most = 1e9 // 11 days
	if !(v >= 0 && v < most) {
		return 0, errors.New("a duration of " + text + " ms is none")
	}
	return time.Duration(math.Round(v * 1e6)), nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
