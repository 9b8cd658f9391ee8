package job_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// windows notes what is asked for.
type windows struct {
	*world
	asked [][]providers.Query
}

func (w *windows) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	w.asked = append(w.asked, queries)
	return w.world.Fetch(ctx, queries)
}

// recorded runs a job live, with its recording in a file.
func recorded(t *testing.T, c *config.Config, w providers.Provider, change func(*job.Job)) (*job.Outcome, *job.Job, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	j, _ := newJob(c, w)
	if change != nil {
		change(j)
	}
	var err error
	j.File, err = recording.Create(path, recording.Header{
		Started: time.Now().UTC(), Config: c.Document,
		Window: &recording.Window{Start: j.Start, Step: c.Window.Step.String(), Warmup: c.Window.Warmup, Steps: c.Window.Steps},
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.File.Close(recording.End{Why: string(o.Ended)}); err != nil {
		t.Fatal(err)
	}
	return o, j, path
}

// replayed judges a recording as the command does, with its own config or another.
func replayed(t *testing.T, path, text string) (*config.Config, *job.Outcome) {
	t.Helper()
	r, err := recording.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, text)
	if h := r.History; h != nil {
		c.Window.Warmup = h.Warmup
		c.SetSteps(h.Steps)
	}
	return c, replayOf(t, c, r)
}

const historyConfig = seenConfig + "history: {length: 1h, offset: remove}\n"

// Both arms are asked for once before the first look, on the grid of the run and up to what
// has had its time to arrive; a replay is judged with the same.
func TestHistoryIsFetchedOnceAndRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &windows{world: &world{at: shop(1.45)}}
		c := parse(t, historyConfig)
		began := time.Now().UTC()
		o, _, path := recorded(t, c, w, nil)
		to := began.Add(-15 * time.Second).Truncate(30 * time.Second)
		if n := len(w.asked[0]); n != 6 {
			t.Fatalf("%d queries of the history, want 6", n)
		}
		for _, q := range w.asked[0] {
			if !q.Start.Equal(to.Add(-time.Hour)) || !q.End.Equal(to) || q.Step != 30*time.Second {
				t.Errorf("%s: from %s to %s, want an hour until %s", q.Metric, q.Start, q.End, to)
			}
		}
		for _, queries := range w.asked[1:] {
			if n := queries[0].Steps(); n > 25 {
				t.Errorf("%d steps are asked for again", n)
			}
		}
		for i := range c.Plan.Metrics {
			h := c.Plan.Metrics[i].History
			if h == nil || len(h.Pairs) != 120 || !h.RemoveOffset {
				t.Fatalf("the history of %s: %+v", c.Metrics[i].Name, h)
			}
			at := to.Add(-30 * time.Second)
			q := providers.Query{Arm: providers.Canary, Part: providers.Value}
			if i == 1 && h.Pairs[119].Canary.Value() != w.at(q, at) {
				t.Errorf("the last pair is not that before the run")
			}
		}
		if o.History == nil || !o.History.To.Equal(to) || len(o.History.Hash) != 64 {
			t.Errorf("the outcome says %+v", o.History)
		}
		_, again := replayed(t, path, historyConfig)
		if diff := cmp.Diff(resultJSON(t, c, o), resultJSON(t, c, again)); diff != "" {
			t.Errorf("the replay says something else (-live +replay):\n%s", diff)
		}
		// Judged without it, nothing of it is there.
		_, without := replayed(t, path, testConfig)
		if without.History != nil || without.Fetched != o.Fetched {
			t.Errorf("without: %+v", without.History)
		}
	})
}

