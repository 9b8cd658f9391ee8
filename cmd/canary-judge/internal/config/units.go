package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unitFamilies are the units that convert into each other, with their size in
// the family's base unit, the first.
var unitFamilies = [][]struct {
	name string
	size float64
}{
	{{"s", 1}, {"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}},
	{
		{"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	},
	{{"fraction", 1}, {"percent", 0.01}, {"pt", 0.01}},
}

// convert returns how many of the unit to one of the unit from is, and false when
// the one is not a multiple of the other.
func convert(from, to string) (float64, bool) {
	if from == to {
		return 1, true
	}
	for _, family := range unitFamilies {
		size := func(name string) float64 {
			for _, u := range family {
				if u.name == name {
					return u.size
				}
			}
			return 0
		}
		if a, b := size(from), size(to); a > 0 && b > 0 {
			return a / b, true
		}
	}
	return 0, false
}

// amount is a number with its unit.
type amount struct {
	number float64
	unit   string // "" = none, "%" for a percentage
}

var amountText = regexp.MustCompile(`^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([\pL%µ][\pL\pN_/%-]*)?\s*$`)

// parseAmount reads a number and its unit, such as 10%, 0.2pt or 20ms.
func parseAmount(text string) (amount, error) {
	m := amountText.FindStringSubmatch(text)
	if m == nil {
		return amount{}, fmt.Errorf("%q is no number with a unit", text)
	}
	number, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return amount{}, fmt.Errorf("%q is too large a number", text)
	}
	return amount{number, m[2]}, nil
}

// meantAmount says what a text that is no amount was probably meant to be, "" for nothing.
func meantAmount(text string) string {
	meant := strings.ReplaceAll(strings.TrimLeft(text, "±+-<>=~≤≥ "), ",", ".")
	if a, err := parseAmount(meant); err != nil || a.unit == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", meant)
}

// Percent is a share or rate, written as a percentage. 0.05 is 5%.
type Percent float64

// UnmarshalText reads a percentage such as 5% or 0.1%.
func (p *Percent) UnmarshalText(text []byte) error {
	a, err := parseAmount(string(text))
	switch {
	case err != nil || a.unit != "%" && a.unit != "":
		return fmt.Errorf("%q is no percentage; %s", text, cmp.Or(meantAmount(string(text)), "write one such as 5%"))
	case a.unit == "" && a.number > 0 && a.number < 1:
		return fmt.Errorf("%q lacks its unit; write %s%% if that is a part of 1, or %s%% if it is a percentage", text, ofHundred(a.number), strings.TrimSpace(string(text)))
	case a.unit == "":
		return fmt.Errorf("%q lacks its unit; write a percentage such as %s%%", text, strings.TrimSpace(string(text)))
	case a.number < 0 || a.number > 100:
		return fmt.Errorf("%q is not between 0%% and 100%%", text)
	}
	*p = Percent(a.number / 100)
	return nil
}

// ofHundred writes a part of 1 as a percentage.
func ofHundred(part float64) string { return strconv.FormatFloat(100*part, 'g', 6, 64) }

// Tolerance is the change that is accepted: a percentage of the baseline, or an
// amount with a unit.
type Tolerance struct {
	Relative bool
	Number   float64 // a fraction when Relative
	Unit     string  // of an absolute one
}

// UnmarshalText reads 10%, 0.2pt or 20ms.
func (t *Tolerance) UnmarshalText(text []byte) error {
	a, err := parseAmount(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("%q is no tolerance; %s", text, cmp.Or(meantAmount(string(text)), "write a share of the baseline such as 10%, or an amount such as 0.2pt or 20ms"))
	case a.unit == "" && a.number > 0 && a.number < 1:
		return fmt.Errorf("the tolerance %q lacks its unit: write %s%% if that is a part of the baseline, %[3]s%% or %[3]spt (percentage points) if it is a percentage, or an amount such as %[3]sms",
			text, ofHundred(a.number), strings.TrimSpace(string(text)))
	case a.unit == "":
		return fmt.Errorf("the tolerance %q lacks its unit: write %s%% of the baseline, %spt (percentage points), or an amount such as %sms",
			text, strings.TrimSpace(string(text)), strings.TrimSpace(string(text)), strings.TrimSpace(string(text)))
	case a.number < 0:
		return fmt.Errorf("the tolerance %q is negative; say which movement is bad with direction", text)
	}
	*t = Tolerance{Relative: a.unit == "%", Number: a.number, Unit: a.unit}
	if t.Relative {
		t.Number, t.Unit = a.number/100, ""
	}
	return nil
}

// Amount is a number with its unit, such as 500ms.
type Amount struct{ amount }

// UnmarshalText reads a number with its unit.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := parseAmount(string(text))
	if err == nil && v.unit == "" {
		err = fmt.Errorf("%q lacks its unit; write an amount such as 500ms", text)
	}
	if err == nil && v.number <= 0 {
		err = fmt.Errorf("%q must be more than 0", text)
	}
	a.amount = v
	return err
}

// Quantile is a place in a distribution; -1 is none.
type Quantile float64

const noQuantile Quantile = -1

// UnmarshalText reads p95, 95%, 0.95 or none.
func (q *Quantile) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "none" {
		*q = noQuantile
		return nil
	}
	digits, percent := strings.CutPrefix(s, "p")
	if !percent {
		digits, percent = strings.CutSuffix(s, "%")
	}
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return fmt.Errorf("%q is no quantile; write one such as p95 or 0.95", text)
	}
	*q = Quantile(v)
	return nil
}

// word reads one of a few words into an enumeration whose values follow their
// order.
func word[T ~int](into *T, what string, text []byte, words ...string) error {
	i := slices.Index(words, string(text))
	if i < 0 {
		if like := nearest(string(text), words); like != "" {
			return fmt.Errorf("%q is no %s; did you mean %s? (valid: %s)", text, what, like, list(words))
		}
		return fmt.Errorf("%q is no %s; valid: %s", text, what, list(words))
	}
	*into = T(i)
	return nil
}
