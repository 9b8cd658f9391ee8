package config

import (
	"fmt"
	"regexp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// sloID names an SLO.
type sloID string

// idOfSLO is as in the examples of
// https://docs.datadoghq.com/api/latest/service-level-objectives/get-an-slos-details/
var idOfSLO = regexp.MustCompile(`^[0-9a-f]{32}$`)

// UnmarshalText reads an id.
func (s *sloID) UnmarshalText(text []byte) error {
	if !idOfSLO.Match(text) {
		return fmt.Errorf("%q is no id of an SLO; it has 32 hexadecimal digits, and stands in the SLO's address", text)
	}
	*s = sloID(text)
	return nil
}

// Pattern is the form of the id, for the JSON Schema.
func (*sloID) Pattern() string { return `[0-9a-f]{32}` }

// slo resolves the queries for the events of an SLO.
func (r *resolver) slo(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	switch {
	case t.Name == "":
		return // reported with the provider
	case m.Ratio.Bad != nil || m.Ratio.Good != nil || m.Ratio.Total != nil:
		r.problemAt(m.Ratio, m, "give slo or queries, not both")
		return
	case t.SLO == nil:
		r.problemAt(&m.Ratio.SLO, m, "%s has no SLOs; write provider: datadog", t.Name)
		return
	case m.Ratio.SLO == "":
		return // reported where it was read
	}
	bad, total := t.SLO(string(m.Ratio.SLO))
	for _, q := range []struct {
		part providers.Part
		text string
	}{{providers.Bad, bad}, {providers.Total, total}} {
		if r.given(&m.Ratio.SLO) { // what is wrong with both is reported once
			text := &queryText{Both: q.text}
			r.places.same(text, &m.Ratio.SLO)
			r.expand(m, a, c, text, q.part, t)
		}
	}
}
