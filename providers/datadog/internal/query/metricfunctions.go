package query

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// harmless are the functions that are known to leave a step's number its own: abs drops a
// sign, exclude_null drops series of groups that have no name. Of counts default_zero is one
// too: zero events are what there is to be judged of a step without any, and whether silence
// about bad events is zero is decided elsewhere, for which Check says that zeros are made up.
var (
	harmless         = []string{"abs", "exclude_null"}
	harmlessOfCounts = []string{"exclude_null", "default_zero"}
)

const (
	leaveOut   = "; leave it out"
	forSilence = "a step without data is a gap, and what silence about bad events means is said by absent: zero; leave it out"
	forPast    = "to compare with the past write baseline: {offset: 1d}; leave it out"
	forRate    = "for events a second write .as_rate() behind the query; leave it out"
)

// refusals say of functions what they do to data, and what to write instead:
// https://docs.datadoghq.com/dashboards/functions/
var refusals = []struct {
	name *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`^default(_zero)?$`), "makes up values for steps that have none: " + forSilence},
	{regexp.MustCompile(`^(timeshift|calendar_shift|\w+_before)$`), "shows another time as if it were this one: " + forPast},
	{regexp.MustCompile(`^cutoff_`), "hides the values beyond a bound" + leaveOut},
	{regexp.MustCompile(`^clamp_`), "replaces the values beyond a bound by the bound" + leaveOut},
	{regexp.MustCompile(`^(anomalies|outliers|forecast)$`), "compares by itself, and shows values that nobody measured; the arms are compared here" + leaveOut},
	{regexp.MustCompile(`^per_(second|minute|hour)$`), "is the change from one step to the next, not the number of events: " + forRate},
	{regexp.MustCompile(`^abs$`), "hides that a count is less than none" + leaveOut},
	{regexp.MustCompile(`^(diff|monotonic_diff|derivative|dt|throughput)$`), "makes a step's number from other steps than that one, and shows no lasting change: " + forRate},
	{regexp.MustCompile(`^(cumsum|integral)$`), "adds up all steps before, from a start that moves with the window" + leaveOut},
	{regexp.MustCompile(`^(ewma_\d+|median_\d+|moving_rollup|autosmooth|trend_line|robust_trend|piecewise_constant)$`), "spreads values over other steps than their own" + leaveOut},
	{regexp.MustCompile(`^(log2|log10)$`), "makes changes look small; values are compared on a scale of logarithms anyway, unless scale: linear is written" + leaveOut},
	{regexp.MustCompile(`^(top|bottom)\d*(_\w+)?$`), "picks series by their values" + leaveOut},
	{regexp.MustCompile(`^(avg|sum|min|max|count)$`), "aggregates what is aggregated already; write one query, such as sum:NAME{$arm}"},
}

// refusal returns why a function is not taken.
func refusal(function string, known []string) error {
	for _, r := range refusals {
		why := r.why
		if slices.Equal(known, harmlessOfCounts) { // a rate is no count either
			why = strings.Replace(why, forRate, "leave it out", 1)
		}
		if r.name.MatchString(function) {
			return fmt.Errorf("%s(…) %s", function, why)
		}
	}
	return fmt.Errorf("%s(…) is not known to leave data as they are; known are %s(…), + - * /, numbers and parentheses. Leave it out, or ask for it at https://github.com/canary-judge/canary-judge/issues",
		function, strings.Join(known, "(…), "))
}
