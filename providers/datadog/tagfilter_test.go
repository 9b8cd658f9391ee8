package datadog

import (
	"strings"
	"testing"
)

// What a filter picks before it rules anything out.
func TestPicked(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		"env:prod,service:shop":              "env:prod,service:shop",
		"env:prod,!service:shop":             "env:prod",
		"env:prod AND NOT service:shop":      "env:prod",
		"!service:shop":                      "*",
		"NOT (service:shop OR env:prod)":     "*",
		"env:prod OR NOT service:shop":       "*",
		"env:prod AND (a:b OR !c:d)":         "env:prod",
		"service NOT IN (a,b)":               "*",
		"env:prod AND service NOT IN (a, b)": "env:prod",
	} {
		f, err := parseTagFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		w, err := parseTagFilter(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := filterText(picked(f)); got != filterText(w) {
			t.Errorf("%s picks %s, want %s", filter, got, filterText(w))
		}
	}
}

// What a filter comes to for a canary of which these tags are known, by
// https://docs.datadoghq.com/monitors/downtimes/ and
// https://docs.datadoghq.com/logs/explorer/search_syntax/, worked out by hand.
func TestTagFilters(t *testing.T) {
	t.Parallel()
	known := map[string]string{"env": "prod", "service": "store-canary", "path": "a/b"}
	for filter, want := range map[string]truth{
		"*":                                   yes,
		"env:prod":                            yes,
		"Env:Prod":                            yes,
		"env:staging":                         no,
		"team:shop":                           perhaps,
		"prod":                                perhaps, // a tag without a key, or words of a text
		"env:prod,service:store-canary":       yes,
		"env:prod,service:store":              no,
		"env:prod,team:shop":                  perhaps,
		"env:staging,team:shop":               no,
		"env:prod,env:staging":                perhaps, // all of them, or any
		"env:dev,env:staging":                 no,
		"env:prod service:store-canary":       yes,
		"env:prod AND service:store":          no,
		"env:staging OR service:store-canary": yes,
		"env:staging OR team:shop":            perhaps,
		"env:prod OR team:shop":               yes,
		"env:staging OR env:prod AND service:store":          no, // AND binds closer
		"(env:staging OR env:prod) AND service:store-canary": yes,
		"NOT env:prod":                       no,
		"!env:staging":                       yes,
		"-env:prod":                          no,
		"NOT team:shop":                      perhaps,
		"NOT (env:staging OR service:store)": yes,
		"not not env:prod":                   yes,
		"env:(prod OR staging)":              yes,
		"env:(dev OR staging)":               no,
		"-env:(dev OR staging)":              yes,
		"env IN (prod, staging)":             yes,
		"env NOT IN (prod,staging)":          no,
		"team IN (a,b)":                      perhaps,
		"service:*":                          yes,
		"team:*":                             perhaps,
		"service:store*":                     yes,
		"service:*-canary":                   yes,
		"service:cart*":                      no,
		"path:a*":                            yes,
		"env:pro?":                           perhaps, // the sign is not one of tags
		"env:[a-z]*":                         perhaps,
		`service:"store-canary"`:             yes,
	} {
		f, err := parseTagFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.holds(known); got != want {
			t.Errorf("%s: %d, want %d", filter, got, want)
		}
	}
	for _, filter := range []string{
		"", " ", "(", ")", "env:(", "env:(a", "env:(a b)", "env:()", "a:b AND", "AND a:b", "a:b OR", "a:b,", ",", "NOT", "!",
		"a:b)", "(a:b", "a IN b", "a IN (", "a NOT b:c)", `a:"b`, "a:b AND OR c:d", strings.Repeat("(", 1e5), strings.Repeat("!", 1e5) + "a:b",
	} {
		if f, err := parseTagFilter(filter); err == nil {
			t.Errorf("%.20q became %v", filter, f)
		}
	}
}

// Whatever a filter says, to know more never turns what was decided.
func FuzzTagFilter(f *testing.F) {
	for _, seed := range []string{"env:(prod OR a) AND NOT x:y*", "a:b,!c:d", "a NOT IN (b,c)", "-a:(b OR c)", `a:"b\\" c`} {
		f.Add(seed, "a", "b")
	}
	f.Fuzz(func(t *testing.T, text, key, value string) {
		filter, err := parseTagFilter(text)
		if err != nil {
			return
		}
		known := map[string]string{"env": "prod"}
		before := filter.holds(known)
		if _, there := known[key]; !there {
			known[key] = value
		}
		if after := filter.holds(known); before != perhaps && after != before {
			t.Errorf("%q was %d, and is %d when %s:%s is known", text, before, after, key, value)
		}
	})
}
