package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Pairs returns the pairs of a step in the order in which Look wants them, from pairs by
// metric name. A metric without a pair has a gap in both arms. A name that no metric of
// the plan has is an error: what was measured under it would be missed.
func (p Plan) Pairs(byName map[string]Pair) ([]Pair, error) {
	pairs := make([]Pair, len(p.Metrics))
	var names []string
	for i, m := range p.Metrics {
		pairs[i] = byName[m.Name]
		names = append(names, m.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("no metric of the plan is named %q; its metrics are \"%s\"", name, strings.Join(names, `", "`))
		}
	}
	return pairs, nil
}
