// Package sources is where a live run tells its sources of itself, and reads what they tell
// of it beside the series: events, notebooks, marks of failed deployments; links, limits on
// requests, failed runs of checks. What goes wrong with the first two is a warning, and
// nothing here changes a verdict.
//
// announce.go and notebook.go write, mark.go marks, facts.go reads.
package sources

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// Sources are the providers of a live run. Without any there is nobody to tell, and nothing
// to read: that is how it is in a replay.
type Sources struct {
	Providers map[string]providers.Provider
	Config    *config.Config
	// Start is when the window begins.
	Start time.Time
	// DryRun is whether nothing is to be written anywhere.
	DryRun bool
	// Past is whether the window is one in the past. It is not announced: it would look
	// like something that happens now.
	Past bool
	// Warn is told of what could not be written.
	Warn func(error)
}

// Begin tells that the run begins.
func (s Sources) Begin(ctx context.Context) {
	w := s.Config.Window
	s.announce(ctx, "judging", fmt.Sprintf("Baseline and canary are compared for %s at most, %d metrics.",
		providers.Duration(time.Duration(w.Warmup)*w.Step+w.Length()), len(s.Config.Metrics)), providers.Info)
}

// End tells of the run's end, of one that was interrupted, too. A run with a verdict, or
// whose window has ended (decided), is written into notebooks first, which the report then
// links.
func (s Sources) End(ctx context.Context, r *report.Report, decided bool) {
	if decided {
		s.writeNotebooks(ctx, r)
	}
	s.announceEnd(ctx, r)
}

// names are those of the providers, in their order.
func (s Sources) names() []string { return slices.Sorted(maps.Keys(s.Providers)) }

// write writes something somewhere in a limited time: what follows a verdict waits for it,
// and a run that is being ended still tells of its end.
func (s Sources) write(ctx context.Context, limit time.Duration, failed string, do func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := do(ctx); err != nil {
		s.Warn(fmt.Errorf("%s: %w", failed, err))
		return false
	}
	return true
}

// service is what the canary is called where the config does not say it.
func (s Sources) service() string {
	if s.Config.Service == "" {
		return "the canary"
	}
	return s.Config.Service
}
