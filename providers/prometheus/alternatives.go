package prometheus

import (
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/canary-judge/canary-judge/providers"
)

// either reads alternatives, of which the later ones hold where the first ones have
// nothing.
func (r *reader) either(exprs []metricsql.Expr, natures []nature, n nature) nature {
	n.is = natures[0].is
	for i, alternative := range natures {
		switch {
		case alternative.is == zero && r.part != providers.Value && i > 0:
			if !vouched(exprs[:i], exprs[i]) {
				r.reading.ZerosMadeUp = true
			}
		case alternative.is == zero || alternative.is == constant || alternative.is == condition && i > 0:
			r.refuse("%s in %s is made up where the source has nothing: an arm that sends nothing would look like one that sends it; leave it out, %s",
				alternative.text, n.text, r.instead())
		case i > 0 && r.part == providers.Value && invents(exprs[0], exprs[i]):
			r.refuse("%s is judged where %s has nothing, and is not the same thing: an arm that sends nothing would look like one that sends it; leave it out, %s",
				alternative.text, natures[0].text, r.instead())
		case alternative.is != count && alternative.is != n.is:
			n = alternative // the less it is a count the more it decides
		}
	}
	return n
}

// instead is what to write for data that the source does not have.
func (r *reader) instead() string {
	if r.part == providers.Value {
		return "a step without data is a gap; for a share of errors write ratio: with bad: and total:, and absent: zero"
	}
	return "or write vector(0), and absent: zero if silence means that there are none"
}

// vouched reports whether the zero of the last alternative is there only where the source
// has the metrics of the others.
func vouched(others []metricsql.Expr, zero metricsql.Expr) bool {
	voices := selectors(zero)
	for _, e := range others {
		for _, s := range selectors(e) {
			if !slices.ContainsFunc(voices, s.vouchedBy) {
				return false
			}
		}
	}
	return len(voices) > 0
}

// invents reports whether an alternative cannot be the first one under another name: unless
// it is built in the same way, it may change the unit of what the source stores, and no more.
func invents(first, alternative metricsql.Expr) bool {
	if shape(first) == shape(alternative) {
		return false
	}
	found := false
	metricsql.VisitAll(alternative, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			found = found || scraped.MatchString(newSelector(e).name)
		case *metricsql.FuncExpr:
			found = found || observing[strings.ToLower(e.Name)]
		case *metricsql.AggrFuncExpr:
			found = found || observing[strings.ToLower(e.Name)]
		case *metricsql.BinaryOpExpr:
			found = found || e.Op != "*" && e.Op != "/" && (len(selectors(e.Left)) == 0 || len(selectors(e.Right)) == 0)
		}
	})
	return found
}

// shape is an expression without what it selects.
func shape(e metricsql.Expr) string {
	e = metricsql.Clone(e)
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		if m, ok := e.(*metricsql.MetricExpr); ok {
			m.LabelFilterss = nil
		}
	})
	return string(e.AppendString(nil))
}

// same reports whether two expressions are written alike.
func same(a, b metricsql.Expr) bool {
	return string(a.AppendString(nil)) == string(b.AppendString(nil))
}
