package revert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// underWay are what git keeps while something is under way that moves HEAD by itself.
var underWay = []string{"rebase-merge", "rebase-apply", "BISECT_LOG", "sequencer"}

// leave says that what is checked out is without the revert that the remote has.
func leave(why string) string {
	return fmt.Sprintf("what is checked out here was left as it is (%s); git pull brings the revert", why)
}

// catchUp has what is checked out follow reverts that are on the remote already: of a job
// that broke off after its push, or of another. Else it returns a sentence about it, or ""
// where they are here.
func (p *clone) catchUp(ctx context.Context, judged Change, reverts []string) string {
	if outside, err := p.exitCode(ctx, "merge-base", "--is-ancestor", reverts[0], "HEAD"); outside == 0 && err == nil {
		return ""
	}
	since, err := p.output(ctx, "rev-list", reverts[0], "^"+judged.Head)
	if err != nil {
		return leave(err.Error())
	}
	if !slices.Equal(strings.Fields(since), reverts) {
		return leave("the branch has more than the revert")
	}
	return p.follow(ctx, judged, reverts[0])
}

// follow moves what is checked out to a revert that is on the remote, if it is what was
// judged and nothing of anybody's is in the way. Else it returns a sentence about it.
func (p *clone) follow(ctx context.Context, judged Change, id string) string {
	if _, borrowed := p.output(ctx, "cat-file", "-e", id); borrowed != nil || !writable(p.objects) {
		return leave("the repository cannot be written to")
	}
	// Of jobs on one tree at the same time the first one moves it.
	unlock, err := lock(ctx, p.dirs)
	if err != nil {
		return leave(err.Error())
	}
	defer unlock()
	head, err := p.output(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if head == id { // a mirror follows by the push
		return ""
	}
	if err != nil || head != judged.Head {
		return leave("it is not what was judged")
	}
	on, _ := p.output(ctx, "symbolic-ref", "--quiet", "HEAD") // the exit code is 1 when HEAD is detached
	for _, name := range underWay {
		if _, err := os.Lstat(filepath.Join(p.dirs, name)); err == nil {
			return leave("something is under way, " + name)
		}
	}
	switch {
	case on != "" && on != judged.Ref:
		return leave("it is another branch, " + strings.TrimPrefix(on, heads))
	case p.bare && on == "":
		return ""
	case p.bare:
		if err := p.do(ctx, "update-ref", "-m", "canary-judge: revert", on, id, head); err != nil {
			return leave(reason(err))
		}
		return ""
	}
	return p.fastForward(ctx, on, head, id)
}

// reason is why git did not do something, by its own words.
func reason(err error) string {
	var e *gitError
	if errors.As(err, &e) && e.stderr != "" {
		return strings.TrimPrefix(e.stderr, "error: ")
	}
	return err.Error()
}

// fastForward moves the branch that is checked out, "" for none, and its files from a commit
// to a later one. Else it returns a sentence about it.
func (p *clone) fastForward(ctx context.Context, on, from, to string) string {
	files, err := p.changedFiles(ctx, from, to)
	if err != nil {
		return leave(reason(err))
	}
	if path := p.unwritable(ctx, to, files); path != "" {
		return leave("the filter of " + web.Quote(path) + " fails")
	}
	g := p.git
	if on != "" {
		g = p.withSettings("branch." + strings.TrimPrefix(on, heads) + ".mergeOptions=")
	}
	before, err := p.look(files)
	if err != nil {
		return leave(err.Error())
	}
	defer before.close()
	err = g.do(ctx, "merge", "--quiet", "--ff-only", "--no-overwrite-ignore", "--no-squash", "--no-autostash", "--no-stat", to)
	if err == nil {
		return ""
	}
	// Also when the time is over that the merge took.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestReadBack)
	defer cancel()
	head, _ := p.output(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	switch {
	case head == to:
		return ""
	case strings.Contains(reason(err), "index.lock': File exists"): // it is another git's turn
		return leave(reason(err))
	}
	if command := before.restore(ctx, from); command != "" {
		return fmt.Sprintf("what is checked out here could not follow (%s), and lacks some of its files; make room, and run: %s", reason(err), command)
	}
	return leave(reason(err))
}

// unwritable returns a file of a commit that its filter cannot write, such as one of LFS
// whose server does not answer; "" for none. Git would remove what is there before it finds
// out.
func (p *clone) unwritable(ctx context.Context, to string, files []changedFile) string {
	var paths strings.Builder
	for _, f := range files {
		if f.status != 'D' {
			paths.WriteString(f.path + "\x00")
		}
	}
	if paths.Len() == 0 {
		return ""
	}
	filtered, err := p.outputOf(ctx, paths.String(), "check-attr", "-z", "--stdin", "filter")
	if err != nil {
		return "" // which the merge finds, too
	}
	fields := strings.Split(filtered, "\x00") // a path, the attribute, its value
	for i := 0; i+2 < len(fields); i += 3 {
		if value := fields[i+2]; value == "unspecified" || value == "unset" {
			continue
		}
		if err := p.do(ctx, "cat-file", "--filters", to+":"+fields[i]); err != nil {
			return fields[i]
		}
	}
	return ""
}
