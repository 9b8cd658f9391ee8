package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// What labels call the arms, after deployers (Argo Rollouts: stable, Flagger: primary,
// Kayenta: baseline) and people.
var (
	canaryWords   = []string{"canary", "candidate"}
	baselineWords = []string{"baseline", "base", "stable", "primary"}
	notALetter    = regexp.MustCompile(`[^a-z]+`)
)

// mixedUp says by which labels the arms seem to be swapped, "" for none: a label that
// calls the baseline canary, or the other way round. Where the other arm's label says the
// same it is no name of an arm, as in canary-shop-v1 and canary-shop-v2.
func mixedUp(baseline, canary []providers.Label) string {
	var signs []string
	look := func(arm providers.Arm, own, other []providers.Label) {
		for _, l := range own {
			called := calls(l)
			shared := slices.ContainsFunc(other, func(o providers.Label) bool { return o.Name == l.Name && calls(o) == called })
			if called != "" && called != arm && !shared {
				signs = append(signs, fmt.Sprintf("the %s's label %s=%s", arm, l.Name, l.Value))
			}
		}
	}
	look(providers.Baseline, baseline, canary)
	look(providers.Canary, canary, baseline)
	if len(signs) == 0 {
		return ""
	}
	verb := " is named after the other arm: are the arms swapped?"
	if len(signs) > 1 {
		verb = " are named after the other arm: are the arms swapped?"
	}
	return strings.Join(signs, " and ") + verb
}

// calls returns the arm that a label names, by its value or, where that is true or false,
// by its name; "" where it names none, or both.
func calls(l providers.Label) providers.Arm {
	text, arms := l.Value, [2]providers.Arm{providers.Canary, providers.Baseline}
	switch strings.ToLower(l.Value) {
	case "true", "yes", "on", "1":
		text = l.Name
	case "false", "no", "off", "0":
		text, arms = l.Name, [2]providers.Arm{providers.Baseline, providers.Canary}
	}
	words := notALetter.Split(strings.ToLower(text), -1)
	says := func(names []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(names, word) })
	}
	switch canary, baseline := says(canaryWords), says(baselineWords); {
	case canary == baseline:
		return ""
	case canary:
		return arms[0]
	}
	return arms[1]
}

// without returns the labels that other lacks.
func without(labels, other []providers.Label) []providers.Label {
	return slices.DeleteFunc(slices.Clone(labels), func(l providers.Label) bool { return slices.Contains(other, l) })
}

// sameLabels reports whether the labels are the same, in whatever order.
func sameLabels(a, b []providers.Label) bool {
	return len(without(a, b)) == 0 && len(without(b, a)) == 0
}

// wholeArm reports whether a query selects by all labels of the arm.
func wholeArm(query string) bool {
	return slices.ContainsFunc(queryVariable.FindAllStringSubmatch(query, -1), func(v []string) bool { return v[1] == "arm" && v[2] == "" })
}

// overlap doubts arms of which one has all of the other's labels and more: what selects
// the one with fewer selects the other's data, too.
func (r *resolver) overlap() {
	if r.config.Arms[providers.Baseline].Offset > 0 {
		return
	}
	for _, arms := range [][2]providers.Arm{{providers.Baseline, providers.Canary}, {providers.Canary, providers.Baseline}} {
		wide, narrow := r.config.Arms[arms[0]].Labels, r.config.Arms[arms[1]].Labels
		more := without(narrow, wide)
		if len(without(wide, narrow)) > 0 || len(more) == 0 {
			continue
		}
		doubt := fmt.Sprintf("the %s's labels select the %s too, which hides a part of the change: give the %[1]s a label of its own, such as %[3]s: …", arms[0], arms[1], more[0].Name)
		if !slices.Contains(r.config.Doubts, doubt) {
			r.config.Doubts = append(r.config.Doubts, doubt)
		}
	}
}
