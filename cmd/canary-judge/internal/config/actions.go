package config

import (
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Actions are what is done once the verdict is in. A recording keeps none of them:
// a replay acts on nothing, and commands may hold secrets.
type Actions struct {
	Pass, Fail, Inconclusive *Hook   // nil = none
	Interrupt                *Hook   // when a run with stages ends without a verdict; nil = none
	Revert                   *Revert // on a fail, before its hook; nil = none
}

// Of returns the hook of a verdict.
func (a Actions) Of(v analysis.Verdict) *Hook {
	return map[analysis.Verdict]*Hook{analysis.VerdictPass: a.Pass, analysis.VerdictFail: a.Fail, analysis.VerdictInconclusive: a.Inconclusive}[v]
}

// Hook is a command to run.
type Hook struct {
	Args []string // at least one
	// Shown is Args as they may be shown: variables, which may be secrets, are left
	// as they stand in the config.
	Shown   []string
	Timeout time.Duration
}

// Revert is what to revert with git, and how.
type Revert struct {
	Commit   string        // a commit, or a range A..B
	Branch   string        // on the remote, that is deployed; "" = named as the one that is checked out
	Mode     RevertMode    // how the revert gets to where it deploys
	Remote   string        // to push to
	Forge    Forge         // where pull requests are opened
	Base     string        // branch the pull request is for; "" = the one that is judged
	Author   mail.Address  // zero = git's own
	Mainline int           // the parent of a merge to go back to, from 1
	Timeout  time.Duration // of all of it, requests to the forge included
}

// RevertMode is how a revert gets to where it deploys.
type RevertMode int

// The modes.
const (
	PushRevert        RevertMode = iota // push to the branch, without force
	PullRequestRevert                   // push a branch of its own and open a pull request
)

// UnmarshalText reads a mode.
func (m *RevertMode) UnmarshalText(text []byte) error {
	return word(m, "mode of a revert", text, "push", "pr")
}

// Forge is a host of repositories, with pull requests or merge requests.
type Forge int

// The forges.
const (
	AnyForge Forge = iota // told by the remote's address and the environment
	GitHub
	GitLab
)

// UnmarshalText reads a forge.
func (f *Forge) UnmarshalText(text []byte) error {
	if err := word(f, "forge", text, "github", "gitlab"); err != nil {
		return err
	}
	*f++ // the first word is the first after AnyForge
	return nil
}

// DefaultRevert is what a config that says no more than to revert asks for.
func DefaultRevert() Revert {
	var f revert
	setDefaults(reflect.ValueOf(&f).Elem())
	return f.settings()
}

// onVerdict is what to do at a pass, or at an inconclusive end.
type onVerdict struct {
	Run     words              `yaml:"run" required:"true" doc:"Command to run, a word each, without a shell" example:"[git, push, deploy, 'canary:main']"`
	Timeout providers.Duration `yaml:"timeout" default:"5m" doc:"Time limit of the command"`
}

// onFail is what to do at a fail.
type onFail struct {
	Revert  *revert            `yaml:"revert" doc:"Revert the change with git" example:"{commit: HEAD, push: deploy}"`
	Run     words              `yaml:"run" doc:"Command to run after the revert, a word each, without a shell" example:"[./notify.sh]"`
	Timeout providers.Duration `yaml:"timeout" default:"5m" doc:"Time limit of the command"`
}

type revert struct {
	Commit   string             `yaml:"commit" default:"HEAD" doc:"What to revert: a commit, or a range A..B" example:"HEAD"`
	Branch   string             `yaml:"branch" otherwise:"named as the one that is checked out" doc:"Branch on the remote that is judged and pushed to; to be named where HEAD is detached" example:"canary"`
	Mode     RevertMode         `yaml:"mode" default:"push" doc:"push to the branch, or pr: open a pull request on GitHub or a merge request on GitLab"`
	Push     string             `yaml:"push" default:"origin" doc:"Remote to push to" example:"deploy"`
	Forge    Forge              `yaml:"forge" otherwise:"by the remote's address and the CI" doc:"Where pull requests are opened: github or gitlab"`
	Base     string             `yaml:"base" otherwise:"the branch" doc:"Branch that the pull request is for"`
	Author   string             `yaml:"author" otherwise:"git's own settings, or canary-judge" doc:"Author and committer of the revert" example:"Release bot <bot@example.com>"`
	Mainline float64            `yaml:"mainline" default:"1" doc:"Parent of a merge to go back to"`
	Timeout  providers.Duration `yaml:"timeout" default:"5m" doc:"Time limit of the whole revert, requests to GitHub or GitLab included"`
}

// words are a command line.
type words struct{ filled, raw []string }

// bind reads a list of texts and remembers them as they stand.
func (w *words) bind(b *binder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		b.problem(n, "want a list of words, not one text: there is no shell to take it apart; write [git, push, deploy]")
		return
	}
	if n.Kind != yaml.SequenceNode {
		b.problem(n, "want a list of words, not %s", kindName(n))
		return
	}
	for _, c := range n.Content {
		raw := c.Value
		if text, ok := b.word(c, "a word of the command"); ok {
			w.filled, w.raw = append(w.filled, text), append(w.raw, raw)
		}
	}
	if len(n.Content) == 0 || len(w.filled) > 0 && strings.TrimSpace(w.filled[0]) == "" {
		b.problem(n, "the command is empty")
	}
}

