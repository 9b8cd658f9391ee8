package exports

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// selector tells an arm's series by labels, or by their name.
type selector struct {
	text   string
	name   *regexp.Regexp // nil = by labels
	labels map[string]*regexp.Regexp
}

// labelPairs finds the labels of {service="a", code="500"} or service=a,code=500.
var labelPairs = regexp.MustCompile(`^\s*([^=,{}"\s][^=,{}"]*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^,"]*)\s*(?:,|$)`)

// parseLabels reads pairs of labels and values, and reports whether text is nothing else.
func parseLabels(text string) (map[string]string, bool) {
	labels := map[string]string{}
	for rest := strings.TrimSpace(text); rest != ""; {
		m := labelPairs.FindStringSubmatch(rest)
		if m == nil {
			return nil, false
		}
		value := strings.TrimSpace(m[2])
		if len(value) >= 2 && value[0] == '"' {
			value = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n").Replace(value[1 : len(value)-1])
		}
		if _, twice := labels[m[1]]; twice {
			return nil, false
		}
		labels[m[1]] = value
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	return labels, len(labels) > 0
}

// parseSelector reads LABEL=VALUE,… or a name; * stands for anything. An empty text
// selects nothing.
func parseSelector(text string) (selector, error) {
	s := selector{text: text}
	if text == "" {
		return s, nil
	}
	inner := strings.TrimSpace(text)
	if strings.HasPrefix(inner, "{") && strings.HasSuffix(inner, "}") {
		inner = inner[1 : len(inner)-1]
	}
	if labels, ok := parseLabels(inner); ok {
		s.labels = map[string]*regexp.Regexp{}
		for name, value := range labels {
			if value == "" {
				return s, fmt.Errorf("%q selects nothing; want %s=VALUE", web.Quote(text), name)
			}
			s.labels[name] = glob(value)
		}
		return s, nil
	}
	if strings.Contains(text, "=") {
		return s, fmt.Errorf("%q; want LABEL=VALUE, several with commas between, or the name of a series", web.Quote(text))
	}
	if strings.Count(text, "*") > 1 {
		return s, fmt.Errorf("%q; want one * at most: it stands for the metric's name", web.Quote(text))
	}
	s.name = glob(text)
	return s, nil
}

// glob is a pattern of a whole text in which * stands for anything.
func glob(text string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `(.*)`) + `$`)
}

// metric returns what a series is called beside what tells its arm, and false when the
// series is not the arm's.
func (s selector) metric(of series) (string, bool) {
	switch {
	case s.text == "":
		return "", false
	case s.name != nil:
		for _, name := range []string{of.title, of.name} {
			m := s.name.FindStringSubmatch(name)
			if m == nil {
				continue
			}
			if name == of.title && name != of.name {
				return metricName(strings.Join(m[1:], ""), nil), true
			}
			return metricName(strings.Join(m[1:], ""), of.labels), true
		}
		return "", false
	case !s.selects(func(label string) (string, bool) { v, ok := of.labels[label]; return v, ok }):
		return "", false
	}
	rest := maps.Clone(of.labels)
	for label := range s.labels {
		delete(rest, label)
	}
	return metricName(of.name, rest), true
}

// selects reports whether labels are the arm's.
func (s selector) selects(label func(string) (string, bool)) bool {
	for name, pattern := range s.labels {
		value, ok := label(name)
		if !ok || !pattern.MatchString(value) {
			return false
		}
	}
	return len(s.labels) > 0
}

// noName is what a metric is called that its file gives no name.
const noName = "value"

// metricName joins a name and labels as Prometheus writes them.
func metricName(name string, labels map[string]string) string {
	name = strings.Trim(name, " \t-_:/.,")
	var pairs []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, labels[label]))
	}
	if len(pairs) > 0 {
		name += "{" + strings.Join(pairs, ",") + "}"
	}
	if name == "" {
		return noName
	}
	return name
}

// requestArm returns whose a request is by its labels; "" = neither's.
func (im *importer) requestArm(label func(string) (string, bool)) (providers.Arm, error) {
	if im.file.Arm != "" {
		return im.file.Arm, nil
	}
	var found providers.Arm
	for _, arm := range providers.Arms {
		s := im.selectors[arm]
		if len(s.labels) == 0 {
			return "", im.whichRequests()
		}
		if !s.selects(label) {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("the request is of both arms: %q and %q", im.options.Baseline, im.options.Canary)
		}
		found = arm
	}
	return found, nil
}

// whichRequests says how to tell the arms of requests apart.
func (im *importer) whichRequests() error {
	return errors.New("which requests are of which arm? give a file for each (--baseline FILE --canary FILE), " +
		"or tell them by a label (--baseline LABEL=VALUE --canary LABEL=VALUE FILE)")
}
