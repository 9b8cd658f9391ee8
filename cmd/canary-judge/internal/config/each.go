package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/providers"
)

// eachText says in which segments a metric is judged, beside all of its requests.
type eachText struct {
	Off      bool
	Labels   []segmentLabel // in the order of the file
	Required bool
}

// segmentLabel is a label whose values are segments, each by itself.
type segmentLabel struct {
	Name   string
	Values []string
	Any    *yaml.Node // where "*" stands, which asks the source for the values; nil where they are named
}

// anySegment stands for the values that the source has.
const anySegment = "*"

// mostSegments bounds the segments of a metric: each is a metric of its own.
const mostSegments = 50

// longestSegment bounds a segment's value, which stands in the names of metrics.
const longestSegment = 100

// bind reads off, or a mapping of labels with their values; required is no label.
func (e *eachText) bind(b *binder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && (n.Value == "off" || n.Value == "false") {
		e.Off = true
		return
	}
	const example = "{region: [eu, us]}"
	if n.Kind != yaml.MappingNode {
		b.problem(n, "want labels with the values that are segments, such as %s, or off", example)
		return
	}
	segments := 0
	for _, entry := range b.entries(n) {
		if entry.key.Value == "required" {
			b.bindRequired(&e.Required, entry.value)
			continue
		}
		l := segmentLabel{Name: entry.key.Value}
		l.Values, l.Any = b.segments(l.Name, entry.value)
		segments += len(l.Values)
		e.Labels = append(e.Labels, l)
	}
	switch {
	case len(e.Labels) == 0 && len(b.meant[n]) == 0:
		b.problem(n, "no label is named whose values are segments; write each: %s", example)
	case segments > mostSegments:
		b.problem(n, "these are %d segments, and each is a metric of its own, with a part of the error rate; at most %d are judged: name those that matter", segments, mostSegments)
	}
}

// bindRequired reads whether the run waits for the segments.
func (b *binder) bindRequired(required *bool, n *yaml.Node) {
	text, ok := b.text(n, "true or false")
	switch {
	case !ok:
	case text != "true" && text != "false":
		b.problem(n, "required is true or false: whether the run waits until each segment has passed")
	default:
		*required = text == "true"
	}
}

// segments reads the values of a label, or the place of a star for which they were not looked up. Where they were, they
// take its place, also in the document that a recording keeps.
func (b *binder) segments(label string, n *yaml.Node) (values []string, star *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Value == anySegment {
		found, ok := b.starred[placeOf(n)]
		if !ok {
			return nil, n
		}
		*n = yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Column: n.Column}
		for _, value := range found {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value, Line: n.Line, Column: n.Column})
		}
		return found, nil
	}
	if n.Kind != yaml.SequenceNode {
		b.problem(n, `%s: want a list of the values that are segments, [eu, us], or "*" for those that the source has`, label)
		return nil, nil
	}
	if len(n.Content) == 0 {
		b.problem(n, "%s: the list of segments is empty", label)
	}
	var all []string
	for _, item := range n.Content {
		text, ok := b.text(item, "a label's value")
		if !ok {
			continue
		}
		switch problem := segmentProblem(text); {
		case problem != "":
			b.problem(item, "%s: %s", label, problem)
		case slices.Contains(all, text):
			b.problem(item, "%s: the segment %q is there twice", label, text)
		default:
			all = append(all, text)
		}
	}
	return all, nil
}

// segmentProblem says why a value can be no segment, "" if it can.
func segmentProblem(value string) string {
	switch {
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Sprintf("the value %q contains control characters", value)
	case utf8.RuneCountInString(value) > longestSegment:
		return fmt.Sprintf("the value is longer than %d characters", longestSegment)
	}
	return ""
}

// JSONSchema implements jsonschema.Schemer.
func (*eachText) JSONSchema() *jsonschema.Schema {
	values := &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "array", Items: &jsonschema.Schema{Type: scalar}},
		{Enum: []string{anySegment}},
	}}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Enum: []string{"off"}},
		{Type: "boolean"}, // as YAML 1.1 reads off
		{
			Type:                 "object",
			Properties:           &jsonschema.Properties{{Name: "required", Schema: &jsonschema.Schema{Type: "boolean"}}},
			AdditionalProperties: values,
		},
	}}
}

// segmentName is how a metric is called in one segment.
func segmentName(metric string, segment providers.Label) string {
	value := segment.Value
	if value == "" {
		value = `""`
	}
	return fmt.Sprintf("%s in %s=%s", metric, segment.Name, value)
}