// hook returns the hook that a command line is, nil for none.
func (r *resolver) hook(w words, timeout *providers.Duration) *Hook {
	r.someTime(timeout)
	if len(w.filled) == 0 {
		return nil
	}
	return &Hook{Args: w.filled, Shown: w.raw, Timeout: time.Duration(*timeout)}
}

// someTime notes a time limit that leaves no time.
func (r *resolver) someTime(timeout *providers.Duration) {
	if r.given(timeout) && *timeout <= 0 {
		r.problemAt(timeout, nil, "a time limit must be more than 0; leave it out for the usual one")
	}
}

// actions resolves what is done at a verdict.
func (r *resolver) actions() {
	a := &r.config.Actions
	if on := r.file.OnPass; on != nil {
		a.Pass = r.hook(on.Run, &on.Timeout)
	}
	if on := r.file.OnInconclusive; on != nil {
		a.Inconclusive = r.hook(on.Run, &on.Timeout)
	}
	on := r.file.OnFail
	if on == nil {
		return
	}
	a.Fail = r.hook(on.Run, &on.Timeout)
	if on.Revert == nil && a.Fail == nil && !r.written(&on.Run) {
		r.lacking(r.places.at(on), []string{"revert", "run"}, "say what to do: revert, run, or both")
	}
	if on.Revert != nil {
		a.Revert = r.revert(on.Revert)
	}
}

// revert resolves the settings of a revert. Names are checked as far as git would
// take them for options or for several; whether they exist is git's to say.
func (r *resolver) revert(f *revert) *Revert {
	to := f.settings()
	for _, s := range []struct {
		name    string
		address *string
	}{{"commit", &f.Commit}, {"branch", &f.Branch}, {"push", &f.Push}, {"base", &f.Base}} {
		if r.given(s.address) && !GitName(*s.address) {
			r.problemAt(s.address, f, "%s is %q; want a name as git has them", s.name, *s.address)
		}
	}
	if strings.Contains(to.Commit, "...") {
		r.problemAt(&f.Commit, f, "a range has two dots: A..B is what B has and A has not")
	}
	if r.given(&f.Base) && f.Mode != PullRequestRevert {
		r.problemAt(&f.Base, f, "base belongs to mode: pr")
	}
	if r.given(&f.Forge) && f.Mode != PullRequestRevert {
		r.problemAt(&f.Forge, f, "forge belongs to mode: pr")
	}
	if r.given(&f.Author) {
		author, err := mail.ParseAddress(f.Author)
		if err != nil || author.Name == "" {
			r.problemAt(&f.Author, f, "author is %q; want a name and an address: Release bot <bot@example.com>", f.Author)
		} else {
			to.Author = *author
		}
	}
	if r.given(&f.Mainline) && (f.Mainline != float64(to.Mainline) || to.Mainline < 1) {
		r.problemAt(&f.Mainline, f, "mainline is the number of a merge's parent: 1, 2, …")
	}
	r.someTime(&f.Timeout)
	return &to
}

// settings are those of a revert, as they are written.
func (f *revert) settings() Revert {
	return Revert{
		Commit: f.Commit, Branch: f.Branch, Mode: f.Mode, Remote: f.Push, Forge: f.Forge, Base: f.Base,
		Mainline: int(f.Mainline), Timeout: time.Duration(f.Timeout),
	}
}

// GitName reports whether git can take a text for the name of a commit, branch or
// remote, and for nothing else.
func GitName(name string) bool {
	return name != "" && !strings.HasPrefix(name, "-") && !strings.ContainsAny(name, " \t\r\n\x00:\\")
}

// blast says which metrics count the requests and the users that met the canary.
type blast struct {
	Requests string  `yaml:"requests" otherwise:"the metric that failed, or the first ratio" doc:"Ratio or slower_than metric whose totals are the requests" example:"errors"`
	Users    string  `yaml:"users" doc:"Value metric that counts the users of an arm, in a step or so far; usually advisory" example:"users"`
	AtMost   float64 `yaml:"at_most" otherwise:"a tenth of a day's error budget at 99.9%: 0.144 minutes of all requests" doc:"How many more requests may fail because of a stage than at the baseline's rate, at the worst that the evidence allows; the stage does not begin before that holds" example:"500"`
}

// blastRadius resolves what the blast radius is counted by.
func (r *resolver) blastRadius() {
	f := r.file.Blast
	if f == nil {
		return
	}
	find := func(address *string, want string, fits func(analysis.Metric) bool) string {
		if r.given(address) && !slices.ContainsFunc(r.config.Plan.Metrics, func(m analysis.Metric) bool { return m.Name == *address && fits(m) }) {
			r.problemAt(address, f, "want the name of %s, not %q", want, *address)
		}
		return *address
	}
	r.config.Blast.Requests = find(&f.Requests, "a ratio metric, or of a histogram with slower_than", func(m analysis.Metric) bool {
		return m.Traffic() != analysis.NoTraffic
	})
	r.config.Blast.Users = find(&f.Users, "a value metric", func(m analysis.Metric) bool { return !m.Totals() })
}

// Blast names the metrics that the blast radius is counted by.
type Blast struct {
	Requests string // "" = the metric that failed, or the first ratio
	Users    string // "" = none
}
