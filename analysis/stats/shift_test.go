package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// autoregressive returns noise of variance one.
func autoregressive(r *rand.Rand, n int, phi float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = r.NormFloat64()
		if i > 0 {
			all[i] = phi*all[i-1] + math.Sqrt(1-phi*phi)*all[i]
		}
	}
	return all
}

func TestLastShift(t *testing.T) {
	for _, tt := range []struct {
		name           string
		from, to       int // of another level, by 4 standard deviations
		earliest, most int // what is to be found
	}{
		{"one level", 0, 0, 0, 0},
		{"another one in the middle", 100, 160, 160, 185},
		{"at first", 0, 50, 50, 75},
		{"at last", 200, 240, 200, 230},
		{"for the most of it", 0, 180, 180, 210},
		{"too short to be one", 100, 103, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(20) {
				series := autoregressive(rand.New(rand.NewPCG(seed, 1)), 240, 0.3)
				for i := tt.from; i < tt.to; i++ {
					series[i] += 4
				}
				if got := LastShift(series, 0.5); got < tt.earliest || got > tt.most {
					t.Errorf("seed %d: %d, want %d to %d", seed, got, tt.earliest, tt.most)
				}
				if got := LastShift(series, 5); got != 0 {
					t.Errorf("seed %d: %d, although it is no more than what is asked for", seed, got)
				}
				if got := LastShift(series[:59], 0); got != 0 {
					t.Errorf("seed %d: %d of 59 elements", seed, got)
				}
			}
		})
	}
	if got := LastShift(make([]float64, 240), 0.5); got != 0 {
		t.Errorf("constant: %d", got)
	}
}

// Slow noise wanders, and is no change of level.
func TestSlowNoiseIsNoShift(t *testing.T) {
	for _, phi := range []float64{0, 0.5, 0.8, 0.9} {
		found := 0
		const runs = 200
		for seed := range uint64(runs) {
			if LastShift(autoregressive(rand.New(rand.NewPCG(seed, 2)), 240, phi), 0) > 0 {
				found++
			}
		}
		if found > runs/20 {
			t.Errorf("phi %g: found in %d of %d", phi, found, runs)
		}
	}
}

// The error of the mean of 30 is that of the covariances phi^|i-j|, added up.
func TestMeanError(t *testing.T) {
	const n = shiftWindow
	for _, phi := range []float64{0, 0.3, 0.7, 0.95} {
		sum := 0.0
		for i := range n {
			for j := range n {
				sum += math.Pow(phi, math.Abs(float64(i-j)))
			}
		}
		variance := sum / (n * n)
		near(t, "error", meanError((1-variance)*n/(n-1)*4, (1-phi+1e-12)*4), math.Sqrt(4*variance), 1e-9)
	}
}
