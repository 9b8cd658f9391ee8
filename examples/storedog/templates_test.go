package storedog

import (
	"maps"
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	t.Parallel()
	got, err := Fill("listen ${ADDRESS}; set $a $host; # ${ADDRESS} ${lower}", map[string]string{"ADDRESS": "127.0.0.1:80"})
	if want := "listen 127.0.0.1:80; set $a $host; # 127.0.0.1:80 ${lower}"; err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	_, err = Fill("${A} ${B} ${B}", map[string]string{"A": "1", "C": "3", "D": "4"})
	if want := "the template has no variable C\nthe template has no variable D\nthe template's variable B has no value"; err == nil || err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
}

// TestVariables checks that the templates have the variables that the README names and
// the containers set.
func TestVariables(t *testing.T) {
	t.Parallel()
	common := "DIR DISCOUNTS_ADDRESS RESOLVER STORE_ADDRESS"
	for _, c := range []struct{ name, template, want string }{
		{"nginx", Nginx, common + " CANARY DISCOUNTS DISCOUNTS_CANARY FRONTEND FRONTEND_CANARY SHARE SPLIT_KEY"},
		{"nginx blue/green", NginxBlueGreen, common + " DISCOUNTS_BLUE DISCOUNTS_GREEN FRONTEND_BLUE FRONTEND_GREEN LIVE"},
		{"prometheus", Prometheus, "CHECKS_TARGETS DISCOUNTS_TARGETS FRONTEND_TARGETS SCRAPE_INTERVAL"},
	} {
		want, got := map[string]bool{}, map[string]bool{}
		for _, name := range strings.Fields(c.want) {
			want[name] = true
		}
		for _, match := range variable.FindAllStringSubmatch(c.template, -1) {
			got[match[1]] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("the variables of %s are %v, want %v", c.name, got, want)
		}
		if strings.Count(c.template, "${") != len(variable.FindAllString(c.template, -1)) {
			t.Errorf("%s has a ${ that is no variable of ours: envsubst and Fill would differ", c.name)
		}
	}
}
