package guards

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// muting is why a monitor may be muted.
type muting struct {
	what  string
	where query.TagFilter // nil = nobody can tell
}

// mutings lists why the monitor may be muted. What the scope of one says is not known where
// it cannot be read: it may be about the canary.
func (m *monitor) mutings() ([]muting, error) {
	var all []muting
	add := func(what string, scopes ...string) {
		text := strings.Join(scopes, ",")
		where, err := query.ParseScopes(scopes)
		if err != nil {
			where = nil
		}
		if text != "" {
			what += "for " + text
		}
		all = append(all, muting{strings.TrimSpace(what), where})
	}
	for _, scope := range slices.Sorted(maps.Keys(m.Options.Silenced)) {
		add("", scope)
	}
	for _, d := range m.Downtimes {
		var scopes []string
		var text string
		switch {
		case len(d.Scope) == 0 || json.Unmarshal(d.Scope, &scopes) == nil:
		case json.Unmarshal(d.Scope, &text) == nil:
			scopes = []string{text}
		default:
			return nil, errors.New("a downtime's scope is neither a text nor a list")
		}
		add("by a downtime ", scopes...)
	}
	return all, nil
}

// mutedBy says whether any of the mutings is where something with these tags is, and which.
func mutedBy(all []muting, known map[string]string) (what string, muted query.Truth) {
	for _, m := range all {
		t := query.Perhaps
		if m.where != nil {
			t = m.where.Holds(known)
		}
		if t > muted {
			what, muted = m.what, t
		}
	}
	return what, muted
}

// tagsOf returns the values of the canary's labels as tags have them, and of those of a
// monitor's group, which is written with commas.
func tagsOf(labels []providers.Label, group string) map[string]string {
	known := map[string]string{}
	for _, tag := range strings.Split(strings.ToLower(group), ",") {
		if key, value, is := strings.Cut(strings.TrimSpace(tag), ":"); is {
			known[key] = value
		}
	}
	for _, l := range labels {
		value, err := query.TagValue(l)
		if err != nil { // no tag has it; neither has any group or scope
			value = strings.ToLower(l.Value)
		}
		known[strings.ToLower(l.Name)] = value
	}
	return known
}
