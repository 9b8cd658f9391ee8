package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// call runs a command as from a shell.
func call(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(stdin), &out, &err})
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		code int
		text string // that is said
	}{
		{"", 2, "usage: shop up|restart|share|deploy"},
		{"down", 2, "usage"},
		{"up -h", 0, "-scrape"},
		{"up -colour blue", 2, "-colour"},
		{"up -source ../.. -mode rolling", 2, "it must be one of chance, user, blue-green, flag, single"},
		{"up -source ../.. -share 0.001", 2, "-share is 0.001"},
		{"up -source ../.. -users 0 -rate -1 -scrape 1ms -for 0s now", 2, "-users is 0"},
		{"up -source .", 2, "not the directory of the shop"},
		{"restart canary", 2, "usage: shop restart"},
		{"restart -dir /nowhere", 2, "usage: shop restart"},
		{"restart -dir /nowhere canary", 1, "is it open?"},
		{"share 5", 2, "usage: shop share"},
		{"share -dir /nowhere", 2, "usage: shop share"},
		{"share -dir /nowhere 5", 1, "is it open?"},
		{"deploy", 2, "usage: shop deploy"},
	} {
		code, _, text := call(t, "", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(text, c.text) {
			t.Errorf("shop %s exits %d and says %q, want %d and %q", c.args, code, text, c.code, c.text)
		}
	}
}

func TestDeployToClosedShop(t *testing.T) {
	t.Parallel()
	code, _, text := call(t, "", "deploy", "-dir", t.TempDir())
	if code != 1 || !strings.Contains(text, "nothing is deployed") {
		t.Errorf("it exits %d and says %q", code, text)
	}
}

func TestReadPushes(t *testing.T) {
	t.Parallel()
	const zero = "0000000000000000000000000000000000000000"
	got, err := readPushes(strings.NewReader(strings.Join([]string{
		"a b refs/heads/canary", "a c refs/heads/main", "a d refs/heads/feature", "a e refs/tags/main", "a " + zero + " refs/heads/main",
	}, "\n")))
	if want := []push{{"main", "c"}, {"canary", "b"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
	if _, err := readPushes(strings.NewReader("a b")); err == nil {
		t.Error("half a line is taken")
	}
}

func TestDeployedBy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mode, branch, want string }{
		{"chance", "canary", "canary"},
		{"chance", "main", "canary production"},
		{"user", "main", "canary production"},
		{"blue-green", "canary", "green"},
		{"blue-green", "main", "green blue"},
		{"single", "main", "production"},
		{"single", "canary", ""},
		{"flag", "canary", ""},
	} {
		m, err := modeNamed(c.mode)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(m.deployedBy(c.branch), " "); got != c.want {
			t.Errorf("a push of %s in mode %s is deployed to %q, want %q", c.branch, c.mode, got, c.want)
		}
	}
}

// TestHookScript runs the hook without any environment: it must find the shop all the
// same, whatever the name of the directory.
func TestHookScript(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "Storedog's state")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	fake := "#!/bin/sh\necho \"$@\" && go version && test -n \"$GOMODCACHE\"\n"
	if err := os.WriteFile(filepath.Join(dir, "bin", "shop"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	script, err := hookScript(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env, cmd.Dir = []string{}, "/"
	out, err := cmd.CombinedOutput()
	if want := "deploy -dir " + dir + "\ngo version"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("the hook says %q (%v), want %q", out, err, want)
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		full: "is not empty",
		filepath.Join(t.TempDir(), strings.Repeat("long", 30)): "too long for unix sockets",
	} {
		o := options{dir: dir}
		if err := o.makeDirectory(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the directory %s is taken (%v), want %q", dir, err, want)
		}
	}
}
