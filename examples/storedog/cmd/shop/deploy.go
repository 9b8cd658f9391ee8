package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"storedog/cmd/shop/internal/release"
)

// runDeploy deploys what was pushed: git tells it on the standard input, and the
// pusher sees the output.
func runDeploy(ctx context.Context, args []string, s streams) error {
	flags := flag.NewFlagSet("shop deploy", flag.ContinueOnError)
	dir := flags.String("dir", "", "state directory of the shop")
	if err := parse(flags, args, s); err != nil {
		return err
	}
	if *dir == "" {
		fmt.Fprintln(s.err, "usage: shop deploy -dir DIR < what git tells the hook post-receive")
		return errUsage
	}
	pushes, err := readPushes(s.in)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(*dir, "deploy.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	st, err := readState(*dir)
	if err != nil {
		return fmt.Errorf("%w; nothing is deployed", err)
	}
	// A build takes what the shop leaves.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 10)
	for _, p := range pushes {
		if err := p.deploy(ctx, st, s.out); err != nil {
			return fmt.Errorf("DEPLOYMENT OF %s FAILED: %w", strings.ToUpper(p.branch), err)
		}
	}
	return nil
}

// push is a branch that was pushed.
type push struct{ branch, commit string }

// deploy builds what was pushed and has it restarted.
func (p push) deploy(ctx context.Context, st state, out io.Writer) error {
	began := time.Now()
	mode, err := modeNamed(st.Mode)
	if err != nil {
		return err
	}
	flavours := mode.deployedBy(p.branch)
	if len(flavours) == 0 {
		return fmt.Errorf("no flavour of mode %s is deployed from the branch %s", st.Mode, p.branch)
	}
	fmt.Fprintf(out, "build %.7s for %s\n", p.commit, strings.Join(flavours, " and "))
	r, err := repositoryOf(st.Dir).Build(ctx, p.commit, out, release.Services...)
	if err != nil {
		return fmt.Errorf("%w; %s", err, st.still(flavours))
	}
	fmt.Fprintf(out, "%s was built in %.1f s\n", r.Version, time.Since(began).Seconds())
	return orderRestart(ctx, st.Dir, p.commit, flavours, out)
}

// still says what flavours go on with.
func (s state) still(flavours []string) string {
	var parts []string
	for _, f := range s.Flavours {
		if slices.Contains(flavours, f.Name) {
			parts = append(parts, f.Name+" goes on with "+f.Version)
		}
	}
	return strings.Join(parts, ", ")
}

// readPushes reads what git tells: a line "OLD NEW REF" for each branch or tag. Main
// is the first, so that what is pushed to the canary together with it stays there.
func readPushes(in io.Reader) ([]push, error) {
	var pushes []push
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			return nil, fmt.Errorf("git tells %q, want OLD NEW REF", lines.Text())
		}
		branch, ok := strings.CutPrefix(fields[2], "refs/heads/")
		gone := strings.Trim(fields[1], "0") == ""
		if (branch == mainBranch || branch == canaryBranch) && ok && !gone {
			pushes = append(pushes, push{branch, fields[1]})
		}
	}
	slices.SortStableFunc(pushes, func(a, b push) int { return -strings.Compare(a.branch, b.branch) })
	return pushes, lines.Err()
}

// lock waits until no other deployment is under way. The lock ends with the process.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the deployment: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the deployment: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}