// What bounds a history.
func TestBoundsOfAHistory(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ from, to time.Duration }{
		"history: {}":                            {-30*time.Minute - 30*time.Second, -30 * time.Second},
		"history: {since: -10m}":                 {-10 * time.Minute, -30 * time.Second},
		"history: {since: -610s, until: -299s}":  {-10 * time.Minute, -5 * time.Minute},
		"history: {until: -5m}":                  {-35 * time.Minute, -5 * time.Minute},
		"history: {since: 2000-01-01T00:00:00Z}": {0, 0},
		"history: {since: 1999-12-31T23:50:00Z}": {-10 * time.Minute, -30 * time.Second},
		"history: {until: 1999-12-31T23:50:00Z}": {-40 * time.Minute, -10 * time.Minute},
	} {
		text = strings.ReplaceAll(text, "{}", "{length: 30m}")
		if !strings.Contains(text, "length") {
			text = strings.Replace(text, "{", "{length: 30m, ", 1)
		}
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // it begins at midnight of 2000-01-01
				w := &windows{world: &world{at: shop(1.45)}}
				start := time.Now().UTC()
				o, _, _ := recorded(t, parse(t, seenConfig+text+"\n"), w, nil)
				h := o.History
				if want.from == want.to {
					if len(h.Notes) != 1 || !h.From.Equal(h.To) {
						t.Errorf("%+v", h)
					}
					return
				}
				if from, to := h.From.Sub(start), h.To.Sub(start); from != want.from || to != want.to {
					t.Errorf("from %s to %s of the start", from, to)
				}
			})
		})
	}
}

const daysConfig = `
provider: prometheus
baseline: {app: shop, offset: 1d}
canary: {app: shop}
window: {length: 10m, step: 30s, warmup: 1m, lag: 15s}
history: {days: 6, exclude: [1999-12-29]}
metrics:
  - name: latency
    value: avg(latency{$arm})
    tolerance: 20%
  - name: cpu
    value: avg(cpu{$arm})
    tolerance: 20%
    history: off
`

// The baseline is the mean of earlier windows, which are asked for before the run and not
// again; a replay has the same.
func TestHistoryOfDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC()
		w := &windows{world: &world{at: func(_ providers.Query, at time.Time) float64 {
			day := math.Floor(start.Add(time.Hour).Sub(at).Hours() / 24)
			return math.Exp(day) * (1 + 0.01*math.Sin(float64(at.Unix()%97)))
		}}}
		c := parse(t, daysConfig)
		o, _, path := recorded(t, c, w, nil)
		day := 24 * time.Hour
		for i, back := range []time.Duration{6 * day, 5 * day, 4 * day, 2 * day, day} {
			q := w.asked[i]
			if len(q) != 1 || q[0].Arm != providers.Baseline || !q[0].Start.Equal(start.Add(-back)) || q[0].Steps() != 22 {
				t.Errorf("request %d asks for %+v", i, q)
			}
		}
		// The day before is of the metric without history alone.
		for _, queries := range w.asked[6:] {
			for _, q := range queries {
				if q.Arm == providers.Baseline && q.Metric == "latency" {
					t.Error("the baseline is asked for in the run")
				}
			}
		}
		if got := c.Plan.Metrics[0].History; len(got.Days) != 5 || len(got.Days[0]) != 20 {
			t.Fatalf("%+v", got)
		}
		// The mean of logarithms: 1, 2, 4, 5 and 6.
		for _, step := range []int{0, 1, 2, 21} {
			if got := math.Log(o.Samples[providers.Baseline][0][step].Value()); math.Abs(got-18.0/5) > 0.02 {
				t.Errorf("step %d: e^%g, want e^%g", step, got, 18.0/5)
			}
		}
		if got := math.Log(o.Samples[providers.Baseline][1][5].Value()); math.Abs(got-1) > 0.02 {
			t.Errorf("without history the baseline is e^%g, want the day before", got)
		}
		_, again := replayed(t, path, daysConfig)
		if diff := cmp.Diff(resultJSON(t, c, o), resultJSON(t, c, again)); diff != "" {
			t.Errorf("the replay says something else (-live +replay):\n%s", diff)
		}
	})
}

// A history that cannot be fetched ends the run, as the first answer of all does, and is no
// history that is not there.
func TestAHistoryThatFailsEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, _ := newJob(parse(t, historyConfig), &world{at: shop(1), err: func(time.Time) error { return errDown }})
		o, err := j.Run(t.Context())
		if o == nil || o.Ended != job.AtError || err == nil || !strings.Contains(err.Error(), "fetch the history: ") {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// Of a metric of which several series match before the run, that is said.
func TestSeveralSeriesBeforeTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{at: shop(1.45), series: 2}
		j, _ := newJob(parse(t, historyConfig), w)
		j.Preflight = false
		o, err := j.Run(t.Context())
		if err == nil || o.History == nil || len(o.History.Notes) != 4 || !strings.Contains(o.History.Notes[0], "errors has no history of the baseline: before the run the query matched 2 series") {
			t.Errorf("%v, %+v", err, o.History)
		}
	})
}

