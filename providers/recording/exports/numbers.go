package exports

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// gaps are cells that say there is no value, in lower case.
var gaps = []string{"", "null", "nan", "none", "no data", "n/a", "na", "-", "–", "undefined"}

func isGap(cell string) bool { return slices.Contains(gaps, strings.ToLower(cell)) }

// quantityText divides a cell into a number and a unit.
var quantityText = regexp.MustCompile(`^([+-]?[0-9.,]*[0-9](?:[eE][+-]?[0-9]+)?)(?:[  ]*([\pL%°µ][\pL%°µ/²³ ]*))?$`)

// Numbers whose commas and points mean one thing only.
var (
	plainNumber  = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)
	pointNumber  = regexp.MustCompile(`^[+-]?\d{1,3}(,\d{3})*(\.\d+)?$`) // 1,234.5
	commaNumber  = regexp.MustCompile(`^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$`)
	eitherNumber = regexp.MustCompile(`^[+-]?\d{1,3},\d{3}$`) // 1,234
)

// decimal says how the numbers of a file are written.
type decimal int

const (
	asPoint decimal = iota // 1,234.5
	asComma                // 1.234,5
)

// decimalOf finds out how the numbers of a file are written from all of its cells.
func (im *importer) decimalOf(cells []string) (decimal, error) {
	point, comma, either := "", "", ""
	for _, cell := range cells {
		m := quantityText.FindStringSubmatch(cell)
		if m == nil || !strings.Contains(m[1], ",") {
			continue
		}
		switch p, c := pointNumber.MatchString(m[1]), commaNumber.MatchString(m[1]); {
		case eitherNumber.MatchString(m[1]):
			either = cell
		case p:
			point = cell
		case c:
			comma = cell
		}
	}
	q := web.Quote
	switch {
	case point != "" && comma != "":
		return 0, fmt.Errorf("in %q the comma is a decimal one, in %q it is not", q(comma), q(point))
	case im.options.Decimal == "comma" && point != "", im.options.Decimal == "point" && comma != "":
		return 0, fmt.Errorf("--decimal %s does not fit %q", im.options.Decimal, q(point+comma))
	case comma != "":
		im.note("a comma in numbers such as %q was taken for the decimal one", q(comma))
		return asComma, nil
	case im.options.Decimal == "comma":
		return asComma, nil
	case point != "" || im.options.Decimal == "point":
		return asPoint, nil
	case either != "":
		return 0, fmt.Errorf("%q may be %s or %s; say which with --decimal comma or --decimal point",
			q(either), strings.Replace(q(either), ",", ".", 1), strings.Replace(q(either), ",", "", 1))
	}
	return asPoint, nil
}

// quantity is a number with its unit.
type quantity struct {
	number float64
	unit   string
}

// quantity reads a cell that is no gap.
func (d decimal) quantity(cell string) (quantity, error) {
	bad := fmt.Errorf("%q is no number; want a finite number, or nothing for a gap", web.Quote(cell))
	m := quantityText.FindStringSubmatch(cell)
	if m == nil {
		return quantity{}, bad
	}
	text := m[1]
	switch {
	case plainNumber.MatchString(text) && (d == asPoint || !strings.Contains(text, ".")):
	case d == asPoint && pointNumber.MatchString(text):
		text = strings.ReplaceAll(text, ",", "")
	case d == asComma && commaNumber.MatchString(text):
		text = strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1)
	default:
		return quantity{}, bad
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return quantity{}, bad
	}
	unit := strings.TrimSpace(m[2])
	if unit == "%" {
		unit = "percent" // as configs say
	}
	return quantity{v, unit}, nil
}

// number reads what a program wrote for programs: no commas, no units. A gap is NaN.
func number(text string) (float64, error) {
	if isGap(text) {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", web.Quote(text))
	}
	if math.IsInf(v, 0) {
		return 0, errors.New("the value is infinite: a division by zero, or a percentile above the last bucket; change the query so that it is a number")
	}
	return v, nil
}

// units that convert into each other. The first of a family is what mixed ones become.
var families = [][]struct {
	name string
	size float64
}{
	{{"s", 1}, {"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"μs", 1e-6}, {"ms", 1e-3}, {"sec", 1}, {"min", 60}, {"mins", 60}, {"hour", 3600}, {"hours", 3600}},
	{
		{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	},
	{{"", 1}, {"K", 1e3}, {"Mil", 1e6}, {"Bil", 1e9}, {"Tri", 1e12}}, // Grafana's unit "short"
}

// sizeOf returns a unit's family, and how many of the family's first it is.
func sizeOf(unit string) (family int, size float64, ok bool) {
	for i, f := range families {
		for _, u := range f {
			if u.name == unit {
				return i, u.size, true
			}
		}
	}
	return 0, 0, false
}

// inBase returns a quantity in the first unit of its family.
func (q quantity) inBase() (quantity, error) {
	family, size, ok := sizeOf(q.unit)
	if !ok {
		return q, fmt.Errorf("%q cannot be converted", web.Quote(q.unit))
	}
	return quantity{q.number * size, families[family][0].name}, nil
}
