package query

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
		f, err := ParseTagFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		w, err := ParseTagFilter(want)
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
	for filter, want := range map[string]Truth{
		"*":                                   Yes,
		"env:prod":                            Yes,
		"Env:Prod":                            Yes,
		"env:staging":                         No,
		"team:shop":                           Perhaps,
		"prod":                                Perhaps, // a tag without a key, or words of a text
		"env:prod,service:store-canary":       Yes,
		"env:prod,service:store":              No,
		"env:prod,team:shop":                  Perhaps,
		"env:staging,team:shop":               No,
		"env:prod,env:staging":                Perhaps, // all of them, or any
		"env:dev,env:staging":                 No,
		"env:prod service:store-canary":       Yes,
		"env:prod AND service:store":          No,
		"env:staging OR service:store-canary": Yes,
		"env:staging OR team:shop":            Perhaps,
		"env:prod OR team:shop":               Yes,
		"env:staging OR env:prod AND service:store":          No, // AND binds closer
		"(env:staging OR env:prod) AND service:store-canary": Yes,
		"NOT env:prod":                       No,
		"!env:staging":                       Yes,
		"-env:prod":                          No,
		"NOT team:shop":                      Perhaps,
		"NOT (env:staging OR service:store)": Yes,
		"not not env:prod":                   Yes,
		"env:(prod OR staging)":              Yes,
		"env:(dev OR staging)":               No,
		"-env:(dev OR staging)":              Yes,
		"env IN (prod, staging)":             Yes,
		"env NOT IN (prod,staging)":          No,
		"team IN (a,b)":                      Perhaps,
		"service:*":                          Yes,
		"team:*":                             Perhaps,
		"service:store*":                     Yes,
		"service:*-canary":                   Yes,
		"service:cart*":                      No,
		"path:a*":                            Yes,
		"env:pro?":                           Perhaps, // the sign is not one of tags
		"env:[a-z]*":                         Perhaps,
		`service:"store-canary"`:             Yes,
	} {
		f, err := ParseTagFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.Holds(known); got != want {
			t.Errorf("%s: %d, want %d", filter, got, want)
		}
	}
	for _, filter := range []string{
		"", " ", "(", ")", "env:(", "env:(a", "env:(a b)", "env:()", "a:b AND", "AND a:b", "a:b OR", "a:b,", ",", "NOT", "!",
		"a:b)", "(a:b", "a IN b", "a IN (", "a NOT b:c)", `a:"b`, "a:b AND OR c:d", strings.Repeat("(", 1e5), strings.Repeat("!", 1e5) + "a:b",
	} {
		if f, err := ParseTagFilter(filter); err == nil {
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
		filter, err := ParseTagFilter(text)
		if err != nil {
			return
		}
		known := map[string]string{"env": "prod"}
		before := filter.Holds(known)
		if _, there := known[key]; !there {
			known[key] = value
		}
		if after := filter.Holds(known); before != Perhaps && after != before {
			t.Errorf("%q was %d, and is %d when %s:%s is known", text, before, after, key, value)
		}
	})
}
