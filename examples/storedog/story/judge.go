package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Exit codes of canary-judge.
const (
	pass         = 0
	fail         = 1
	inconclusive = 3
)

// result is what the story reads of a result.
type result struct {
	code   int
	Reason string
	Window struct{ Looks int }
	Notes  []string

	Metrics []struct {
		Name, Decision string
		Advisory       bool
	}
	Ramp  struct{ Stage int }
	Blast *struct {
		Requests, Failed, Excess float64
		Users                    *float64
	} `json:"blast_radius"`
	Generated struct {
		Actions []struct {
			Kind, Error, Pushed string
			Reverts             []string
		}
	}
}

// failed returns the names of the metrics that failed the canary.
func (r result) failed() []string {
	var names []string
	for _, m := range r.Metrics {
		if m.Decision == "fail" && !m.Advisory {
			names = append(names, m.Name)
		}
	}
	return names
}

// judge has the canary judged, and shows the report: all of it, or its first line.
func (s *stage) judge(whole bool) (result, error) {
	s.runs++
	name := fmt.Sprintf("%d-%s", s.runs, cmp.Or(s.change, "healthy"))
	recording, file := s.path(name+".jsonl"), s.path(name+".json")
	st, err := s.state()
	if err != nil {
		return result{}, err
	}
	s.say("$ canary-judge run --config %s", s.story.config)
	cmd := s.command(s.work, s.tool, "run", "--config", s.story.config, "--record", recording, "-o", "text", "-o", "json="+file)
	cmd.Env = s.environment("PROMETHEUS_URL="+st.Prometheus, "SHOP="+st.Shop, "SHOP_DIR="+st.Dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var r result
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.code, err = exit.ExitCode(), nil
	}
	if err != nil {
		return r, err
	}
	report := stdout.String()
	if !whole {
		report, _, _ = strings.Cut(report, "\n")
	}
	s.quote(report)
	text, err := os.ReadFile(file)
	if err != nil {
		return r, fmt.Errorf("canary-judge exits %d without a result:\n%s", r.code, &stderr)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read the result: %w", err)
	}
	for _, a := range r.Generated.Actions {
		if a.Error != "" {
			return r, fmt.Errorf("%s: %s\n%s", a.Kind, a.Error, &stderr)
		}
	}
	return r, s.replays(recording, r)
}

// replays checks that the recording says the same.
func (s *stage) replays(recording string, r result) error {
	again := s.command(s.dir, s.tool, "replay", recording, "-o", "json")
	text, err := again.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	var replayed result
	if err := json.Unmarshal(text, &replayed); err != nil {
		return fmt.Errorf("replay the run: %w", err)
	}
	if replayed.Reason != r.Reason || again.ProcessState.ExitCode() != r.code {
		return fmt.Errorf("the replay of the run says %q", replayed.Reason)
	}
	return nil
}

// healthy has a canary judged that nothing is wrong with: it must not fail.
func (s *stage) healthy() (result, error) {
	r, err := s.judge(false)
	if err == nil && r.code != pass && r.code != inconclusive {
		err = fmt.Errorf("canary-judge exits %d over a canary that nothing is wrong with", r.code)
	}
	return r, err
}

// mostLooks is within how many looks a broken canary must fail.
const mostLooks = 8

// broken has a canary judged that must fail on some of these metrics and on no other, in a
// stage, 0 without a ramp, and be reverted. It returns the commit that reverts it.
func (s *stage) broken(stage int, metrics ...string) (string, error) {
	bad, err := s.git("rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	r, err := s.judge(true)
	switch {
	case err != nil:
		return "", err
	case r.code != fail:
		return "", fmt.Errorf("canary-judge exits %d, want %d: %s", r.code, fail, r.Reason)
	case r.Ramp.Stage != stage:
		return "", fmt.Errorf("it failed in stage %d, want %d", r.Ramp.Stage, stage)
	case stage == 0 && r.Window.Looks > mostLooks:
		return "", fmt.Errorf("it took %d looks, want at most %d", r.Window.Looks, mostLooks)
	}
	for _, name := range r.failed() {
		if !slices.Contains(metrics, name) {
			return "", fmt.Errorf("%s failed; want %s", name, strings.Join(metrics, " or "))
		}
	}
	head, err := s.git("rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	message, err := s.git("log", "-1", "--format=%B")
	if err != nil {
		return "", err
	}
	remote, err := s.git("ls-remote", "deploy", "refs/heads/"+s.story.branch)
	switch {
	case err != nil:
		return "", err
	case !strings.Contains(message, "This reverts commit "+bad):
		return "", fmt.Errorf("%s is not reverted; HEAD says\n%s", bad, message)
	case !strings.HasPrefix(remote, head):
		return "", fmt.Errorf("the revert is not deployed: the remote is at %s", remote)
	}
	s.change = ""
	s.say("The commit that reverts it says why:")
	s.quote(message)
	return head, nil
}
