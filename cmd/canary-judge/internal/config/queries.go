package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// expand fills in a query's variables for both arms, and reads what it asks for.
func (r *resolver) expand(m *metric, a *analysis.Metric, c *Metric, q *queryText, part providers.Part, t providers.Type) {
	if q == nil || t.Name == "" || !r.armsRead {
		return // reported with the metric, its provider, or the arms
	}
	expanded, read := map[providers.Arm]string{}, map[providers.Arm]providers.Reading{}
	for _, arm := range providers.Arms {
		text := q.of(arm)
		if text == "" {
			return
		}
		if len(r.config.Arms[arm].Labels) == 0 && wholeArm(text) {
			address := map[providers.Arm]any{providers.Baseline: &r.file.Baseline, providers.Canary: &r.file.Canary}[arm]
			r.problemAt(address, nil, "the %s has no labels to put in place of $arm; write those that select it, as in {app: shop}", arm)
			return
		}
		filled, places, err := r.fillQuery(text, arm, r.armLabels(arm, text), t)
		if err != nil {
			r.problemAt(r.asked(q), q, "%v", err)
			return
		}
		reading, err := t.Check(filled, part, r.config.Window.Step)
		if e, ok := errors.AsType[*providers.SyntaxError](err); ok {
			err = &providers.SyntaxError{At: len([]rune(text[:places.written(e.At)])), What: e.What}
		}
		if err != nil && !r.recorded(c, err) {
			r.problemAt(q, nil, "%v", err)
			return
		}
		expanded[arm], read[arm] = filled, reading
		r.consequences(a, c, q, part, reading)
		if r.segment != nil {
			r.narrowed(m, c, q, arm, part, t, filled, reading)
		}
	}
	c.Queries[part] = expanded
	r.grouped(a, c, part, t)
	if r.segment != nil {
		return // that the arms differ is asked of the whole
	}
	if q.PerArm == nil && wholeArm(q.Both) {
		r.overlap()
	}
	if r.armsAlike && r.config.Arms[providers.Baseline].Offset == 0 {
		return // reported with the arms
	}
	same := expanded[providers.Baseline] == expanded[providers.Canary]
	if same && r.config.Arms[providers.Baseline].Offset == 0 && t.Arms == nil {
		r.problemAt(q, nil, "both arms ask the same, %q; put $arm where the labels of the arm belong", expanded[providers.Canary])
		return
	}
	for _, s := range r.armless(q, part, t, read) {
		r.shared[c] = append(r.shared[c], s)
		if slices.ContainsFunc(m.Shared, func(text string) bool { return names(text, s) }) {
			continue
		}
		err := fmt.Errorf("%s is the same in both arms: put $arm into it, or write shared: [%s] if that is meant", s.Text, cmp.Or(s.Name, s.Text))
		if !slices.ContainsFunc(read[providers.Baseline].Scopes, func(o providers.Scope) bool { return o.Text == s.Text }) && r.config.Arms[providers.Baseline].Offset == 0 {
			err = fmt.Errorf("%s differs from the other arm's only by what it rules out, so that the data of one arm are in the other's: select the arm by $arm without a negation", s.Text)
		}
		if !r.recorded(c, err) {
			r.problemAt(q, nil, "%v", err)
		}
	}
}

// consequences takes over what follows from what a query asks for.
func (r *resolver) consequences(a *analysis.Metric, c *Metric, q *queryText, part providers.Part, reading providers.Reading) {
	for _, d := range reading.Doubts {
		c.doubt(d)
	}
	a.CountsOverlap = a.CountsOverlap || reading.CountsOverlap && part != providers.Value && part != providers.Count
	if part == providers.Value {
		a.Quantile = max(a.Quantile, reading.Quantile)
	}
	if !reading.ZerosMadeUp || part != providers.Bad {
		return // a step without any events is not judged, whatever says so
	}
	if c.Complement {
		err := errors.New("good events that are 0 where the source has none make all events bad; leave that out, or ask for the bad events")
		if !r.recorded(c, err) {
			r.problemAt(q, nil, "%v", err)
		}
	}
	a.ZerosMadeUp = true
}

// recorded makes a doubt of what is wrong with a query that was asked already: a
// recording is judged by its own config, as old as that may be.
func (r *resolver) recorded(c *Metric, err error) bool {
	if r.options.Literal {
		c.doubt("when this was recorded a query was asked that would be refused now: " + err.Error())
	}
	return r.options.Literal
}

// doubt adds a doubt, once.
func (c *Metric) doubt(text string) {
	if !slices.Contains(c.Doubts, text) {
		c.Doubts = append(c.Doubts, text)
	}
}

