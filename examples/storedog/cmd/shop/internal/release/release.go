package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Release is a commit that was built.
type Release struct {
	Commit  string `json:"commit"`
	Version string `json:"version"` // its short name
	Bin     string `json:"bin"`     // directory of its programs
}

// Services are the programs of a release.
var Services = []string{"discounts-service", "store-frontend"}

// Build checks a commit out and builds programs of it, unless it was built before.
// What the compiler says goes to the writer.
func (r Repository) Build(ctx context.Context, commit string, says io.Writer, programs ...string) (Release, error) {
	version, err := r.version(ctx, commit)
	if err != nil {
		return Release{}, err
	}
	release := Release{Commit: commit, Version: version, Bin: r.bin(version)}
	if _, err := os.Stat(release.Bin); err == nil {
		return release, nil
	}
	// Under its name there is only what was built to the end.
	unfinished, err := os.MkdirTemp(r.Releases, "."+version+"-")
	if err != nil {
		return Release{}, fmt.Errorf("build %s: %w", version, err)
	}
	defer os.RemoveAll(unfinished)
	source := filepath.Join(unfinished, "src")
	if err := os.Mkdir(source, 0o755); err != nil {
		return Release{}, fmt.Errorf("build %s: %w", version, err)
	}
	if err := r.checkOut(ctx, commit, source); err != nil {
		return Release{}, fmt.Errorf("build %s: %w", version, err)
	}
	if err := build(ctx, source, filepath.Join(unfinished, "bin"), says, programs); err != nil {
		return Release{}, fmt.Errorf("build %s: %w", version, err)
	}
	if err := os.Rename(unfinished, filepath.Join(r.Releases, version)); err != nil {
		return Release{}, fmt.Errorf("build %s: %w", version, err)
	}
	return release, nil
}

// Find returns the release of a commit that was built.
func (r Repository) Find(ctx context.Context, commit string) (Release, error) {
	version, err := r.version(ctx, commit)
	if err != nil {
		return Release{}, err
	}
	if _, err := os.Stat(r.bin(version)); errors.Is(err, fs.ErrNotExist) {
		return Release{}, fmt.Errorf("%s was not built", version)
	} else if err != nil {
		return Release{}, err
	}
	return Release{Commit: commit, Version: version, Bin: r.bin(version)}, nil
}

func (r Repository) bin(version string) string { return filepath.Join(r.Releases, version, "bin") }

// build builds programs of the source into a directory.
func build(ctx context.Context, source, bin string, says io.Writer, programs []string) error {
	// Compiled as go run and go test do, so that what they compiled serves here, too;
	// and without symbols, which are linked in no time.
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", bin + string(filepath.Separator)}
	for _, program := range programs {
		args = append(args, "./cmd/"+program)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = source, says, says
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	return cmd.Run()
}
