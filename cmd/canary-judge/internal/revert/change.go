package revert

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/web"
)

// Change is what is under judgement, and where it is deployed from.
type Change struct {
	Head    string   `json:"head" doc:"Commit that was checked out when the run began"`
	Branch  string   `json:"branch,omitempty" doc:"Branch that was checked out"`
	Remote  string   `json:"remote,omitempty" doc:"Remote that the change is deployed from"`
	Ref     string   `json:"ref,omitempty" doc:"Branch there, by its full name, such as refs/heads/canary; it was at head"`
	Commits []Commit `json:"commits" doc:"Commits under judgement, the newest first"`
}

// Commit is a commit of the change.
type Commit struct {
	SHA     string `json:"sha" doc:"Full name of the commit"`
	Subject string `json:"subject" doc:"First line of its message"`

	parents []string
	says    []claim
}

// short is how a commit is called in messages.
func (c Commit) short() string {
	return fmt.Sprintf("%s (%s)", c.SHA[:min(len(c.SHA), shortSHA)], c.Subject)
}

// fullName is how a commit is named in results: by all of its name, and by nothing that
// git would take for something else.
var fullName = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// valid reports a change that no run has written: results come from files.
func (c Change) valid() error {
	for _, id := range append([]string{c.Head}, names(c.Commits)...) {
		if !fullName.MatchString(id) {
			return fmt.Errorf("the result names %q as a commit, which is no full name of one", web.Quote(id))
		}
	}
	if len(c.Commits) == 0 {
		return errors.New("no commit to revert is named")
	}
	return nil
}

// names are the full names of commits.
func names(commits []Commit) []string {
	var all []string
	for _, c := range commits {
		all = append(all, c.SHA)
	}
	return all
}

const (
	shortSHA = 12
	heads    = "refs/heads/"
)

// Observe finds what would be reverted on a fail, and refuses what could not be
// then: better before the first look than after the last. It changes nothing.
func (r *Repository) Observe(ctx context.Context) (Change, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	p, err := r.open(ctx, false)
	if err != nil {
		return Change{}, err
	}
	defer p.close()
	c, err := r.judged(ctx, p)
	if err != nil {
		return c, err
	}
	target, err := r.target(ctx, p, c.Ref)
	if err != nil {
		return c, err
	}
	if err := r.ready(ctx, p, c, target); err != nil {
		if r.Settings.Base != "" {
			err = fmt.Errorf("to %s (on_fail.revert.base): %w", target.ref, err)
		}
		return c, err
	}
	if r.Settings.Mode == config.PullRequestRevert {
		if _, err := r.forge(ctx, p); err != nil {
			return c, err
		}
	}
	if err := r.signs(ctx, p, target); err != nil {
		return c, err
	}
	return c, r.remote(p).mayPush(ctx, c.Head, c.Ref)
}

