package revert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// underWay are what git keeps while something is under way that moves HEAD by itself.
var underWay = []string{"rebase-merge", "rebase-apply", "BISECT_LOG", "sequencer"}

// follow moves what is checked out to the revert that was pushed, if it is what was
// judged and nothing of anybody's is in the way. Else it returns a sentence about it.
func (w *work) follow(ctx context.Context, id string) string {
	leave := func(why string) string {
		return fmt.Sprintf("what is checked out here was left as it is (%s); git pull brings the revert", why)
	}
	if _, borrowed := w.out(ctx, "cat-file", "-e", id); borrowed != nil || !writable(w.objects) {
		return leave("the repository cannot be written to")
	}
	head, err := w.out(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if head == id { // a mirror follows by the push
		return ""
	}
	if err != nil || head != w.target.at {
		return leave("it is not what was judged")
	}
	on, _ := w.out(ctx, "symbolic-ref", "--quiet", "HEAD") // the exit code is 1 when HEAD is detached
	for _, name := range underWay {
		if _, err := os.Lstat(filepath.Join(w.dirs, name)); err == nil {
			return leave("something is under way, " + name)
		}
	}
	switch {
	case on != "" && on != w.target.ref:
		return leave("it is another branch, " + strings.TrimPrefix(on, heads))
	case w.bare && on == "":
		return ""
	case w.bare:
		err = w.do(ctx, "update-ref", "-m", "canary-judge: revert", on, id, head)
	default:
		g := w.git
		if on != "" {
			g = w.set("branch." + strings.TrimPrefix(on, heads) + ".mergeOptions=")
		}
		if path := w.unwritable(ctx, head, id); path != "" {
			return leave("the filter of " + providers.Quote(path) + " fails")
		}
		err = g.do(ctx, "merge", "--quiet", "--ff-only", "--no-overwrite-ignore", "--no-squash", "--no-autostash", "--no-stat", id)
	}
	var e *gitError
	if errors.As(err, &e) && e.stderr != "" {
		return leave(strings.TrimPrefix(e.stderr, "error: "))
	}
	if err != nil {
		return leave(err.Error())
	}
	return ""
}

// unwritable returns a file that changes between two commits and that its filter cannot
// write, such as one of LFS whose server does not answer; "" for none. Git would remove what
// is there before it finds out.
func (w *work) unwritable(ctx context.Context, from, to string) string {
	changed, err := w.out(ctx, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=d", from, to)
	if err != nil || changed == "" {
		return "" // which the merge finds, too
	}
	filtered, err := w.feed(ctx, changed, "check-attr", "-z", "--stdin", "filter")
	if err != nil {
		return ""
	}
	fields := strings.Split(filtered, "\x00") // a path, the attribute, its value
	for i := 0; i+2 < len(fields); i += 3 {
		if value := fields[i+2]; value == "unspecified" || value == "unset" {
			continue
		}
		if err := w.do(ctx, "cat-file", "--filters", to+":"+fields[i]); err != nil {
			return fields[i]
		}
	}
	return ""
}
