package stats

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

// tails reads testdata/tails.csv, written by tails.R.
func tails(t *testing.T, each func(kind string, a, b, x, lower, upper float64)) {
	t.Helper()
	f, err := os.Open("testdata/tails.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var v [5]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(row[i+1], 64); err != nil {
				t.Fatal(err)
			}
		}
		each(row[0], v[0], v[1], v[2], v[3], v[4])
	}
}

func TestTailsAgreeWithR(t *testing.T) {
	t.Parallel()
	tails(t, func(kind string, a, b, x, lower, upper float64) {
		what := kind + "(" + strconv.FormatFloat(a, 'g', -1, 64) + ", " + strconv.FormatFloat(b, 'g', -1, 64) + ")"
		switch kind {
		case "beta":
			// gonum's prefactor is the limit: 1e-8 where both parameters are near 1e6.
			tolerance := 1e-9
			if a+b > 1e5 {
				tolerance = 1.2e-8
			}
			near(t, what+" lower tail", BetaCDF(a, b, x), lower, tolerance)
			near(t, what+" upper tail", BetaTail(a, b, x), upper, tolerance)
			if lower > 1e-280 && lower < 0.5 {
				near(t, what+" quantile", math.Log(BetaQuantile(a, b, lower)), math.Log(x), 1e-7)
			}
		case "t":
			near(t, what+" lower tail", studentTailOf(a, -x), lower, 2e-12)
			near(t, what+" upper tail", studentTailOf(a, x), upper, 2e-12)
		case "tq":
			near(t, what+" quantile", studentTailQuantile(a, x), upper, 5e-11)
		case "z":
			if upper != 0 {
				near(t, what+" quantile", NormalTailQuantile(x), upper, 1e-14)
			}
		}
	})
}

func TestClockAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Name                           string
		Information, Cumulative, Level []float64
	}
	readJSON(t, "testdata/clock.json", &cases)
	for _, c := range cases {
		var clock Clock
		for i := range c.Information {
			level, ok := clock.Next(c.Information[i], c.Cumulative[i])
			if !ok {
				t.Fatalf("%s: no look %d", c.Name, i)
			}
			near(t, c.Name, level, c.Level[i], 5e-8)
		}
	}
}

// The first four nodes of the edge have the moments of the ten they stand for; the
// others are nodes of the trapezoidal rule itself.
func TestEdgeRule(t *testing.T) {
	t.Parallel()
	type node struct{ t, weight float64 }
	var fine []node
	for i := -8; i <= 8; i++ {
		x := nodeStep * float64(i)
		fine = append(fine, node{x*NormalTail(-x) + normalDensity(x), nodeStep * NormalTail(-x)})
	}
	const crowded, gauss = 10, 4
	for degree := range 2 * gauss {
		var want, got float64
		for _, n := range fine[:crowded] {
			want += n.weight * math.Pow(n.t, float64(degree))
		}
		for _, n := range edge[:gauss] {
			got += n.weight * math.Pow(n.t, float64(degree))
		}
		near(t, "moment", got, want, 1e-14)
	}
	for i, n := range fine[crowded:] {
		near(t, "node", edge[gauss+i].t, n.t, 1e-15)
		near(t, "weight", edge[gauss+i].weight, n.weight, 1e-15)
	}
}

// Lan & DeMets 1983 give the O'Brien-Fleming type boundary for five looks at a
// one-sided 0.025 to three decimals.
func TestClockAgreesWithPublishedBoundary(t *testing.T) {
	t.Parallel()
	const alpha = 0.025
	var clock Clock
	for k, want := range []float64{4.877, 3.357, 2.680, 2.290, 2.031} {
		fraction := float64(k+1) / 5
		spent := 2 * NormalTail(NormalTailQuantile(alpha/2)/math.Sqrt(fraction))
		level, ok := clock.Next(fraction, spent)
		if z := NormalTailQuantile(level); !ok || math.Abs(z-want) > 5e-4 {
			t.Errorf("look %d: z = %.4f, want %.3f", k+1, z, want)
		}
	}
}

func TestClockTakesNoLookWithoutNewInformation(t *testing.T) {
	t.Parallel()
	var clock Clock
	if _, ok := clock.Next(10, 0.01); !ok {
		t.Fatal("no first look")
	}
	if _, ok := clock.Next(10, 0.02); ok {
		t.Error("a look without new information")
	}
	if _, ok := clock.Next(10.001, 0.02); ok {
		t.Error("a look with too little new information")
	}
	if _, ok := clock.Next(12, 0.01); ok {
		t.Error("a look with nothing to spend")
	}
	a, ok := clock.Next(20, 0.02)
	if !ok {
		t.Fatal("no second look")
	}
	var direct Clock
	direct.Next(10, 0.01)
	if b, _ := direct.Next(20, 0.02); a != b {
		t.Errorf("looks that were none changed the level: %g, %g", a, b)
	}
}

func TestSharedClocksAgreeWithClocks(t *testing.T) {
	t.Parallel()
	var pool Clocks
	sequences := [][]float64{
		{1, 2, 3, 4, 5, 6},
		{1, 2, 3, 4, 5, 6},
		{1, 2, 3, 4.5, 5, 6},
		{1, 2.5, 3, 4, 5, 6},
		{0.5, 2, 3, 4, 5, 6},
		{0.5, 2, 3, 4, 5, 6.5},
	}
	shared := make([]*SharedClock, len(sequences))
	single := make([]Clock, len(sequences))
	for i := range shared {
		shared[i] = pool.New()
	}
	for look := range 6 {
		spent := SpendLater(0.05, float64(look+1)/6, 1)
		for i, s := range sequences {
			shared[i].Offer(s[look], spent)
			want, _ := single[i].Next(s[look], spent)
			if (look+i)%2 == 0 {
				continue // levels are asked for at some looks only
			}
			got, ok := shared[i].Level()
			if !ok || got != want {
				t.Errorf("sequence %d look %d: level %g, want %g", i, look, got, want)
			}
			if got > shared[i].Ceiling() {
				t.Errorf("sequence %d look %d: level %g above its ceiling %g", i, look, got, shared[i].Ceiling())
			}
		}
	}
	if shared[0].seen != shared[1].seen {
		t.Error("two equal sequences do not share a clock")
	}
}

func BenchmarkClock(b *testing.B) {
	info := make([]float64, 241)
	for k := 1; k <= 240; k++ {
		info[k] = info[k-1] + 1 + 0.2*math.Sin(float64(k))
	}
	for b.Loop() {
		var clock Clock
		for k := 3; k <= 240; k++ {
			clock.Next(info[k], SpendEarly(0.035, float64(k)/240))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/238, "ns/look")
}
