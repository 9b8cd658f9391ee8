package config

import (
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/providers"
)

// Arms of which one has the other in it are doubted, and the same labels in another order
// are the same arm.
func TestArmsThatOverlap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ arms, query, want string }{
		{`baseline: {env: prod}, canary: {env: prod, version: v2}`, `avg(x{$arm})`, "the baseline's labels select the canary too"},
		{`baseline: {env: prod, version: v1}, canary: {env: prod}`, `avg(x{$arm})`, "the canary's labels select the baseline too"},
		{`baseline: {env: prod, version: v1}, canary: {env: prod, version: v2}`, `avg(x{$arm})`, ""},
		{`baseline: {env: prod, offset: 1d}, canary: {env: prod, version: v2}`, `avg(x{$arm})`, ""},
	} {
		c, err := parseToy("{provider: toy, "+tt.arms+", metrics: [{name: m, value: '"+tt.query+"', tolerance: 10%}]}", false)
		if err != nil {
			t.Errorf("%s: %v", tt.arms, err)
			continue
		}
		if got := strings.Join(c.Doubts, "\n"); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.arms, got, tt.want)
		}
	}
	labels := []providers.Label{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
	if !sameLabels(labels, []providers.Label{labels[1], labels[0]}) || sameLabels(labels, labels[:1]) {
		t.Error("labels are compared by their order, or by some of them")
	}
}

func TestArmsMixedUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		baseline, canary map[string]string
		want             string
	}{
		{map[string]string{"service": "shop"}, map[string]string{"service": "shop-canary"}, ""},
		{map[string]string{"service": "shop-canary"}, map[string]string{"service": "shop"}, "the baseline's label service=shop-canary is named after the other arm: are the arms swapped?"},
		{map[string]string{"service": "canary"}, map[string]string{"service": "base"}, "the baseline's label service=canary and the canary's label service=base are named after the other arm: are the arms swapped?"},
		{map[string]string{"track": "stable"}, map[string]string{"track": "canary"}, ""},
		{map[string]string{"track": "v1"}, map[string]string{"track": "Stable"}, "the canary's label track=Stable is named after the other arm: are the arms swapped?"},
		{map[string]string{"app": "shop_candidate"}, map[string]string{"app": "shop-primary"}, "the baseline's label app=shop_candidate and the canary's label app=shop-primary are named after the other arm: are the arms swapped?"},
		{map[string]string{"canary": "false"}, map[string]string{"canary": "true"}, ""},
		{map[string]string{"is_canary": "true"}, map[string]string{"is_canary": "false"}, "the baseline's label is_canary=true and the canary's label is_canary=false are named after the other arm: are the arms swapped?"},
		// What both say, or one says of both, is no name of an arm.
		{map[string]string{"ns": "canary-demo", "v": "1"}, map[string]string{"ns": "canary-demo", "v": "2"}, ""},
		{map[string]string{"app": "canary-shop-v1"}, map[string]string{"app": "canary-shop-v2"}, ""},
		{map[string]string{"cluster": "shop-canary-baseline"}, map[string]string{"cluster": "shop-canary"}, ""},
		{map[string]string{"app": "database"}, map[string]string{"app": "databases"}, ""},
		{nil, nil, ""},
	} {
		labels := func(of map[string]string) (all []providers.Label) {
			for name, value := range of {
				all = append(all, providers.Label{Name: name, Value: value})
			}
			return all
		}
		if got := mixedUp(labels(tt.baseline), labels(tt.canary)); got != tt.want {
			t.Errorf("%v, %v: %q, want %q", tt.baseline, tt.canary, got, tt.want)
		}
	}
}
