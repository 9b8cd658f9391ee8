package report

import "strings"

// line says how a source's limit stands.
func (l RateLimit) line() string {
	var parts []string
	if l.Refused > 0 {
		parts = append(parts, plural(l.Refused, "request")+" refused as too many")
	}
	if l.Said != "" {
		parts = append(parts, l.Said)
	}
	return l.Provider + ": " + strings.Join(parts, "; ")
}

// limitLines say how each source's limit stands.
func (g *Generated) limitLines() []string {
	if g == nil {
		return nil
	}
	var lines []string
	for _, l := range g.RateLimits {
		lines = append(lines, "Rate limit of "+l.line())
	}
	return lines
}

// tightLimits says in a line which limits held the run up, or soon may.
func (g *Generated) tightLimits() []string {
	if g == nil {
		return nil
	}
	var tight []string
	for _, l := range g.RateLimits {
		if l.Refused > 0 || l.Near {
			tight = append(tight, l.line())
		}
	}
	if len(tight) == 0 {
		return nil
	}
	return []string{strings.Join(tight, "; ") + "; use longer steps or fewer metrics, or ask for a higher limit"}
}
