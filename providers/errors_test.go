package providers

import (
	"context"
	"errors"
	"testing"
)

func TestPlace(t *testing.T) {
	t.Parallel()
	err := Place(Query{Metric: "errors", Arm: Canary, Part: Bad}, context.Canceled)
	if want := `metric "errors", bad of the canary: context canceled`; err.Error() != want || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %s", err, want)
	}
}
