package job_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

const instancesConfig = seenConfig + "history: {length: 1h, instances: pod}\n"

// pods is a world in which queries that are divided by pod are answered for each of some, which show something between two
// ages before the end of what is asked for.
type pods struct {
	*world
	of    map[providers.Arm][]pod
	asked [][]providers.Query
}

type pod struct {
	name     string
	from, to time.Duration
	times    float64 // its numbers are so many times the arm's
}

func (p *pods) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	p.asked = append(p.asked, queries)
	if !strings.Contains(queries[0].Expr, "by (pod)") {
		return p.world.Fetch(ctx, queries)
	}
	answers := make([]providers.Answer, len(queries))
	for i, q := range queries {
		for _, one := range p.of[q.Arm] {
			s := analysis.Series{Labels: map[string]string{"pod": one.name}, Step: q.Step}
			for at := q.Start; at.Before(q.End); at = at.Add(q.Step) {
				if age := q.End.Sub(at); age <= one.from && age > one.to {
					s.Points = append(s.Points, analysis.ValuePoint(at, math.Round(1000*one.times*p.at(q, at))/1000))
				}
			}
			answers[i].Series = append(answers[i].Series, s)
		}
	}
	return answers, nil
}

func shopPods(baseline int) *pods {
	p := &pods{world: &world{at: shop(1)}, of: map[providers.Arm][]pod{}}
	for i := range baseline {
		p.of[providers.Baseline] = append(p.of[providers.Baseline], pod{fmt.Sprint("pod-", i), time.Hour, 0, 1 + 0.01*float64(i)})
	}
	p.of[providers.Canary] = []pod{{"canary-0", time.Minute, 0, 1}, {"canary-1", 2 * time.Minute, 0, 1}, {"canary-before", time.Hour, 10 * time.Minute, 1}}
	return p
}

// Both arms are asked for by instance once before the first look; those of the baseline that are in the run, for long
// enough, are learned from. A replay is judged with the same.
func TestInstancesAreFetchedOnceAndRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := shopPods(5)
		w.of[providers.Baseline] = append(w.of[providers.Baseline],
			pod{"ended", time.Hour, 5 * time.Minute, 3}, pod{"young", 10 * time.Minute, 0, 3}, pod{"restarted", 30 * time.Minute, 0, 1.1})
		c := parse(t, instancesConfig)
		began := time.Now().UTC()
		o, _, path := recorded(t, c, w, nil)
		to := began.Add(-15 * time.Second).Truncate(30 * time.Second)
		for i, queries := range w.asked {
			for _, q := range queries {
				if divided := strings.Contains(q.Expr, "by (pod)"); divided != (i == 0) {
					t.Errorf("request %d asks for %s", i, q.Expr)
				}
				if i == 0 && (!q.Start.Equal(to.Add(-time.Hour)) || !q.End.Equal(to)) {
					t.Errorf("%s: from %s to %s", q.Metric, q.Start, q.End)
				}
			}
		}
		if n := len(w.asked[0]); n != 6 {
			t.Errorf("%d queries of the history, want 6", n)
		}
		for i := range c.Plan.Metrics {
			h := c.Plan.Metrics[i].History
			if h == nil || len(h.Instances) != 6 || h.CanaryInstances != 2 || h.BaselineInstances != 7 || h.Pairs != nil {
				t.Fatalf("the history of %s: %+v", c.Metrics[i].Name, h)
			}
			q := providers.Query{Arm: providers.Baseline, Part: providers.Value}
			at := to.Add(-30 * time.Second)
			if last := h.Instances[1][119]; i == 1 && math.Abs(last.Value()-1.01*w.at(q, at)) > 0.001 {
				t.Errorf("the last step of pod-1 shows %g", last.Value())
			}
			// The restarted one counts from the end of its warm-up on: 60 steps less two.
			shown := 0
			for _, s := range h.Instances[5] {
				if c.Plan.Metrics[i].Shows(s) {
					shown++
				}
			}
			if shown != 58 {
				t.Errorf("%d steps of the one that was restarted", shown)
			}
		}
		want := "errors, latency: of the instances by pod, 1 of the baseline ended before the run and do not count; 1 of the baseline began too late to tell anything: 30 steps are needed of each, after its warm-up"
		if diff := cmp.Diff([]string{want}, o.History.Notes); diff != "" || len(o.History.Hash) != 64 {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		again, replay := replayed(t, path, instancesConfig)
		if diff := cmp.Diff(resultJSON(t, c, o), resultJSON(t, again, replay)); diff != "" {
			t.Errorf("the replay says something else (-live +replay):\n%s", diff)
		}
		for i, m := range replay.Result.Metrics {
			if m.Learned == nil || m.Learned.Cause != "" || !(m.Learned.Between >= 0) || math.IsNaN(m.Learned.Trust) {
				t.Errorf("%s learned %+v", c.Metrics[i].Name, m.Learned)
			}
		}
		// Judged without them, nothing of them is there.
		if _, without := replayed(t, path, testConfig); without.History != nil {
			t.Errorf("without: %+v", without.History)
		}
	})
}

// Too few instances leave the verdict as it is without them, and so does a history of no time.
func TestTooFewInstances(t *testing.T) {
	t.Parallel()
	judged := func(text string, w providers.Provider) (o *job.Outcome) {
		synctest.Test(t, func(t *testing.T) { o, _, _ = recorded(t, parse(t, text), w, nil) }) // each begins at the same time
		return o
	}
	without := judged(testConfig, &world{at: shop(1)})
	for text, w := range map[string]*pods{
		instancesConfig: shopPods(4),
		strings.Replace(instancesConfig, "length: 1h", "length: 1h, since: -1s", 1): shopPods(9),
	} {
		for i, m := range judged(text, w).Result.Metrics {
			if m.Learned.Cause != analysis.HistoryTooFewInstances {
				t.Errorf("%s: %+v", m.Name, m.Learned)
			}
			if was := without.Result.Metrics[i]; m.Decision != was.Decision || m.DecidedAt != was.DecidedAt || m.Effect != was.Effect {
				t.Errorf("%s: %v at %d, %+v; without %v at %d, %+v", m.Name, m.Decision, m.DecidedAt, m.Effect, was.Decision, was.DecidedAt, was.Effect)
			}
		}
	}
}

// Instances that cannot be fetched are none that are not there.
func TestInstancesThatFailEndTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := shopPods(6)
		w.of[providers.Canary] = append(w.of[providers.Canary], w.of[providers.Canary][0])
		for _, source := range []providers.Provider{w, &world{at: shop(1), err: func(time.Time) error { return errDown }}} {
			j, _ := newJob(parse(t, instancesConfig), source)
			o, err := j.Run(t.Context())
			if o == nil || o.Ended != job.AtError || err == nil || !strings.Contains(err.Error(), "fetch the history: ") {
				t.Errorf("%+v, %v", o, err)
			}
		}
	})
}

// What a run would look at is told beforehand.
func TestLookingBackAtInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := job.LookBack(t.Context(), parse(t, instancesConfig), map[string]providers.Provider{"prometheus": shopPods(6)}, time.Now().UTC())
		if err != nil {
			t.Fatal(err)
		}
		want := job.Seen{Metric: "latency", Steps: 720, Usable: 720, Least: 30, Baseline: 6, Canary: 2}
		if diff := cmp.Diff(want, l.Seen[1]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