// Part returns what a text names of a change that was judged. What was not judged
// cannot be named.
func (r *Repository) Part(ctx context.Context, judged Change, text string) (Change, error) {
	if err := judged.valid(); err != nil {
		return Change{}, err
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	p, err := r.open(ctx, false)
	if err != nil {
		return Change{}, err
	}
	defer p.close()
	named, err := p.named(ctx, ofThen(text, judged.Head))
	if err != nil {
		return Change{}, err
	}
	for _, c := range named {
		if !slices.ContainsFunc(judged.Commits, c.is) {
			return Change{}, fmt.Errorf("the result did not judge the commit %s, so it cannot say that it is to be reverted", c.short())
		}
	}
	judged.Commits = named
	return judged, nil
}

// headNow finds HEAD, or @, at the beginning of the name of a commit.
var headNow = regexp.MustCompile(`^(?:HEAD|@)([~^]|$)`)

// ofThen is a commit or a range whose names that count from HEAD count from where it was.
func ofThen(text, head string) string {
	ends := strings.SplitN(text, "..", 2)
	for i, end := range ends {
		if end == "" { // which stands for HEAD in a range
			end = "HEAD"
		}
		ends[i] = headNow.ReplaceAllString(end, head+"$1")
	}
	return strings.Join(ends, "..")
}

// ready reports what keeps a change from being taken back from a branch on the remote.
// That all of it is taken back already, is itself a revert, or changed nothing, does not: a
// canary that was healed is judged as well, and so is one that only starts a pipeline.
func (r *Repository) ready(ctx context.Context, p *clone, c Change, b branch) error {
	for _, commit := range c.Commits {
		if outside, err := p.exitCode(ctx, "merge-base", "--is-ancestor", commit.SHA, b.at); err != nil {
			return err
		} else if outside == 1 {
			return fmt.Errorf("the commit %s is not part of the branch, which is at %s%s", commit.short(), b.at[:shortSHA], p.shallowHint(ctx))
		}
	}
	found, err := r.choose(ctx, p, c.Commits, b.at)
	if err != nil {
		return err
	}
	steps, err := r.plan(ctx, p, b.at, found.left)
	if err != nil {
		return err
	}
	return p.changing(ctx, b.at, steps)
}

// judged finds the commits that the settings name, and the branch on the remote that
// they are deployed from.
func (r *Repository) judged(ctx context.Context, p *clone) (Change, error) {
	head, err := p.resolve(ctx, "HEAD")
	if err != nil {
		return Change{}, err
	}
	c := Change{Head: head, Remote: r.Settings.Remote}
	if c.Commits, err = p.named(ctx, r.Settings.Commit); err != nil {
		return c, err
	}
	// The exit code is 1 when HEAD is detached.
	checkedOut, _ := p.output(ctx, "symbolic-ref", "--quiet", "HEAD")
	c.Branch, _ = strings.CutPrefix(checkedOut, heads)
	if !strings.HasPrefix(checkedOut, heads) {
		c.Branch = ""
	}
	names := []string{checkedOut}
	switch {
	case r.Settings.Branch != "":
		names = r.refs(r.Settings.Branch)
		if c.Branch != "" && !slices.Contains(names, checkedOut) {
			return c, fmt.Errorf("the branch %s is checked out, and %s is expected (on_fail.revert.branch)", c.Branch, r.Settings.Branch)
		}
	case c.Branch == "":
		return c, errors.New("HEAD is detached, so there is no branch to push to: check out the branch, or name it with on_fail.revert.branch")
	}
	b, err := r.remote(p).branch(ctx, names)
	if err != nil {
		return c, r.withUpstream(ctx, p, c, err)
	}
	c.Ref = b.ref
	if b.at != head {
		return c, r.apart(ctx, p, head, b)
	}
	return c, nil
}

// withUpstream adds to the error of a branch that the remote has not which one the
// checked-out branch follows.
func (r *Repository) withUpstream(ctx context.Context, p *clone, c Change, err error) error {
	if !errors.Is(err, errNoBranch) || c.Branch == "" {
		return err
	}
	follows, unset := p.output(ctx, "config", "--get", "branch."+c.Branch+".merge")
	if unset != nil || follows == heads+c.Branch {
		return err
	}
	return fmt.Errorf("%w; the branch %s follows %s: if that is what is deployed, check it out", err, c.Branch, follows)
}

// apart says how what is checked out and the branch on the remote differ.
func (r *Repository) apart(ctx context.Context, p *clone, head string, b branch) error {
	is := fmt.Sprintf("%s on %s is at %s, and %s is checked out", b.ref, r.Settings.Remote, b.at[:shortSHA], head[:shortSHA])
	if ref := r.Env["GITHUB_REF"]; strings.HasPrefix(ref, "refs/pull/") && r.Env["GITHUB_ACTIONS"] == "true" {
		return fmt.Errorf("%s, the merge that GitHub makes of a pull request to try it (%s), which is on no branch: check out the branch that is deployed (actions/checkout with ref: ${{ github.head_ref }}), and judge that", is, ref)
	}
	// https://docs.gitlab.com/ci/variables/predefined_variables/
	if kind := r.Env["CI_MERGE_REQUEST_EVENT_TYPE"]; r.Env["GITLAB_CI"] == "true" && (kind == "merged_result" || kind == "merge_train") {
		return fmt.Errorf("%s, the merge that GitLab makes of a merge request to try it (CI_MERGE_REQUEST_EVENT_TYPE is %s), which is on no branch: judge in a pipeline of the branch that is deployed", is, kind)
	}
	if _, unknown := p.output(ctx, "cat-file", "-e", b.at+"^{commit}"); unknown != nil {
		return fmt.Errorf("%s, which is behind it or was never there: check out what is deployed, and judge that: git fetch %s %s && git checkout FETCH_HEAD", is, r.Settings.Remote, b.ref)
	}
	if beside, err := p.exitCode(ctx, "merge-base", "--is-ancestor", b.at, head); err != nil {
		return err
	} else if beside == 0 {
		return fmt.Errorf("%s: commits that were not pushed are not deployed; push them first (git push %s %s:%s), or check out what is deployed", is, r.Settings.Remote, head[:shortSHA], b.ref)
	}
	return fmt.Errorf("%s: what is checked out is not what is deployed; check that out, and judge it", is)
}

// named resolves the commits that a text names.
func (p *clone) named(ctx context.Context, text string) ([]Commit, error) {
	var ids []string
	if from, to, isRange := strings.Cut(text, ".."); isRange {
		var err error
		if ids, err = p.between(ctx, from, to); err != nil {
			return nil, err
		}
	} else {
		id, err := p.resolve(ctx, text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return p.known(ctx, ids)
}

// known reads commits by their full names.
func (p *clone) known(ctx context.Context, ids []string) ([]Commit, error) {
	var all []Commit
	for _, id := range ids {
		c, err := p.commit(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// resolve returns the full name of a commit.
func (p *clone) resolve(ctx context.Context, name string) (string, error) {
	id, err := p.output(ctx, "rev-parse", "--verify", "--quiet", name+"^{commit}")
	if err == nil {
		return id, p.unambiguous(ctx, name)
	}
	if name == "HEAD" {
		return "", fmt.Errorf("the repository has no commit yet")
	}
	return "", fmt.Errorf("the repository has no commit %s%s", name, p.shallowHint(ctx))
}

// beginning is what may be the beginning of the name of a commit.
var beginning = regexp.MustCompile(`^[0-9a-f]{4,39}$`)

// unambiguous reports a name that a tag and a branch have, or that a commit begins with
// while a branch or a tag of that name is elsewhere.
func (p *clone) unambiguous(ctx context.Context, name string) error {
	base, _, _ := strings.Cut(name, "^")
	base, _, _ = strings.Cut(base, "~")
	if beginning.MatchString(base) {
		id, err := p.output(ctx, "rev-parse", "--verify", "--quiet", base+"^{commit}")
		if err != nil {
			return err
		}
		all, err := p.output(ctx, "rev-parse", "--disambiguate="+base)
		if err != nil {
			return err
		}
		for object := range strings.FieldsSeq(all) {
			if kind, err := p.output(ctx, "cat-file", "-t", object); err == nil && kind == "commit" && object != id {
				return fmt.Errorf("%s is a branch or a tag here, and the beginning of another commit, %s: write that, or %s", base, object, id)
			}
		}
	}
	list, err := p.output(ctx, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/tags/"+base, heads+base)
	if err != nil {
		return err
	}
	lines := strings.Split(list, "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], heads+base+" ") || !strings.HasPrefix(lines[1], "refs/tags/"+base+" ") {
		return nil
	}
	if _, id, _ := strings.Cut(strings.TrimSpace(lines[0]), " "); strings.HasSuffix(strings.TrimSpace(lines[1]), id) {
		return nil
	}
	return fmt.Errorf("%s is a branch and a tag here, of different commits: write %s%s or refs/tags/%s", base, heads, base, base)
}

// between returns the commits of a range, the newest first, along first parents:
// reverting a merge takes back all that it brought.
func (p *clone) between(ctx context.Context, from, to string) ([]string, error) {
	if to == "" {
		to = "HEAD"
	}
	if from == "" {
		from = "HEAD"
	}
	first, err := p.resolve(ctx, from)
	if err != nil {
		return nil, err
	}
	last, err := p.resolve(ctx, to)
	if err != nil {
		return nil, err
	}
	list, err := p.output(ctx, "rev-list", "--first-parent", first+".."+last)
	if err != nil {
		return nil, err
	}
	if list == "" {
		return nil, fmt.Errorf("the range %s..%s holds no commit", from, to)
	}
	ids := strings.Split(list, "\n")
	return ids, p.whole(ctx, ids)
}

// commit reads a commit. Its parents are those it was made with, also where a
// shallow clone lacks them.
func (p *clone) commit(ctx context.Context, id string) (Commit, error) {
	c := Commit{SHA: id}
	raw, err := p.output(ctx, "cat-file", "commit", id)
	if err != nil {
		return c, fmt.Errorf("the clone lacks the commit %s%s: git fetch %s", id[:min(len(id), shortSHA)], p.shallowHint(ctx), "--all")
	}
	header, _, _ := strings.Cut(raw, "\n\n")
	for line := range strings.SplitSeq(header, "\n") {
		if parent, ok := strings.CutPrefix(line, "parent "); ok {
			c.parents = append(c.parents, parent)
		}
	}
	// In UTF-8, whatever the commit is written in.
	message, err := p.output(ctx, "log", "-1", "--no-walk", "--encoding=UTF-8", "--no-color", "--no-show-signature", "--format=tformat:%B", id)
	if err != nil {
		return c, err
	}
	message = strings.ToValidUTF8(message, "\ufffd")
	c.Subject = subjectOf(message)
	c.says = claims(message)
	return c, nil
}

// subjectOf is the first line of a message.
func subjectOf(message string) string {
	subject, _, _ := strings.Cut(strings.TrimLeft(message, "\n"), "\n")
	return subject
}

// shallowHint says what may be wrong with a clone that lacks a commit.
func (g git) shallowHint(ctx context.Context) string {
	if shallow, err := g.output(ctx, "rev-parse", "--is-shallow-repository"); err != nil || shallow != "true" {
		return ""
	}
	return "; the clone is shallow: fetch more of it with git fetch --deepen=10 (actions/checkout: fetch-depth: 0)"
}

// cut returns the commits whose parents a shallow clone lacks.
func (p *clone) cut(ctx context.Context) ([]string, error) {
	file, err := p.output(ctx, "rev-parse", "--path-format=absolute", "--git-path", "shallow")
	if err != nil {
		return nil, err
	}
	return fields(file)
}

// whole reports commits among which a shallow clone may lack some.
func (p *clone) whole(ctx context.Context, ids []string) error {
	cut, err := p.cut(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if slices.Contains(cut, id) {
			return fmt.Errorf("the clone lacks what came before %s, so that it cannot be told what the change holds%s", id[:shortSHA], p.shallowHint(ctx))
		}
	}
	return nil
}