// armless returns the scopes of a query that select the same in both arms.
func (r *resolver) armless(q *queryText, part providers.Part, t providers.Type, read map[providers.Arm]providers.Reading) []providers.Scope {
	canary, other := read[providers.Canary].Scopes, read[providers.Baseline].Scopes
	if r.config.Arms[providers.Baseline].Offset > 0 {
		// The arms may have the same labels, at other times. What the scopes would be with
		// other labels tells which of them have any.
		labels := slices.Clone(r.config.Arms[providers.Canary].Labels)
		for i := range labels {
			labels[i].Value += "-other"
		}
		text, _, err := r.fillQuery(q.of(providers.Canary), providers.Canary, labels, t)
		if err != nil {
			return nil
		}
		reading, err := t.Check(text, part, r.config.Window.Step)
		if err != nil {
			return nil
		}
		other = reading.Scopes
	}
	var same []providers.Scope
	for _, s := range canary {
		alike := func(o providers.Scope) bool { return picked(o) == picked(s) }
		if slices.ContainsFunc(other, alike) && !slices.Contains(same, s) {
			same = append(same, s)
		}
	}
	if r.config.Arms[providers.Baseline].Offset > 0 && len(same) == len(canary) {
		return nil // it has no $arm at all, and compares all of it with its own past
	}
	return same
}

// picked is a scope without what it rules out.
func picked(s providers.Scope) string { return cmp.Or(s.Picks, s.Text) }

// unneeded reports what is said to be shared and is not there, or has the arm.
func (r *resolver) unneeded(m *metric, c *Metric) {
	for i := range m.Shared {
		if r.segment == nil && !slices.ContainsFunc(r.shared[c], func(s providers.Scope) bool { return names(m.Shared[i], s) }) && len(r.problems) == 0 {
			r.problemAt(&m.Shared[i], m, "shared: no query of the metric reads %q without $arm; leave it out", m.Shared[i])
		}
	}
}

// names reports whether a text of the config means a scope.
func names(text string, s providers.Scope) bool {
	same := func(a, b string) bool {
		return a != "" && strings.Join(strings.Fields(a), "") == strings.Join(strings.Fields(b), "")
	}
	return same(text, s.Name) || same(text, s.Text)
}

// of returns the query of an arm, its variables not filled in.
func (q *queryText) of(arm providers.Arm) string {
	if q.PerArm != nil {
		return q.PerArm[arm]
	}
	return q.Both
}

// queryVariable is $arm, $arm.label, $segment, $step, $$, or any other word after a
// dollar sign, which is a mistake.
var queryVariable = regexp.MustCompile(`\$\$|\$([A-Za-z_]\w*)(?:\.([A-Za-z_][\w-]*))?`)

// filling is where the variables of a query stood, and what is left of it since.
type filling []struct{ at, written int }

// written returns where something that stands in the filled query was written; what stands
// in a variable's value, where the variable was.
func (f filling) written(at int) int {
	i, _ := slices.BinarySearchFunc(f, at+1, func(p struct{ at, written int }, at int) int { return cmp.Compare(p.at, at) })
	place := f[i-1]
	if i < len(f) {
		return min(place.written+at-place.at, f[i].written)
	}
	return place.written + at - place.at
}

// fillQuery fills in a query's variables for one arm.
func (r *resolver) fillQuery(text string, arm providers.Arm, labels []providers.Label, t providers.Type) (string, filling, error) {
	var filled strings.Builder
	places := make(filling, 1)
	rest := 0
	for _, place := range queryVariable.FindAllStringIndex(text, -1) {
		match := text[place[0]:place[1]]
		at := providers.Around{Before: text[:place[0]], After: text[place[1]:]}
		if match == "$segment" && r.segment == nil {
			place = withSeparator(text, place)
			place[0] = max(place[0], rest)
		}
		value, err := r.fillVariable(match, arm, labels, t, at)
		if err != nil {
			return "", nil, err
		}
		filled.WriteString(text[rest:place[0]] + value)
		rest = place[1]
		places = append(places, struct{ at, written int }{filled.Len(), rest})
	}
	return filled.String() + text[rest:], places, nil
}

// quotedMatcher ends where the value of a matcher begins.
var quotedMatcher = regexp.MustCompile(`(=|!=|=~|!~)\s*"$`)

// fillVariable returns what a variable of a query stands for.
func (r *resolver) fillVariable(match string, arm providers.Arm, labels []providers.Label, t providers.Type, around providers.Around) (string, error) {
	parts := queryVariable.FindStringSubmatch(match)
	switch {
	case match == "$$":
		return "$", nil
	case parts[1] == "arm" && parts[2] != "":
		at := slices.IndexFunc(labels, func(l providers.Label) bool { return l.Name == parts[2] })
		if at < 0 {
			return "", fmt.Errorf("the %s has no label %s", arm, parts[2])
		}
		return t.Value(labels[at], around)
	case parts[1] == "arm" && quotedMatcher.MatchString(around.Before) && strings.HasPrefix(around.After, `"`):
		return "", errors.New(`$arm stands for whole matchers such as app="shop", not for a value: write {$arm}, or $arm.LABEL for the value of one label`)
	case parts[1] == "arm":
		if len(labels) == 0 {
			return "", fmt.Errorf("the %s has no labels to put in place of $arm", arm)
		}
		return t.Filter(labels, around)
	case match == "$segment" && r.segment == nil:
		return "", nil // of all
	case match == "$segment":
		return t.Filter([]providers.Label{*r.segment}, around)
	case parts[1] == "step":
		value := t.Step(r.config.Window.Step)
		if parts[2] != "" {
			value += "." + parts[2]
		}
		return value, nil
	}
	return "", fmt.Errorf("%s is not known here; a query knows $arm, $arm.LABEL, $segment and $step, and $$ stands for a dollar sign", match)
}
