package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"canary-judge": main})
}

// TestScripts runs the stories in testdata/script, each a user's session with
// the real command line.
func TestScripts(t *testing.T) {
	t.Parallel()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root+"/../..")
			env.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "prometheus": fakePrometheus, "synthetics": fakeSynthetics, "sameresult": sameResult, "tear": tear,
		},
	})
}

// exits runs a command and checks its exit code: exits 3 canary-judge ...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit %d, want %d", got, want)
	}
}

// fakePrometheus starts a server in a mode and puts its address into
// $PROMETHEUS_URL: prometheus healthy.
func fakePrometheus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: prometheus MODE")
	}
	server := httptest.NewServer(&prometheusServer{mode: args[0]})
	ts.Defer(server.Close)
	ts.Setenv("PROMETHEUS_URL", server.URL)
}

// sameResult compares two result files but for where and when they were
// rendered.
func sameResult(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sameresult FILE FILE")
	}
	read := func(file string) (v map[string]any) {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &v))
		delete(v, "generated")
		return v
	}
	if diff := cmp.Diff(read(args[0]), read(args[1])); diff != "" {
		ts.Fatalf("the results differ:\n%s", diff)
	}
	fmt.Fprintln(ts.Stdout(), "same")
}

// tear cuts bytes off the end of a file, as a crash does: tear FILE BYTES.
func tear(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: tear FILE BYTES")
	}
	path := ts.MkAbs(args[0])
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	info, err := os.Stat(path)
	ts.Check(err)
	ts.Check(os.Truncate(path, info.Size()-n))
}
