package job_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

// setClock is a wall clock that is set to another time at a moment.
type setClock struct {
	at time.Time
	by time.Duration
}

func (c setClock) Now() time.Time {
	if now := time.Now(); now.Before(c.at) {
		return now
	}
	return time.Now().Add(c.by)
}

func (setClock) Since(moment time.Time) time.Duration { return time.Since(moment) }

// A wall clock that is set while a run is under way changes nothing about it: neither what
// it comes to, nor how long that takes.
func TestAClockThatIsSet(t *testing.T) {
	t.Parallel()
	for _, factor := range []float64{1, 4} {
		want, took := clocked(t, factor, nil)
		for _, after := range []time.Duration{0, 90 * time.Second, 4 * time.Minute} {
			for _, by := range []time.Duration{time.Hour, -time.Hour, 40 * time.Second} {
				got, time := clocked(t, factor, func(began time.Time) job.Clock { return setClock{began.Add(after + 1), by} })
				if diff := cmp.Diff(want, got); diff != "" || time != took {
					t.Errorf("set by %s after %s: it took %s, want %s (-as it is +set)\n%s", by, after, time, took, diff)
				}
			}
		}
	}
}

// clocked returns what a run comes to with a clock, nil for the system's, and how long it
// takes. Each begins at the same time.
func clocked(t *testing.T, factor float64, clock func(began time.Time) job.Clock) (result string, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := parse(t, testConfig)
		// Of what has not been yet there are no data.
		j, _ := newJob(c, &world{at: func(q providers.Query, at time.Time) float64 {
			if at.Add(q.Step).After(time.Now()) {
				return math.NaN()
			}
			return shop(factor)(q, at)
		}})
		began := time.Now()
		if clock != nil {
			j.Clock = clock(began)
		}
		o, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		result, took = resultJSON(t, c, o), time.Since(began)
	})
	return result, took
}