// inSegments resolves the metric that was resolved last in each of its segments, as one metric
// more a segment. It shares the metric's part of the false-alarm rate with them: half is
// for the whole, half for all segments together.
func (r *resolver) inSegments(m *metric) {
	each := m.Each
	if each == nil {
		each = r.file.Each
	}
	if each == nil || each.Off {
		return
	}
	switch {
	case m.Gaps == "" && (m.Checks == nil || m.Checks.Synthetics == nil):
	case m.Each != nil:
		r.problemAt(m.Each, m, "runs of tests and gaps have no segments; leave each out")
		return
	default:
		return // each of the config is for what can be asked by segment
	}
	var segments []providers.Label
	for _, l := range each.Labels {
		if arm := r.armWith(l.Name); arm != "" {
			r.problemAt(each, m, "%s is a label of the %s, which has one value of it: segments are told apart by another label", l.Name, arm)
			return
		}
		for _, value := range l.Values {
			segments = append(segments, providers.Label{Name: l.Name, Value: value})
		}
	}
	at := len(r.config.Metrics) - 1
	whole := r.config.Metrics[at]
	r.ask(each, whole)
	if len(segments) == 0 {
		return
	}
	notes := len(r.config.Notes)
	r.config.Plan.Metrics[at].Weight /= 2
	weight := r.config.Plan.Metrics[at].Weight / float64(len(segments))
	for i := range segments {
		name := segmentName(m.Name, segments[i])
		if slices.ContainsFunc(r.config.Metrics, func(o Metric) bool { return o.Name == name }) {
			r.problemAt(each, m, "the metric %q is there already: it would be that of a segment", name)
			continue
		}
		r.segment, r.each = &segments[i], each
		r.metric(m)
		r.segment, r.each = nil, nil
		r.part(whole, name, segments[i], weight, each.Required)
	}
	r.config.Notes = r.config.Notes[:notes] // what is to be known of the whole is said of it
}

// part makes the metric that was resolved last the part of another one.
func (r *resolver) part(whole Metric, name string, segment providers.Label, weight float64, required bool) {
	at := len(r.config.Metrics) - 1
	a, c := &r.config.Plan.Metrics[at], &r.config.Metrics[at]
	a.Name, a.Of, a.Weight, a.FailOnly = name, whole.Name, weight, a.FailOnly || !required && !a.Advisory
	c.Name, c.Of, c.Segment = name, whole.Name, segment
	c.Doubts = slices.DeleteFunc(c.Doubts, func(d string) bool { return slices.Contains(whole.Doubts, d) })
}

// armWith returns the arm that has a label of a name, "" for none.
func (r *resolver) armWith(name string) providers.Arm {
	for _, arm := range providers.Arms {
		if slices.ContainsFunc(r.config.Arms[arm].Labels, func(l providers.Label) bool { return l.Name == name }) {
			return arm
		}
	}
	return ""
}

// armLabels returns the labels that stand where $arm does in a query: those of the arm, and of the
// segment that is resolved unless the query has a place of its own for that.
func (r *resolver) armLabels(arm providers.Arm, query string) []providers.Label {
	labels := r.config.Arms[arm].Labels
	if r.segment == nil || hasSegment(query) {
		return labels
	}
	return append(slices.Clone(labels), *r.segment)
}

// asked is what asks for a query to be filled in: it itself, or the segments that it is filled in for.
func (r *resolver) asked(q *queryText) any {
	if r.segment != nil {
		return r.each
	}
	return q
}

// hasSegment reports whether a query says where the label of a segment stands.
func hasSegment(query string) bool {
	return slices.ContainsFunc(queryVariable.FindAllStringSubmatch(query, -1), func(v []string) bool { return v[1] == "segment" })
}

var (
	separatorBefore = regexp.MustCompile(`(?i)(\s*,\s*|\s+AND\s+)$`)
	separatorAfter  = regexp.MustCompile(`(?i)^(\s*,\s*|\s+AND\s+)`)
)

// withSeparator widens the place of $segment in a query by what separates it from what stands beside
// it, to be left out with it.
func withSeparator(query string, place []int) []int {
	if s := separatorBefore.FindString(query[:place[0]]); s != "" {
		return []int{place[0] - len(s), place[1]}
	}
	return []int{place[0], place[1] + len(separatorAfter.FindString(query[place[1]:]))}
}

// narrowed reports what a query reads of all requests although it is asked for a segment of them.
func (r *resolver) narrowed(m *metric, c *Metric, q *queryText, arm providers.Arm, part providers.Part, t providers.Type, filled string, reading providers.Reading) {
	if r.written(q) && !r.given(q) {
		return // it is told of the other arm
	}
	segment := r.segment
	r.segment = nil
	text, _, err := r.fillQuery(q.of(arm), arm, r.config.Arms[arm].Labels, t)
	r.segment = segment
	if err != nil {
		return // reported with the whole
	}
	whole, err := t.Check(text, part, r.config.Window.Step)
	if err != nil {
		return
	}
	narrower := 0
	for _, s := range reading.Scopes {
		alike := func(o providers.Scope) bool { return picked(o) == picked(s) }
		switch {
		case !slices.ContainsFunc(whole.Scopes, alike):
			narrower++
		case !slices.ContainsFunc(m.Shared, func(text string) bool { return names(text, s) }):
			err := fmt.Errorf("%s is the same in every segment: put $arm into it, with which the label of the segment stands, or $segment; or write each: off", s.Text)
			if !r.recorded(c, err) {
				r.problemAt(q, nil, "%v", err)
			}
			return
		}
	}
	if narrower == 0 && (len(reading.Scopes) > 0 || filled == text) {
		err := errors.New("the query asks the same in every segment: put $segment where its label belongs, or write each: off")
		if !r.recorded(c, err) {
			r.problemAt(q, nil, "%v", err)
		}
	}
}
