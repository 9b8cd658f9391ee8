package main

import (
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// What a recording may hold can be judged without a config.
func TestEachKindOfPointsIsJudgedWithoutAConfig(t *testing.T) {
	t.Parallel()
	for _, k := range recording.Kinds() {
		m, there := unconfigured[k]
		plan := analysis.Plan{Steps: analysis.LeastSteps, FalseAlarm: analysis.DefaultFalseAlarm, WrongPass: analysis.DefaultWrongPass, Metrics: []analysis.Metric{m}}
		if err := plan.Validate(); !there || m.Tolerance.Size == 0 || err != nil {
			t.Errorf("points that are %s are judged as %+v: %v", k, m, err)
		}
	}
}
