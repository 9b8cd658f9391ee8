package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/notify"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// tell sends a message to all who are to be told of its event, and returns what could not be sent. A dry run says whom it would
// tell; one that only observes tells them, since that is what it is for.
func (a *app) tell(ctx context.Context, o *options, c *config.Config, m notify.Message) (untold []string) {
	sender := notify.New(nil)
	for _, n := range c.Notify {
		switch {
		case !n.Of(m.Event):
		case o.dryRun && !o.observe:
			fmt.Fprintf(a.stderr, "not told, in a dry run: %s, of the %s\n", n.Service, m.Event)
		default:
			if err := sender.Send(ctx, n, m); err != nil {
				a.complain(err)
				untold = append(untold, err.Error())
			}
		}
	}
	return untold
}

// tellStart tells that a run begins, and what it compares.
func (a *app) tellStart(ctx context.Context, o *options, c *config.Config) {
	a.tell(ctx, o, c, notify.Message{
		Event: config.AtStart, Title: titleOf(c.Service, "is judged"),
		Sentence: fmt.Sprintf("The canary is judged for at most %s, from now on.", c.Window.Length()),
		Links:    a.pages(nil),
	})
}

// tellEnd tells what a run came to, once what follows it is done.
func (a *app) tellEnd(ctx context.Context, o *options, run endedRun, r *report.Report, failed bool) {
	event := config.AtVerdict
	switch {
	case run.outcome.Ended == job.AtInterrupt:
		return // who ended it knows
	case !run.decided() || run.err != nil:
		event = config.AtTrouble
	}
	m := notify.Message{
		Event: event, Title: titleOf(r.Service, strings.ToUpper(r.Verdict)), Sentence: r.Headline(), Lines: r.Gist(),
		Links: a.pages(r), Verdict: r.Verdict, Result: r,
	}
	if event == config.AtTrouble {
		m.Title, m.Verdict = titleOf(r.Service, "could not be judged"), ""
	}
	untold := a.tell(ctx, o, run.config, m)
	if failed && event == config.AtVerdict {
		// Those who are told of trouble alone hear of what should have been done.
		var others []config.Notification
		for _, n := range run.config.Notify {
			if n.Of(config.AtTrouble) && !n.Of(config.AtVerdict) {
				others = append(others, n)
			}
		}
		m.Event = config.AtTrouble
		untold = append(untold, a.tell(ctx, o, &config.Config{Notify: others}, m)...)
	}
	r.Generated.Untold = untold
}

// titleOf is the title of a message about a service.
func titleOf(service, what string) string {
	if service == "" {
		return "canary " + what
	}
	return "canary of " + service + ": " + what
}

// pages are where a message leads: the job, and what the config links.
func (a *app) pages(r *report.Report) []notify.Link {
	var links []notify.Link
	if job := a.jobPage(); job != "" {
		links = append(links, notify.Link{Name: "The job", URL: job})
	}
	if r != nil {
		for _, p := range r.Pages {
			links = append(links, notify.Link{Name: p.Name, URL: p.URL})
		}
	}
	return links
}

// jobPage is the page of the job in the CI system that it runs in, "" for none.
func (a *app) jobPage() string {
	if run := a.env["GITHUB_RUN_ID"]; run != "" {
		return a.env["GITHUB_SERVER_URL"] + "/" + a.env["GITHUB_REPOSITORY"] + "/actions/runs/" + run
	}
	// GitLab, Jenkins, Buildkite, CircleCI.
	return cmp.Or(a.env["CI_JOB_URL"], a.env["BUILD_URL"], a.env["BUILDKITE_BUILD_URL"], a.env["CIRCLE_BUILD_URL"])
}
