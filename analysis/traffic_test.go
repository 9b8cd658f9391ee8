package analysis_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// atTraffic is a rate of bad events, or of good ones where a decrease is bad, of as many
// requests a step in each arm, with noise of each arm's rate.
func atTraffic(n, rate, tolerance, cv, phi float64) family {
	name := fmt.Sprintf("%g requests, %g %%, tolerance %g %%, side noise CV %g, AR %g", n, 100*rate, 100*tolerance, cv, phi)
	m := analysis.Metric{Name: name, Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: tolerance}}
	changes := []float64{1, 1 + tolerance, 2}
	if rate > 0.5 {
		m.Direction = analysis.Decrease
		changes = []float64{1, 1 / (1 + tolerance), 0.5}
	}
	a := arms{steps: 60, n: n, m: n, rate: rate, cv: cv, phi: phi, steady: true}
	f := family{name: name, steps: a.steps, metric: m, data: a.data}
	for i, word := range []string{"clean", "at tolerance", "x2"} {
		f.cells = append(f.cells, cell{name: word, change: changes[i]})
	}
	return f
}

// A canary must not be the harder to pass the more is known of it.
func TestPowerDoesNotFallWithTraffic(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a simulation")
	}
	const runs = 20
	for _, c := range []struct {
		rate, tolerance, enough float64 // enough requests for all clean canaries to pass
	}{{.01, .05, 1e5}, {.01, .25, 1e4}, {.95, .05, 1e3}} {
		t.Run(fmt.Sprintf("%g %%, tolerance %g %%", 100*c.rate, 100*c.tolerance), func(t *testing.T) {
			t.Parallel()
			for n := c.enough; n <= 1e7; n *= 10 {
				f := atTraffic(n, c.rate, c.tolerance, 0, 0)
				if r := f.simulate(t, f.cells[0], runs); r.passed < runs-1 {
					t.Errorf("with %g requests %d of %d clean canaries pass", n, r.passed, runs)
				}
				f.cells[1].mostFail, f.cells[1].mostPass = 0.05, 0.05
				f.cells[1].hold(t, f.simulate(t, f.cells[1], runs))
			}
		})
	}
}

// TestTrafficTable prints the tables of docs/statistics/method.md, section 13.18, with TRAFFIC_RUNS=100
// runs a cell.
func TestTrafficTable(t *testing.T) {
	if os.Getenv("TRAFFIC_RUNS") == "" {
		t.Skip("long: TRAFFIC_RUNS is not set")
	}
	var runs int
	if _, err := fmt.Sscan(os.Getenv("TRAFFIC_RUNS"), &runs); err != nil {
		t.Fatal("TRAFFIC_RUNS: ", err)
	}
	var all []family
	for _, rate := range []float64{.001, .01, .05, .3, .95} {
		for _, tolerance := range []float64{.05, .1, .25} {
			for _, n := range []float64{1e3, 1e4, 1e5, 1e6, 1e7} {
				all = append(all, atTraffic(n, rate, tolerance, 0, 0))
			}
		}
	}
	for _, phi := range []float64{0, .3, .5} {
		for _, cv := range []float64{.01, .02, .05, .1, .2, .3} {
			for _, n := range []float64{1e5, 1e6, 1e7} {
				all = append(all, atTraffic(n, .01, .05, cv, phi), atTraffic(n, .01, .25, cv, phi))
			}
		}
	}
	lines := make([]string, len(all))
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() {
			clean, at, twice := f.simulate(t, f.cells[0], runs), f.simulate(t, f.cells[1], runs), f.simulate(t, f.cells[2], runs)
			lines[i] = fmt.Sprintf("| %s | %.3f / %.1f | %.3f | %.3f | %.3f / %.1f |\n", f.name, clean.share(clean.passed), clean.mean(clean.toPass),
				at.share(at.failed), at.share(at.passed), twice.share(twice.failed), twice.mean(twice.toFail))
		})
	}
	wg.Wait()
	fmt.Fprint(t.Output(), strings.Join(lines, ""))
}
