package analysis_test

import (
	"fmt"
	"log"

	"github.com/canary-judge/canary-judge/analysis"
)

// A canary whose error rate is five times the baseline's fails long before the end of
// the planned hour.
func ExampleJudge() {
	judge, err := analysis.NewJudge(analysis.Plan{
		Steps: 120, FalseAlarm: 0.05, WrongPass: 0.05,
		Metrics: []analysis.Metric{{
			Name: "errors", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}, Floor: analysis.DefaultFloor,
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 120 {
		verdict, err := judge.Step(analysis.Look{Pairs: []analysis.Pair{{
			Baseline: analysis.CountSample(9, 900),
			Canary:   analysis.CountSample(5, 100),
		}}})
		if err != nil {
			log.Fatal(err)
		}
		if verdict != analysis.Inconclusive {
			break
		}
	}
	result := judge.Result()
	fmt.Println(result.Verdict, result.Metrics[0].Decision, result.Looks < 20)
	// Output: fail fail true
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
