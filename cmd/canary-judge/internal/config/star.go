package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/providers"
)

// place is where a node of a document stands.
type place struct{ line, column int }

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

// star is a label whose segments the source has to be asked for.
type star struct {
	node    *yaml.Node
	label   string
	most    int                          // how many may be judged
	queries map[string][]providers.Query // of which they are the segments, by provider
}

// ask notes that the segments of a metric are to be looked up, by what counts its requests.
func (r *resolver) ask(each *eachText, whole Metric) {
	named, stars := 0, 0
	for _, l := range each.Labels {
		if named += len(l.Values); l.Any != nil {
			stars++
		}
	}
	for _, l := range each.Labels {
		if l.Any == nil {
			continue
		}
		i := slices.IndexFunc(r.stars, func(s *star) bool { return s.node == l.Any })
		if i < 0 {
			i = len(r.stars)
			r.stars = append(r.stars, &star{node: l.Any, label: l.Name, most: (mostSegments - named) / stars, queries: map[string][]providers.Query{}})
		}
		for _, part := range []providers.Part{providers.Total, providers.Buckets, providers.Value} {
			queries := whole.Queries[part]
			if queries == nil {
				continue
			}
			for _, arm := range providers.Arms {
				r.stars[i].queries[whole.Provider] = append(r.stars[i].queries[whole.Provider],
					providers.Query{Metric: whole.Name, Arm: arm, Part: part, Expr: queries[arm], Step: r.config.Window.Step})
			}
			break
		}
	}
}

// lookUp asks for the segments of a label: those of each provider's metrics, the largest first.
func (s *star) lookUp(c *Config, o Options) ([]string, error) {
	var all []string
	for _, provider := range slices.Sorted(maps.Keys(s.queries)) {
		values, err := o.Segments(provider, c.Settings[provider], s.label, s.queries[provider])
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			if value != "" && segmentProblem(value) == "" && !slices.Contains(all, value) {
				all = append(all, value)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("what the metrics select has had no value of %s: write the values that are segments, or leave it out", s.label)
	}
	return all, nil
}

// withSegments reads a config once more, with the segments that its sources have where it asks for them.
func withSegments(name string, text []byte, o Options, c *Config, stars []*star) (*Config, error) {
	found := map[place][]string{}
	var notes []string
	for _, s := range stars {
		all, err := s.lookUp(c, o)
		if err != nil {
			return nil, Problems{{File: name, Line: s.node.Line, Column: s.node.Column, Message: err.Error()}}
		}
		kept := min(len(all), max(s.most, 0))
		found[placeOf(s.node)] = all[:kept]
		if left := all[kept:]; len(left) > 0 {
			const shown = 5
			more := ""
			if len(left) > shown {
				more = fmt.Sprintf(" and %d more", len(left)-shown)
			}
			notes = append(notes, fmt.Sprintf("%d values of %s were found, and at most %d segments are judged: the smallest are judged over all alone: %s%s",
				len(all), s.label, mostSegments, strings.Join(left[:min(shown, len(left))], ", "), more))
		}
	}
	c, _, err := parseWith(name, text, o, found)
	if err != nil {
		return nil, err
	}
	c.Notes = append(c.Notes, notes...)
	return c, nil
}
