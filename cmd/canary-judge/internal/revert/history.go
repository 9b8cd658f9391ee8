package revert

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// claim is what a message says that its commit takes back.
type claim struct {
	of    string // beginning of a commit's name, "" where only title says what
	title string // the subject of what is taken back
	ours  bool   // by our trailer, or perhaps, where only a title says it
}

var (
	// trailerAnywhere finds our trailer. A squash puts messages one after the other, and
	// other trailers below them; lists and quotes have marks before their lines.
	trailerAnywhere = regexp.MustCompile(`(?mi)^[\s>*-]*` + trailerReverts + `:\s*([0-9a-f]{7,64})\b`)
	gitsWords       = regexp.MustCompile(`(?i)\bThis reverts commit\s+([0-9a-f]{7,64})\b`)
	// ourBranch finds the branch of a pull request of ours in the message of its merge.
	ourBranch = regexp.MustCompile(`(?m)^Merge .*\b` + branchPrefix)
	// titleAlone finds a message that is the title of a request that reverts and perhaps has
	// trailers: what is left of ours where a host squashes by the title, as GitLab does by
	// default and GitHub on request. Both may add the request's number.
	titleAlone = regexp.MustCompile(`^\s*Revert "(.+)"(?: and \d+ more)?` + requestNumber + `\s*(?:\n\s*[A-Za-z]+(?:-[A-Za-z]+)+:.*\s*)*$`)
)

// requestNumber is what hosts add to the title of a request that they squash.
const requestNumber = `(?: \((?:pull request )?[#!]\d+\))?`

// claims reads a message.
func claims(message string) []claim {
	var all []claim
	for _, m := range trailerAnywhere.FindAllStringSubmatch(message, -1) {
		all = append(all, claim{of: strings.ToLower(m[1]), ours: true})
	}
	for _, m := range gitsWords.FindAllStringSubmatch(message, -1) {
		id := strings.ToLower(m[1])
		if !slices.ContainsFunc(all, func(c claim) bool { return c.of == id }) {
			all = append(all, claim{of: id})
		}
	}
	if title := titleAlone.FindStringSubmatch(message); title != nil && len(all) == 0 {
		all = append(all, claim{title: title[1], ours: true})
	}
	return all
}

// key is what a claim goes by in takenBack: a title in quotes is no beginning of a name.
func (c claim) key() string {
	if c.title != "" {
		return strconv.Quote(c.title)
	}
	return c.of
}

// takenBack is a set of commits that are taken back, each with the commit that does it. A
// commit is in it when its name begins with a key, or when a key is its subject.
type takenBack map[string]string

// by returns what takes a commit back. A title stands for one commit, the newest that it
// fits: commits are asked for from the newest on.
func (t takenBack) by(id, subject string) (string, bool) {
	for of, by := range t {
		if strings.HasPrefix(id, of) {
			return by, true
		}
	}
	for _, title := range []string{subject, numbered.ReplaceAllString(subject, "")} {
		key := claim{title: title}.key()
		if by, ok := t[key]; ok {
			delete(t, key)
			return by, true
		}
	}
	return "", false
}

// numbered finds the number of a request at the end of a subject.
var numbered = regexp.MustCompile(requestNumber + `$`)

// entry is a commit of a history.
type entry struct {
	id      string
	parents []string
	message string
}

// history reads commits, newer ones before those they build on. The arguments are
// those of git log.
func (p *clone) history(ctx context.Context, args ...string) ([]entry, error) {
	log, err := p.output(ctx, append([]string{
		"log", "-z", "--topo-order", "--encoding=UTF-8", "--no-color", "--no-show-signature", "--no-decorate", "--format=tformat:%H %P%n%B",
	}, args...)...)
	if err != nil {
		return nil, err
	}
	var all []entry
	for text := range strings.SplitSeq(log, "\x00") {
		ids, message, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
		if f := strings.Fields(ids); len(f) > 0 {
			all = append(all, entry{f[0], f[1:], message})
		}
	}
	return all, nil
}

// net returns what a history takes back in the end: what a commit says that was itself
// taken back does not count.
func (p *clone) net(ctx context.Context, history []entry) (takenBack, []claim, error) {
	undone := takenBack{}
	var all []claim
	for _, e := range history {
		if by, ok := undone.by(e.id, subjectOf(e.message)); ok {
			if len(e.parents) > 1 { // and so is all that it brought
				brought, err := p.output(ctx, "rev-list", e.id, "^"+e.parents[0])
				if err != nil {
					return nil, nil, err
				}
				for _, id := range strings.Fields(brought) {
					undone[id] = by
				}
			}
			continue
		}
		for _, c := range claims(e.message) {
			if _, ok := undone[c.key()]; !ok {
				undone[c.key()] = e.id
			}
			all = append(all, c)
		}
	}
	// A title that a merge brings among others tells nothing of the whole.
	inside := func(c claim) bool {
		return c.title != "" || slices.ContainsFunc(history, func(e entry) bool { return strings.HasPrefix(e.id, c.of) })
	}
	return undone, slices.DeleteFunc(all, inside), nil
}

