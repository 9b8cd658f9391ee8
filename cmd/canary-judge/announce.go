package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// announceTime bounds an announcement: it must not hold up what follows a verdict.
const announceTime = 10 * time.Second

// voice tells of a run where its config asks for it. What goes wrong with that is a
// warning; it changes nothing about the run.
type voice struct {
	app *app
	job *job.Job
	to  []providers.Announcer
}

// voice returns who is to be told of a job. Of a dry run and of a window in the past
// nobody is: it would look like something that happens now.
func (a *app) voice(o *options, j *job.Job) *voice {
	v := &voice{app: a, job: j}
	if o.dryRun || o.start != "" {
		return v
	}
	for _, p := range j.Providers {
		if to, ok := providers.AsAnnouncer(p); ok {
			v.to = append(v.to, to)
		}
	}
	return v
}

// say tells everyone. A run that was interrupted still tells of its end.
func (v *voice) say(ctx context.Context, title, text string, tone providers.Tone, tags ...providers.Label) {
	c := v.job.Config
	name := c.Service
	if name == "" {
		name = "the canary"
	}
	a := providers.Announcement{
		Title: "canary-judge: " + name + ": " + title, Text: text, Tone: tone,
		Tags: append([]providers.Label{{Name: "source", Value: "canary-judge"}}, tags...),
		Key:  "canary-judge " + v.job.Start.Format(time.RFC3339) + " " + name,
	}
	a.Tags = append(a.Tags, c.Arms[providers.Canary].Labels...)
	for _, to := range v.to {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTime)
		err := to.Announce(ctx, a)
		cancel()
		if err != nil {
			v.app.complain(fmt.Errorf("the run could not be announced: %w", err))
		}
	}
}

// started tells that a run begins.
func (v *voice) started(ctx context.Context) {
	w := v.job.Config.Window
	v.say(ctx, "judging", fmt.Sprintf("Baseline and canary are compared for %s at most, %d metrics.",
		providers.Duration(time.Duration(w.Warmup)*w.Step+w.Length()), len(v.job.Config.Metrics)), providers.Info)
}

// concluded tells of a run's end.
func (v *voice) concluded(ctx context.Context, r *report.Report) {
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
	v.say(ctx, strings.ToUpper(r.Verdict), text, tone, providers.Label{Name: "verdict", Value: r.Verdict})
}
