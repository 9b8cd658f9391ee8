package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
)

// Asked at a full minute, data of the step that ends just then are 0 s old: the best there
// is, and not nothing to tell. A bubble begins at midnight.
func TestLatenessAtAFullMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLateness(&config.Config{}, nil, time.Now())
		q := providers.Query{Metric: "errors", Arm: providers.Canary, Part: providers.Total, Step: time.Minute}
		l.note(q, providers.Answer{Series: []analysis.Series{{Points: []analysis.Point{analysis.ValuePoint(time.Now().Add(-time.Minute), 5)}}}})
		if l.whose != "errors, total of the canary" || l.newest != 0 {
			t.Errorf("%q, %s", l.whose, l.newest)
		}
	})
}
