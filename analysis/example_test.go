package analysis_test

import (
	"fmt"
	"log"

	"github.com/canary-judge/canary-judge/analysis"
)

// A run from the plan to the verdict. The canary's error rate is five times the
// baseline's, and it fails long before the end of the planned hour.
func ExampleJudge() {
	plan := analysis.Plan{
		Steps: 120, FalseAlarm: analysis.DefaultFalseAlarm, WrongPass: analysis.DefaultWrongPass,
		Metrics: []analysis.Metric{
			{Name: "errors", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}, Floor: analysis.DefaultFloor},
			{Name: "latency", Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: 0.1}},
		},
	}
	judge, err := analysis.NewJudge(plan)
	if err != nil {
		log.Fatal(err)
	}
	for step := 0; step < plan.Steps && judge.Verdict() == analysis.VerdictInconclusive; step++ {
		// What was measured in this step: here the same in each.
		pairs, err := plan.Pairs(map[string]analysis.Pair{
			"errors":  {Baseline: analysis.CountSample(9, 900), Canary: analysis.CountSample(5, 100)},
			"latency": {Baseline: analysis.ValueSample(0.21), Canary: analysis.ValueSample(0.20)},
		})
		if err != nil {
			log.Fatal(err)
		}
		if _, err := judge.Step(analysis.Look{Pairs: pairs}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(judge.Verdict(), judge.Looks() < 20)
	// Output: fail true
}

// A Result says of each metric what was decided, how large the change is and between
// which limits, and what stands against a decision.
func ExampleResult() {
	judge, err := analysis.NewJudge(analysis.Plan{
		Steps: 20, FalseAlarm: 0.05, WrongPass: 0.05,
		Metrics: []analysis.Metric{
			{Name: "latency", Tolerance: analysis.Tolerance{Size: 0.1}},
			{Name: "memory", Tolerance: analysis.Tolerance{Size: 0.1}, Advisory: true},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 20 {
		load := 100 + 10*float64(i%4) // both arms have it
		latency := analysis.Pair{Baseline: analysis.ValueSample(load), Canary: analysis.ValueSample(load * 1.5)}
		var memory analysis.Pair // nothing was measured
		if verdict, err := judge.Step(analysis.Look{Pairs: []analysis.Pair{latency, memory}}); err != nil {
			log.Fatal(err)
		} else if verdict != analysis.VerdictInconclusive {
			break
		}
	}
	result := judge.Result()
	fmt.Println("verdict:", result.Verdict)
	for _, m := range result.Metrics {
		switch m.Decision {
		case analysis.Pass, analysis.Fail:
			fmt.Printf("%s: %s, %+.0f%% of a tolerated %+.0f%%\n", m.Name, m.Decision, 100*m.Effect.Estimate, 100*m.UpperLimit)
		default:
			fmt.Printf("%s: %s, %s\n", m.Name, m.Decision, m.Cause)
		}
	}
	// Output:
	// verdict: fail
	// latency: fail, +50% of a tolerated +10%
	// memory: no data, no usable step
}

// A guard watches beside the metrics. One that could not be read keeps a healthy canary
// from passing; one that alerts fails it at once.
func ExampleGuardState() {
	plan := analysis.Plan{
		Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, PassAfter: 10,
		Metrics: []analysis.Metric{{Name: "latency", Tolerance: analysis.Tolerance{Size: 0.1}}},
		Guards:  []string{"monitor 12345"},
	}
	for _, state := range []analysis.GuardState{analysis.GuardQuiet, analysis.GuardUnread, analysis.GuardAlerting} {
		judge, err := analysis.NewJudge(plan)
		if err != nil {
			log.Fatal(err)
		}
		for i := 0; i < plan.Steps && judge.Verdict() == analysis.VerdictInconclusive; i++ {
			healthy := analysis.Pair{Baseline: analysis.ValueSample(200 + float64(i%3)), Canary: analysis.ValueSample(200 + float64(i%2))}
			if _, err := judge.Step(analysis.Look{Pairs: []analysis.Pair{healthy}, Guards: []analysis.GuardState{state}}); err != nil {
				log.Fatal(err)
			}
		}
		fmt.Printf("%s: %s after %d looks\n", state, judge.Verdict(), judge.Looks())
	}
	// Output:
	// quiet: pass after 10 looks
	// unread: inconclusive after 30 looks
	// alert: fail after 1 looks
}

// What is not given is a gap, never a zero: a canary of which nothing was measured
// does not pass, and its metric has no data.
func ExampleSample() {
	judge, err := analysis.NewJudge(analysis.Plan{
		Steps: 10, FalseAlarm: 0.05, WrongPass: 0.05,
		Metrics: []analysis.Metric{{Name: "latency", Tolerance: analysis.Tolerance{Size: 0.1}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 10 {
		if _, err := judge.Step(analysis.Look{Pairs: []analysis.Pair{{Baseline: analysis.ValueSample(0.2)}}}); err != nil {
			log.Fatal(err)
		}
	}
	result := judge.Result()
	fmt.Println(result.Verdict, result.Metrics[0].Decision, analysis.Sample{}.Gap())
	// Output: inconclusive no data true
}

// A step in which a metric was not measured is a gap of it; a name that no metric has is
// an error.
func ExamplePlan_Pairs() {
	plan := analysis.Plan{Metrics: []analysis.Metric{{Name: "errors", Kind: analysis.Ratio}, {Name: "latency"}}}
	pairs, err := plan.Pairs(map[string]analysis.Pair{
		"latency": {Baseline: analysis.ValueSample(0.21), Canary: analysis.ValueSample(0.20)},
	})
	fmt.Println(len(pairs), pairs[0].Canary.Gap(), pairs[1].Canary.Value(), err)
	_, err = plan.Pairs(map[string]analysis.Pair{"latencies": {}})
	fmt.Println(err)
	// Output:
	// 2 true 0.2 <nil>
	// no metric of the plan is named "latencies"; its metrics are "errors", "latency"
}
