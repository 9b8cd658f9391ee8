package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// healthy returns a plan of half value and half ratio metrics, every ratio with
// totals of its own, and an unchanged canary's pairs, a row a step. The last
// metric has a tolerance of 0 and so keeps the run open to its last look.
func healthy(metrics, steps int) (Plan, [][]Pair) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := Plan{Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05}
	for i := range metrics {
		m := Metric{Name: fmt.Sprint("metric ", i), Kind: Kind(i % 2), Tolerance: Tolerance{Size: 0.25}}
		if m.Kind == Ratio {
			m.Floor = DefaultFloor
		}
		if i == metrics-1 {
			m.Tolerance.Size, m.Floor = 0, 0
		}
		p.Metrics = append(p.Metrics, m)
	}
	rows := make([][]Pair, steps)
	for k := range rows {
		for i := range metrics {
			if i%2 == 0 {
				common := 100 * math.Exp(0.2*rng.NormFloat64())
				rows[k] = append(rows[k], values(common*math.Exp(0.05*rng.NormFloat64()), common*math.Exp(0.05*rng.NormFloat64())))
			} else {
				count := func(mean float64) float64 {
					return math.Max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
				}
				n, m := count(1000), count(9000)
				x, y := count(0.01*n), count(0.01*m)
				rows[k] = append(rows[k], rates(x, n, y, m))
			}
		}
	}
	return p, rows
}

func BenchmarkJudge(b *testing.B) {
	for _, size := range []struct{ metrics, steps int }{{1, 240}, {1000, 240}} {
		p, rows := healthy(size.metrics, size.steps)
		b.Run(fmt.Sprintf("%dx%d", size.metrics, size.steps), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j, err := NewJudge(p)
				if err != nil {
					b.Fatal(err)
				}
				for _, row := range rows {
					if _, err := j.Step(Look{Pairs: row}); err != nil {
						b.Fatal(err)
					}
				}
				if r := j.Result(); r.Looks != size.steps {
					b.Fatal(r.Verdict, r.Looks)
				}
			}
		})
	}
}
