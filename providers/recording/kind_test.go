package recording

import (
	"slices"
	"testing"

	"github.com/canary-judge/canary-judge/providers"
)

// Each kind of points is whole, and each part is held by exactly one.
func TestEachKindOfPointsIsWhole(t *testing.T) {
	t.Parallel()
	var held []providers.Part
	for _, k := range Kinds() {
		of := kinds[k]
		if of.word == "" || len(of.parts) == 0 || of.add == nil || of.sample == nil || of.line == nil {
			t.Errorf("kind %d is not whole", int(k))
		}
		held = append(held, k.Parts()...)
	}
	slices.Sort(held)
	want := slices.Sorted(slices.Values(providers.Parts))
	if !slices.Equal(held, want) {
		t.Errorf("the parts %v are held, there are %v", held, want)
	}
}
