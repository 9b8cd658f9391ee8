package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A pass that nobody could read is none, whichever command says it, and another verdict
// stays what it is. Nothing ends by SIGPIPE, which would be no exit code at all.
func TestStandardOutputThatIsClosed(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := link(t, self)
	const recordings = "../../testdata/"
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"replay", recordings + "healthy.jsonl"}, exitNotJudged},
		{[]string{"replay", recordings + "healthy.jsonl", "-o", "json"}, exitNotJudged},
		{[]string{"replay", recordings + "healthy.jsonl", "-o", "json=/dev/null", "-o", "html=-"}, exitNotJudged},
		{[]string{"replay", recordings + "broken.jsonl"}, exitFail},
		{[]string{"version"}, exitNotJudged},
		{[]string{"schema"}, exitNotJudged},
		{[]string{"--help"}, exitNotJudged},
		{[]string{"replay", recordings + "healthy.jsonl", "-o", "json=/dev/null"}, exitPass}, // nothing to say there
	} {
		for name, open := range map[string]func() (*os.File, error){
			"a pipe whose reader is gone": func() (*os.File, error) {
				r, w, err := os.Pipe()
				if err == nil {
					err = r.Close()
				}
				return w, err
			},
			"a full disk": func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) },
		} {
			out, err := open()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, c.args...)
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = out, &said
			_ = cmd.Run() // its code is looked at
			_ = out.Close()
			if got := cmd.ProcessState.ExitCode(); got != c.code || c.code == exitNotJudged && !strings.Contains(said.String(), "standard output: write") {
				t.Errorf("%s, %q: %s, want exit %d\n%s", name, c.args, cmd.ProcessState, c.code, said.String())
			}
		}
	}
}
