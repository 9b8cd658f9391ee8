package report

import (
	"math"
	"strings"
	"testing"
)

// A metric that passed is said to be below its floor only if its rate is; one whose
// interval has moved on since is not.
func TestWhyItPassed(t *testing.T) {
	t.Parallel()
	nan := Number(math.NaN())
	for _, tt := range []struct {
		name         string
		rate, upper  Number
		decided      int
		below, moved bool
	}{
		{"within", 0.03, 0.4, 10, false, false},
		{"within since some looks", 0.03, 0.4, 8, false, false},
		{"moved on", 0.03, 0.502, 8, false, true},
		{"below the floor", 0.0008, 3, 10, true, false},
		{"below what the floor allows with the tolerance", 0.0015, 3, 10, true, false},
		{"above that", 0.0016, 3, 8, false, true},
		{"no errors", 0, nan, 10, true, false},
		{"no errors, no floor", 0, 0.502, 8, false, true},
		{"below both", 0.0008, 0.4, 10, false, false},
	} {
		floor := Number(0.001)
		if tt.name == "no errors, no floor" {
			floor = 0
		}
		m := Metric{
			Name: "errors", Decision: "pass", Steps: 10, DecidedLook: tt.decided, Canary: Summary{Steps: 10, Rate: tt.rate},
			Effect:    Effect{Estimate: 0, Lower: -0.9, Upper: tt.upper, Unit: relativeUnit},
			Tolerance: Tolerance{Size: 0.5, Lower: nan, Upper: 0.5, Unit: relativeUnit, Floor: floor},
		}
		if m.belowFloor() != tt.below || m.movedOn() != tt.moved {
			t.Errorf("%s: below the floor %v, moved on %v", tt.name, m.belowFloor(), m.movedOn())
		}
		if cells := m.cells(); strings.Contains(cells[len(cells)-1], "below the floor") != tt.below {
			t.Errorf("%s: %q", tt.name, cells)
		}
	}
}
