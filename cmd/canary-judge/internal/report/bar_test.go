package report

import (
	"math"
	"testing"
)

func TestBar(t *testing.T) {
	t.Parallel()
	nan := Number(math.NaN())
	// The bar of a tolerance of 24% goes from -24% to 48% in 24 steps of 3 points.
	upper := Tolerance{Lower: nan, Upper: 0.24}
	for _, c := range []struct {
		what string
		e    Effect
		t    Tolerance
		want string
	}{
		{"within", Effect{Estimate: 0, Lower: -0.06, Upper: 0.09}, upper, "······━━●━━━····┃········"},
		{"beyond", Effect{Estimate: 0.36, Lower: 0.3, Upper: 0.42}, upper, "········│·······┃·━━●━━··"},
		{"far beyond", Effect{Estimate: 3, Lower: 2, Upper: 5}, upper, "········│·······┃·······▸"},
		{"wide", Effect{Estimate: 0.12, Lower: -0.9, Upper: 2}, upper, "◂━━━━━━━━━━━●━━━┃━━━━━━━▸"},
		{"no upper limit", Effect{Estimate: nan, Lower: 0.3, Upper: nan}, upper, "········│·······┃·━━━━━━▸"},
		{"a decrease is bad", Effect{Estimate: 0, Lower: -0.03, Upper: 0.03}, Tolerance{Lower: -0.24, Upper: nan}, "········┃······━●━·······"},
		{"either is bad", Effect{Estimate: 0, Lower: -0.04, Upper: 0.04}, Tolerance{Lower: -0.12, Upper: 0.12}, "······┃···━━●━━···┃······"},
		{"no interval", Effect{Estimate: 0.1, Lower: nan, Upper: nan}, upper, ""},
		{"no tolerance", Effect{Estimate: 0.1, Lower: 0, Upper: 1}, Tolerance{Lower: nan, Upper: 0}, ""},
	} {
		if got := bar(c.e, c.t); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.what, got, c.want)
		}
	}
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	nan := Number(math.NaN())
	for _, c := range []struct {
		numbers []Number
		want    string
	}{
		{nil, ""},
		{[]Number{7, 7}, "▁▁"},
		{[]Number{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{[]Number{2, nan, 4, Number(math.Inf(1))}, "▁ █ "},
		{[]Number{nan}, " "},
		{make([]Number, 100), "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁"},
	} {
		if got := sparkline(c.numbers); got != c.want {
			t.Errorf("%v: %q, want %q", c.numbers, got, c.want)
		}
	}
}