// A run that broke off goes on with the history that it has; one that broke off while it was
// fetched has what was recorded of it, and the rest.
func TestAResumedRunKeepsItsHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &windows{world: &world{at: shop(1.45)}}
		c := parse(t, historyConfig)
		o, _, path := recorded(t, c, w, nil)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		mark := 0
		for i, line := range lines {
			if strings.Contains(line, `"history":{`) && i > 0 {
				mark = i
			}
		}
		if mark < 400 {
			t.Fatalf("the mark of the history is line %d", mark)
		}
		for _, kept := range []int{100, mark, mark + 1, mark + 40} {
			torn := filepath.Join(t.TempDir(), "torn.jsonl")
			if err := os.WriteFile(torn, []byte(strings.Join(lines[:kept], "")+`{"torn`), 0o600); err != nil {
				t.Fatal(err)
			}
			file, r, err := recording.Resume(torn)
			if err != nil {
				t.Fatal(err)
			}
			other := &windows{world: &world{at: shop(1.45)}}
			if kept > mark {
				// The source says something else now.
				other.at = func(q providers.Query, at time.Time) float64 {
					if at.Before(r.Header.Window.Start) {
						return 7
					}
					return shop(1.45)(q, at)
				}
			}
			conf := parse(t, historyConfig)
			j, _ := newJob(conf, other)
			j.Start, j.Recording, j.File, j.Preflight = r.Header.Window.Start, r, file, false
			got, err := j.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := file.Close(recording.End{Why: string(got.Ended)}); err != nil {
				t.Fatal(err)
			}
			a, b := conf.Plan.Metrics[0].History.Pairs, c.Plan.Metrics[0].History.Pairs
			if kept > mark && (got.History.Hash != o.History.Hash || !cmp.Equal(a, b, cmp.Comparer(analysis.Sample.Equal))) {
				t.Errorf("%d lines kept: the history is another one", kept)
			}
			_, again := replayed(t, torn, historyConfig)
			if diff := cmp.Diff(resultJSON(t, conf, got), resultJSON(t, conf, again)); diff != "" {
				t.Errorf("%d lines kept: the replay says something else (-live +replay):\n%s", kept, diff)
			}
		}
	})
}

// With history that is used, a warm-up that the config does not say is long enough for a cold
// start; the plan is that from the start, in a replay too.
func TestHistoryMakesTheWarmupLonger(t *testing.T) {
	t.Parallel()
	silent := strings.Replace(seenConfig, "warmup: 1m, ", "", 1)
	for _, c := range []struct {
		name, text    string
		bounded       bool
		warmup, steps int
	}{
		{"used", silent + "history: {length: 1h}\n", false, 3, 20},
		{"said", seenConfig + "history: {length: 1h}\n", false, 2, 20},
		{"too short to be used", silent + "history: {length: 10m}\n", false, 2, 20},
		{"off", silent + "history: off\n", false, 2, 20},
		{"not asked for", silent, false, 3, 20},
		{"a window with an end", silent + "history: {length: 1h}\n", true, 3, 19},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conf := parse(t, c.text)
				o, _, path := recorded(t, conf, &world{at: shop(1.45)}, func(j *job.Job) { j.Bounded = c.bounded })
				if w := conf.Window; w.Warmup != c.warmup || w.Steps != c.steps || conf.Plan.Steps != c.steps || o.Total != c.warmup+c.steps {
					t.Errorf("warm-up %d, steps %d, %d in all", w.Warmup, w.Steps, o.Total)
				}
				again, out := replayed(t, path, c.text)
				if diff := cmp.Diff(resultJSON(t, conf, o), resultJSON(t, again, out)); diff != "" {
					t.Errorf("the replay says something else (-live +replay):\n%s", diff)
				}
				// With the config that the recording holds, in which the warm-up is said.
				own := parse(t, c.text)
				own.Window.WarmupAssumed, own.Window.Warmup = false, 2
				r, err := recording.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if h := r.History; h != nil {
					own.Window.Warmup = h.Warmup
					own.SetSteps(h.Steps)
				}
				if diff := cmp.Diff(resultJSON(t, conf, o), resultJSON(t, own, replayOf(t, own, r))); diff != "" {
					t.Errorf("the replay with its own config says something else (-live +replay):\n%s", diff)
				}
			})
		})
	}
}
