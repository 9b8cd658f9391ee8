package datadog

import (
	"cmp"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/slo"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/synthetics"
)

// Dialect is all that Datadog can be asked: queries for metrics, events and statistics of APM,
// and those of our own for SLOs and runs of synthetic tests.
type Dialect struct{ query.Dialect }

// Check implements providers.Dialect.
func (d Dialect) Check(expr string, part providers.Part, step time.Duration) (providers.Reading, error) {
	switch query.LanguageOf(expr) {
	case query.Runs:
		return query.Whole(expr), synthetics.Check(expr, part)
	case query.SLO:
		return query.Whole(expr), cmp.Or(slo.Check(expr, part), query.CheckStep(step))
	}
	return d.Dialect.Check(expr, part, step)
}
