package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var man = flag.String("man", "", "write the manual pages and completions of a release into this directory")

// A release has a manual page for each command and completions for three shells, written
// by this test: what makes them would add 590 kB to the binary. `make snapshot` and the
// release call it with -man.
func TestManualPages(t *testing.T) {
	t.Parallel()
	directory := *man
	if directory == "" {
		directory = t.TempDir()
	}
	root := (&app{stdout: io.Discard, stderr: io.Discard}).root()
	root.DisableAutoGenTag = true // it has the date of today
	pages := filepath.Join(directory, "man")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := doc.GenManTree(root, &doc.GenManHeader{Title: "CANARY-JUDGE", Section: "1", Source: "canary-judge"}, pages); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if cmd.Name() == "help" {
			continue
		}
		page, err := os.ReadFile(filepath.Join(pages, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, f := range flags(cmd) {
			if !strings.Contains(string(page), "--"+f.Name) {
				t.Errorf("the page of %s lacks --%s", cmd.Name(), f.Name)
			}
		}
	}
	completions := filepath.Join(directory, "completions")
	if err := os.MkdirAll(completions, 0o755); err != nil {
		t.Fatal(err)
	}
	for shell, write := range map[string]func(string) error{
		"bash": func(file string) error { return root.GenBashCompletionFileV2(file, true) },
		"zsh":  root.GenZshCompletionFile,
		"fish": func(file string) error { return root.GenFishCompletionFile(file, true) },
	} {
		if err := write(filepath.Join(completions, "canary-judge."+shell)); err != nil {
			t.Error(err)
		}
	}
}