// takes returns what a commit takes back: a merge what it brings takes back, in the end.
func (p *clone) takes(ctx context.Context, c Commit) ([]claim, error) {
	if len(c.parents) < 2 {
		return c.says, nil
	}
	brought, err := p.history(ctx, c.SHA, "^"+c.parents[0])
	if err != nil {
		return nil, err
	}
	_, all, err := p.net(ctx, brought)
	if err != nil {
		return nil, err
	}
	if len(brought) > 0 && ourBranch.MatchString(brought[0].message) {
		all = append(all, claim{ours: true})
	}
	if slices.ContainsFunc(all, func(c claim) bool { return c.ours }) {
		return all, nil
	}
	ids := []string{}
	for _, e := range brought {
		ids = append(ids, e.id)
	}
	return all, p.whole(ctx, ids)
}

// choice is what of a change is to be taken back.
type choice struct {
	left  []Commit // to take back, the newest first
	by    []string // commits that took others back, the newest first
	own   []Commit // reverts of ours, which stay
	empty []Commit // without changes, such as those that only start a CI
}

// choose finds what of a change is not taken back yet on top of it, and leaves reverts
// of ours alone, and what the change itself takes back.
func (r *Repository) choose(ctx context.Context, p *clone, change []Commit, tip string) (choice, error) {
	above, err := p.history(ctx, tip, "^"+change[0].SHA)
	if err != nil {
		return choice{}, err
	}
	ids := []string{}
	for _, e := range above {
		ids = append(ids, e.id)
	}
	if err := p.whole(ctx, ids); err != nil {
		return choice{}, err
	}
	undone, _, err := p.net(ctx, above)
	if err != nil {
		return choice{}, err
	}
	var found choice
	var gone []Commit
	within := takenBack{} // that the change takes back itself
	for _, c := range change {
		if _, ok := within.by(c.SHA, c.Subject); ok {
			continue
		}
		if by, ok := undone.by(c.SHA, c.Subject); ok {
			gone = append(gone, c)
			if !slices.Contains(found.by, by) {
				found.by = append(found.by, by)
			}
			continue
		}
		all, err := p.takes(ctx, c)
		if err != nil {
			return choice{}, err
		}
		own, pair := false, false
		for _, claim := range all {
			own = own || claim.ours
			if claim.of != "" && slices.ContainsFunc(change, func(o Commit) bool { return strings.HasPrefix(o.SHA, claim.of) }) {
				pair, within[claim.of] = true, c.SHA
			}
			if claim.title != "" {
				within[claim.key()] = c.SHA
			}
		}
		switch {
		case own:
			found.own = append(found.own, c)
		case !pair:
			found.left = append(found.left, c)
		}
	}
	slices.SortFunc(found.by, func(a, b string) int { return slices.Index(ids, a) - slices.Index(ids, b) })
	found.left, found.empty = r.changed(ctx, p, found.left)
	if there, err := r.stillThere(ctx, p, tip, gone); err != nil || !there {
		return found, err
	}
	// Messages say that it is gone, and it is not: it came back.
	found.by, found.left = nil, slices.DeleteFunc(slices.Clone(change), func(c Commit) bool {
		return !slices.ContainsFunc(gone, c.is) && !slices.ContainsFunc(found.left, c.is)
	})
	return found, nil
}

// changed tells commits that changed something from those that did not.
func (r *Repository) changed(ctx context.Context, p *clone, commits []Commit) (all, empty []Commit) {
	for _, c := range commits {
		if len(c.parents) == 0 || len(c.parents) > 1 && len(c.parents) < r.Settings.Mainline {
			all = append(all, c) // which cannot be taken back, as is said later
			continue
		}
		// What lacks here is told by whoever needs it.
		after, _ := p.tree(ctx, c.SHA)
		if before, err := p.tree(ctx, r.parent(c)); err != nil || before != after {
			all = append(all, c)
		} else {
			empty = append(empty, c)
		}
	}
	return all, empty
}

func (c Commit) is(other Commit) bool { return c.SHA == other.SHA }

// stillThere reports whether commits would still change something if they were taken
// back. Where that cannot be worked out it is what came later that is in the way, and
// what messages say of them counts.
func (r *Repository) stillThere(ctx context.Context, p *clone, tip string, commits []Commit) (bool, error) {
	if len(commits) == 0 {
		return false, nil
	}
	steps, err := r.plan(ctx, p, tip, commits)
	var conflict *conflictError
	if errors.As(err, &conflict) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	tree, err := p.tree(ctx, tip)
	return steps[len(steps)-1].tree != tree, err
}

// fields returns the words of a file, none if it does not exist.
func fields(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(text)), err
}

// TakenBack returns the commits that a message says its commit takes back, each by its name or the beginning of it.
func TakenBack(message string) []string {
	var names []string
	for _, c := range claims(message) {
		if c.of != "" {
			names = append(names, c.of)
		}
	}
	return names
}
