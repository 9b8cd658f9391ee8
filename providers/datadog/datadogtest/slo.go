package datadogtest

import (
	"net/http"
	"strings"
)

// Objectives is a World that has SLOs.
type Objectives interface {
	// SLO returns an SLO by its id.
	SLO(id string) (SLO, bool)
}

// SLO is an SLO that counts events by queries of metrics, or one of another type.
type SLO struct {
	Type string // metric, monitor or time_slice
	// Numerator and Denominator count good events and all of a metric SLO.
	Numerator, Denominator string
	// Specification is sli_specification, as JSON has it; nil for the older form, and
	// for monitors.
	Specification map[string]any
}

// slo answers the route of SLOs, and reports whether it was one:
//
// GET /api/v1/slo/ID: data with id, name, tags, monitor_tags, thresholds, type, type_id (0
// for monitors [guess], 1 for metrics and 2 for time slices [cassette]), description,
// timeframe, target_threshold, creator, created_at and modified_at in seconds; error is
// null [cassette]. A metric SLO has query with numerator and denominator, also beside a
// sli_specification with count; one of time slices has no query, but a sli_specification
// with time_slice [cassette, of their creation]; one of monitors has monitor_ids [code].
//
// 404 with the text SLO not found: ID not found, for one that does not exist [cassette, of
// its deletion].
func (s *Server) slo(w http.ResponseWriter, r *http.Request) bool {
	id, is := strings.CutPrefix(r.URL.Path, "/api/v1/slo/")
	if !is || r.Method != http.MethodGet {
		return false
	}
	var one SLO
	known := false
	if world, has := s.World.(Objectives); has {
		one, known = world.SLO(id)
	}
	if !known {
		complain(w, http.StatusNotFound, "SLO not found: "+id+" not found")
		return true
	}
	data := map[string]any{
		"id": id, "name": "availability", "description": "", "tags": []string{}, "monitor_tags": []string{},
		"type": one.Type, "type_id": map[string]int{"monitor": 0, "metric": 1, "time_slice": 2}[one.Type],
		"timeframe": "7d", "target_threshold": 99.0,
		"thresholds": []map[string]any{{"timeframe": "7d", "target": 99.0, "target_display": "99."}},
		"creator":    map[string]any{"name": nil, "handle": "someone@example.com", "email": "someone@example.com"},
		"created_at": 1704322488, "modified_at": 1704322488,
	}
	if one.Type == "metric" {
		data["query"] = map[string]string{"numerator": one.Numerator, "denominator": one.Denominator}
	}
	if one.Type == "monitor" {
		data["monitor_ids"] = []int{12345}
	}
	if one.Specification != nil {
		data["sli_specification"] = one.Specification
	}
	answer(w, map[string]any{"data": data, "error": nil})
	return true
}
