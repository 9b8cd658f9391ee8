package sources

import (
	"context"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// announceTime bounds an announcement.
const announceTime = 10 * time.Second

// announce tells all sources whose settings ask for it.
func (s Sources) announce(ctx context.Context, title, text string, tone providers.Tone, tags ...providers.Label) {
	if s.DryRun || s.Past || len(s.Providers) == 0 {
		return
	}
	service := s.service()
	a := providers.Announcement{
		Title: "canary-judge: " + service + ": " + title, Text: text, Tone: tone,
		Tags: append([]providers.Label{{Name: "source", Value: "canary-judge"}}, tags...),
		Key:  "canary-judge " + s.Start.Format(time.RFC3339) + " " + service,
	}
	a.Tags = append(a.Tags, s.Config.Arms[providers.Canary].Labels...)
	for _, name := range s.names() {
		if to, ok := providers.AsAnnouncer(s.Providers[name]); ok {
			s.write(ctx, announceTime, "the run could not be announced", func(ctx context.Context) error { return to.Announce(ctx, a) })
		}
	}
}

// announceEnd tells of the verdict, and of what was done at it.
func (s Sources) announceEnd(ctx context.Context, r *report.Report) {
	tone := providers.Warning
	switch {
	case r.Is(analysis.VerdictPass):
		tone = providers.Success
	case r.Is(analysis.VerdictFail):
		tone = providers.Alarm
	}
	text := "The verdict: " + r.Reason
	if done := r.Done(); len(done) > 0 {
		text += " " + strings.Join(done, " ")
	}
	s.announce(ctx, strings.ToUpper(r.Verdict), text, tone, providers.Label{Name: "verdict", Value: r.Verdict})
}
