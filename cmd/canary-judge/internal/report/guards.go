package report

import (
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

// Guard is what a guard said last.
type Guard struct {
	Name   string    `json:"name" doc:"Which guard"`
	State  string    `json:"state" doc:"quiet, alert (it fails the canary) or unread (the canary cannot pass)"`
	Detail string    `json:"detail" doc:"What it is called, and why it is in this state"`
	Link   string    `json:"link,omitempty" doc:"Where to look it up"`
	At     time.Time `json:"at" doc:"End of the steps it was asked for"`
}

// guards are what the guards of an outcome said.
func guards(o *job.Outcome) []Guard {
	var all []Guard
	for i, g := range o.Result.Guards {
		said := o.Guards[i]
		all = append(all, Guard{g.Name, g.State.String(), said.Detail, said.Link, said.Time})
	}
	return all
}

// Alerts reports whether the guard failed the canary.
func (g Guard) Alerts() bool { return g.State == string(providers.Alerting) }

// FailedGuards lists the guards that failed the canary.
func (r *Report) FailedGuards() []string {
	var names []string
	for _, g := range r.Guards {
		if g.Alerts() {
			names = append(names, g.Name)
		}
	}
	return names
}

// Told says what the guard said, in one text.
func (g Guard) Told() string {
	text := g.Name + " " + g.Detail
	if g.Link != "" {
		text += ": " + g.Link
	}
	return text
}

// guarded returns the guards in a state, told in one text; "" = none.
func (r *Report) guarded(state providers.State) string {
	var all []string
	for _, g := range r.Guards {
		if g.State == string(state) {
			all = append(all, g.Told())
		}
	}
	return strings.Join(all, "; ")
}

// heldBack says which guards keep the canary from passing; "" = none.
func (r *Report) heldBack() string {
	return prefixed("nothing passes while a guard cannot be read: ", r.guarded(providers.Unread))
}

func prefixed(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// marked says what the guard said, with a mark.
func (g Guard) marked() string {
	mark := passMark
	switch g.State {
	case string(providers.Alerting):
		mark = failMark
	case string(providers.Unread):
		mark = openMark
	}
	return mark + " " + g.Told()
}

// guardLines say what each guard said, those first that decide.
func (r *Report) guardLines() []string {
	lines := r.decisiveGuards()
	for _, g := range r.Guards {
		if !g.decides() {
			lines = append(lines, g.marked())
		}
	}
	return lines
}

// decides reports whether the guard failed the canary, or keeps it from passing.
func (g Guard) decides() bool {
	return g.State == string(providers.Alerting) || g.State == string(providers.Unread)
}

// decisiveGuards say what the guards said that decide.
func (r *Report) decisiveGuards() []string {
	var lines []string
	for _, g := range r.Guards {
		if g.decides() {
			lines = append(lines, g.marked())
		}
	}
	return lines
}
