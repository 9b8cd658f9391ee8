package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"storedog/cmd/shop/internal/release"
)

// repositoryOf returns the repository of the shop with a state directory.
func repositoryOf(dir string) release.Repository {
	return release.Repository{Path: filepath.Join(dir, "deploy.git"), Releases: filepath.Join(dir, "releases")}
}

// hookScript returns the hook that deploys what was pushed. It brings along all it
// needs of the environment: who pushes may have another, or none, as over ssh.
func hookScript(ctx context.Context, dir string) (string, error) {
	keep := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"}
	out, err := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, keep...)...).Output()
	if err != nil {
		return "", fmt.Errorf("ask go for its environment: %w", err)
	}
	values := map[string]string{}
	if err := json.Unmarshal(out, &values); err != nil {
		return "", fmt.Errorf("read the environment of go: %w", err)
	}
	values["PATH"], values["HOME"] = os.Getenv("PATH"), os.Getenv("HOME")
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# Written by shop up: deploys what was pushed.\n")
	for _, name := range append([]string{"PATH", "HOME"}, keep...) {
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(values[name]))
	}
	fmt.Fprintf(&b, "exec %s deploy -dir %s\n", quote(filepath.Join(dir, "bin", "shop")), quote(dir))
	return b.String(), nil
}

// quote quotes a text for the shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// copySelf writes a copy of this program.
func copySelf(path string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	from, err := os.Open(self)
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return fmt.Errorf("copy this program: %w", err)
	}
	return to.Close()
}
