package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stage is where a story plays: a shop that is open, a clone of its repository, and
// canary-judge.
type stage struct {
	ctx   context.Context
	out   io.Writer
	dir   string // of all that the story makes
	story story
	began time.Time

	tool string // path of canary-judge
	work string // directory of the clone
	shop *exec.Cmd
	shut chan struct{} // closed when the shop has closed
	log  *os.File      // of the shop
	runs int           // of canary-judge

	change string // that is deployed and not yet reverted; empty if none is
}

// The shop of the stories: a fifth of the users meet the canary, but in that of the ramp, and
// Prometheus scrapes four times in a step of the config.
const (
	fifth  = 20 // percent
	users  = 300
	rate   = 200 // requests a second
	scrape = 500 * time.Millisecond
)

// longestOpening is how long the shop gets to open: its programs are compiled first.
const longestOpening = 5 * time.Minute

// open builds canary-judge, opens the shop, and clones its repository.
func (s *stage) open(project string) error {
	s.tool = filepath.Join(s.dir, "canary-judge")
	build := s.command(project, "go", "build", "-buildvcs=false", "-o", s.tool, "./cmd/canary-judge")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build canary-judge: %w\n%s", err, text)
	}
	shop := filepath.Join(s.dir, "shop")
	if text, err := s.command(".", "go", "build", "-buildvcs=false", "-o", shop, "./cmd/shop").CombinedOutput(); err != nil {
		return fmt.Errorf("build the shop: %w\n%s", err, text)
	}
	log, err := os.Create(filepath.Join(s.dir, "shop.log"))
	if err != nil {
		return err
	}
	s.log = log
	s.shop = exec.Command(shop, "up", "-dir", s.path("state"), "-mode", s.story.mode, "-scrape", scrape.String(),
		"-share", strconv.Itoa(s.story.share), "-users", strconv.Itoa(users), "-rate", strconv.Itoa(rate))
	s.shop.Stdout, s.shop.Stderr = log, log
	// When the story is killed, the shop closes.
	s.shop.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := s.shop.Start(); err != nil {
		return err
	}
	s.shut = make(chan struct{})
	go func() {
		defer close(s.shut)
		_ = s.shop.Wait() // why it closed is in its log
	}()
	if err := s.eventually(longestOpening, func() error { _, err := s.state(); return err }); err != nil {
		return fmt.Errorf("%w%s", err, s.lastWords())
	}
	st, err := s.state()
	if err != nil {
		return err
	}
	s.say("The shop is open at %s; %d users ask for %d pages a second. Prometheus is at %s.", st.Store, users, rate, st.Prometheus)
	s.work = s.path("work")
	if _, err := s.git("clone", "--quiet", "--origin=deploy", "--branch="+s.story.branch, st.Repository, s.work); err != nil {
		return err
	}
	// A canary that fails is reverted, which takes a commit before it.
	return s.commit("Open the shop for business")
}

// close closes the shop.
func (s *stage) close() {
	_ = s.shop.Process.Signal(syscall.SIGTERM) // it may be gone
	<-s.shut
	_ = s.log.Close()
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// lastWords returns the end of the shop's log, for an error.
func (s *stage) lastWords() string {
	text, err := os.ReadFile(s.path("shop.log"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\nthe shop's last words:\n" + strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// state is what the story reads of the shop's state.
type state struct {
	Store, Prometheus, Repository string
	Shop, Dir                     string
	Share                         float64
	Flavours                      []struct{ Name, Commit string }
}

func (s *stage) state() (state, error) {
	var st state
	text, err := os.ReadFile(filepath.Join(s.dir, "state", "shop.json"))
	if err != nil {
		return st, errors.New("the shop is not open")
	}
	return st, json.Unmarshal(text, &st)
}

// deployed returns the commit that a flavour runs.
func (s *stage) deployed(flavour string) (string, error) {
	st, err := s.state()
	if err != nil {
		return "", err
	}
	for _, f := range st.Flavours {
		if f.Name == flavour {
			return f.Commit, nil
		}
	}
	return "", fmt.Errorf("there is no flavour %s", flavour)
}

// command prepares a program that ends with the story.
func (s *stage) command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, program, args...)
	cmd.Dir = dir
	return cmd
}

// environment is that of git and canary-judge: nothing of the user's own.
func (s *stage) environment(more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "GIT_CONFIG_NOSYSTEM=1"}, more...)
}

// git runs git in the clone, as Ada, and returns what it says.
func (s *stage) git(args ...string) (string, error) {
	dir := s.work
	if args[0] == "clone" {
		dir = s.dir
	}
	cmd := s.command(dir, "git", args...)
	cmd.Env = s.environment("GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return strings.TrimSpace(string(text)), nil
}

// commit commits nothing but a message, and deploys it everywhere.
func (s *stage) commit(message string) error {
	if _, err := s.git("commit", "--quiet", "--allow-empty", "--message="+message); err != nil {
		return err
	}
	for _, branch := range []string{"main", s.story.branch} {
		if _, err := s.git("push", "--quiet", "deploy", "HEAD:"+branch); err != nil {
			return err
		}
	}
	return nil
}

// deploy commits a change and pushes it.
func (s *stage) deploy(change string) error {
	patch, err := filepath.Abs(filepath.Join("changes", change+".patch"))
	if err != nil {
		return err
	}
	if _, err := s.git("am", "--quiet", patch); err != nil {
		return err
	}
	diff, err := s.git("show", "--format=%h %an: %s", "--unified=0", "HEAD")
	if err != nil {
		return err
	}
	s.quote(changed(diff))
	s.change = change
	return s.tellGit("push", "deploy", "HEAD:"+s.story.branch)
}

// changed returns what a person would look at in a diff.
func changed(diff string) string {
	var lines []string
	for i, line := range strings.Split(diff, "\n") {
		change := strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "+++") || strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "---")
		if i == 0 || change {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// tellGit runs git and shows what it says.
func (s *stage) tellGit(args ...string) error {
	s.say("$ git %s", strings.Join(args, " "))
	text, err := s.git(args...)
	if err != nil {
		return err
	}
	s.quote(text)
	return nil
}

// query asks Prometheus for one number; nothing is 0.
func (s *stage) query(promql string) (float64, error) {
	st, err := s.state()
	if err != nil {
		return 0, err
	}
	text, _, err := s.get(st.Prometheus+"/api/v1/query?query="+url.QueryEscape(promql), nil)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, fmt.Errorf("read the answer of Prometheus: %w", err)
	}
	if len(answer.Data.Result) == 0 {
		return 0, nil
	}
	return strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
}

// get asks an address.
func (s *stage) get(address string, header http.Header) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.200s", address, resp.Status, bytes.TrimSpace(text))
	}
	return text, resp.Header, err
}

// eventually waits until something holds.
func (s *stage) eventually(within time.Duration, holds func() error) error {
	ctx, cancel := context.WithTimeout(s.ctx, within)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %s: %w", within, err)
		case <-s.shut:
			return errors.New("the shop has closed")
		case <-ticker.C:
		}
	}
}
