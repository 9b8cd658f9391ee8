package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	inline     = regexp.MustCompile("`((?:canary-judge|make) [^`]+)`")
	invocation = regexp.MustCompile(`(?:^|[ /])canary-judge(?::\S+)? (.*)`)
	word       = regexp.MustCompile(`'[^']*'|(?:"[^"]*"|\$\([^)]*\)|[^\s"'])+`)
)

// commandLines returns the command lines of a document: those of its blocks, and with prose
// those in its sentences.
func commandLines(t *testing.T, name string, prose bool) (lines []string) {
	t.Helper()
	for _, b := range blocks(t, name) {
		if b.language == "" || b.language == "sh" {
			joined := strings.ReplaceAll(b.text, "\\\n", " ")
			lines = append(lines, strings.Split(joined, "\n")...)
		}
	}
	if !prose {
		return lines
	}
	for _, m := range inline.FindAllStringSubmatch(readDoc(t, name), -1) {
		lines = append(lines, strings.ReplaceAll(m[1], "\n", " "))
	}
	return lines
}

// words splits a command line up to its end, a pipe or a redirection.
func words(line string) (args []string) {
	for _, w := range word.FindAllString(line, -1) {
		if strings.ContainsAny(w[:1], "#|>&;…") {
			break
		}
		args = append(args, strings.Trim(w, `'"`))
	}
	return args
}

// Each command line in the documents has a command, flags and arguments that there are.
func TestDocCommands(t *testing.T) {
	t.Parallel()
	makefile, read := readDoc(t, "Makefile"), 0
	for _, name := range docs(t) {
		for _, line := range commandLines(t, name, true) {
			if target, ok := strings.CutPrefix(line, "make "); ok {
				for _, w := range words(target) {
					if !strings.Contains(w, "=") && !strings.Contains(makefile, "\n"+w+":") {
						t.Errorf("%s: %s: the Makefile has no %s", name, line, w)
					}
				}
				continue
			}
			if program, ok := strings.CutPrefix(line, "go run ./"); ok {
				directory, _, _ := strings.Cut(program, " ")
				_, here := os.Stat(filepath.Join("../..", directory))
				if _, err := os.Stat(filepath.Join("../..", filepath.Dir(name), directory)); err != nil && here != nil {
					t.Errorf("%s: %s: %v", name, line, err)
				}
			}
			m := invocation.FindStringSubmatch(line)
			if m == nil || strings.HasPrefix(line, "git ") || strings.HasPrefix(line, "go install") || strings.HasPrefix(line, "docker build") {
				continue
			}
			read++
			root := (&app{}).root()
			cmd, rest, err := root.Find(words(m[1]))
			if err == nil {
				cmd.InitDefaultHelpFlag()
				err = cmd.ParseFlags(rest)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %s: %v", name, line, err)
			}
		}
	}
	if read < 20 {
		t.Errorf("%d commands found", read)
	}
}

// runLine runs a command line of a document in this process and returns its exit code.
func runLine(args []string) (code int, said string) {
	var out bytes.Buffer
	a := &app{env: map[string]string{}, args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &out}
	return a.run(context.Background()), out.String()
}

// The session that the README shows goes through, against a stand-in for Prometheus; what
// it judges live is judged in the past here. Then all else that the documents show and that
// needs no network is run on what the session left. Not in parallel: it changes the directory.
func TestREADMESession(t *testing.T) {
	all := blocks(t, "README.md")
	i := slices.IndexFunc(all, func(b block) bool { return strings.Contains(b.text, "canary-judge check --live") })
	if i < 1 {
		t.Fatal("the README shows no session after its config")
	}
	var local [][]string
	for _, name := range docs(t) {
		for _, line := range commandLines(t, name, false) {
			if m := invocation.FindStringSubmatch(line); m != nil {
				args := words(m[1])
				if len(args) > 0 && slices.Contains([]string{"report", "schema", "version", "completion"}, args[0]) {
					local = append(local, args)
				}
			}
		}
	}
	server := httptest.NewServer(&prometheusServer{mode: "healthy"})
	defer server.Close()
	t.Chdir(t.TempDir())
	text := strings.ReplaceAll(all[i-1].text, "http://prometheus:9090", server.URL)
	if err := os.WriteFile("canary.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(all[i].text), "\n") {
		args := words(line)[1:]
		if args[0] == "run" && !slices.Contains(args, "--start") {
			args = append(args, "--start=-40m", "--end=-10m")
		}
		if code, said := runLine(args); code != exitPass && code != exitInconclusive { // the stand-in has little traffic
			t.Errorf("%s: exit %d\n%s", line, code, said)
		}
	}
	if code, said := runLine([]string{"replay", "canary.jsonl", "-o", "json=result.json"}); code != exitInconclusive {
		t.Fatalf("exit %d\n%s", code, said)
	}
	if len(local) < 2 {
		t.Errorf("%d commands that need no network found", len(local))
	}
	for _, args := range local {
		if code, said := runLine(args); code != exitPass {
			t.Errorf("canary-judge %s: exit %d\n%s", strings.Join(args, " "), code, said)
		}
	}
}
