package providers

import (
	"cmp"
	"maps"
	"slices"
)

// CompareLabels orders series: by name and value of their labels, the names in
// alphabetical order.
func CompareLabels(a, b map[string]string) int {
	names, others := slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))
	for i := range min(len(names), len(others)) {
		if c := cmp.Or(cmp.Compare(names[i], others[i]), cmp.Compare(a[names[i]], b[others[i]])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(names), len(others))
}
