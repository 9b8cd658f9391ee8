// Command story runs Storedog's story, for real: it opens the shop, pushes changes to
// it, has canary-judge judge them, and checks that all goes as told.
//
//	go run ./story               the canary, from the first look to the promotion
//	go run ./story ramp          the canary in stages of 1, 5 and 20% of the requests
//	go run ./story blue-green    two colours
//	go run ./story flag          a feature flag
//	go run ./story rolling       before and after
//
// It exits with 1 if the story goes another way.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "\nstory: %v\n", err)
		os.Exit(1)
	}
}

// chapter is a part of a story.
type chapter struct {
	title string
	tell  func(*stage) error
}

// story is a story and the shop it plays in.
type story struct {
	name     string
	mode     string // of the shop
	config   string // of canary-judge
	branch   string // that changes are pushed to
	share    int    // percent of the users, or requests, that the canary begins with
	chapters []chapter
}

var stories = []story{
	{"canary", "user", "canary.yaml", "canary", fifth, canaryChapters},
	{"ramp", "chance", "ramp.yaml", "canary", 0, rampChapters},
	{"blue-green", "blue-green", "blue-green.yaml", "canary", fifth, blueGreenChapters},
	{"flag", "flag", "feature-flag.yaml", "main", fifth, flagChapters},
	{"rolling", "single", "rolling.yaml", "main", fifth, rollingChapters},
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("story", flag.ContinueOnError)
	project := flags.String("project", "../..", "directory of canary-judge's source")
	save := flags.String("save", "", "directory to save the recordings in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	name := "canary"
	if flags.NArg() > 0 {
		name = flags.Arg(0)
	}
	i := slices.IndexFunc(stories, func(s story) bool { return s.name == name })
	if i < 0 || flags.NArg() > 1 {
		return fmt.Errorf("there is no story %s", strings.Join(flags.Args(), " "))
	}
	dir, err := os.MkdirTemp("", "storedog-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// PostgreSQL does not run as root: the shop's user has to enter.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	s := &stage{ctx: ctx, out: out, dir: dir, story: stories[i], began: time.Now()}
	if err := s.open(*project); err != nil {
		return fmt.Errorf("open the shop: %w", err)
	}
	defer s.close()
	for n, c := range s.story.chapters {
		s.title(n+1, c.title)
		if err := c.tell(s); err != nil {
			return fmt.Errorf("chapter %d, %q: %w%s", n+1, c.title, err, s.lastWords())
		}
	}
	s.say("\nThe end, after %s.", time.Since(s.began).Round(time.Second))
	if *save != "" {
		return s.save(*save)
	}
	return nil
}

// save copies the recordings of the story's runs to a directory.
func (s *stage) save(to string) error {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.jsonl"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, s.story.name+"-"+filepath.Base(file)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
