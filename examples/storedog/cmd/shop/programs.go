package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// programs are the paths of the programs that the shop needs of others.
type programs struct {
	nginx, prometheus, postgres, initdb string
}

// findPrograms finds the programs, or says of all that are missing where they are.
func findPrograms() (programs, error) {
	var p programs
	var errs []error
	for _, need := range []struct {
		name, debian string
		path         *string
	}{
		{"nginx", "nginx-light", &p.nginx},
		{"prometheus", "prometheus", &p.prometheus},
		{"postgres", "postgresql", &p.postgres},
		{"initdb", "postgresql", &p.initdb},
		{"git", "git", new(string)},
		{"go", "golang-go, or https://go.dev/dl", new(string)},
	} {
		path, err := findProgram(need.name)
		if err != nil {
			err = fmt.Errorf("%s is missing; Debian's package is %s", need.name, need.debian)
		}
		*need.path = path
		errs = append(errs, err)
	}
	return p, errors.Join(errs...)
}

// findProgram finds a program in PATH, or where Debian keeps those that are not in
// everybody's PATH.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return filepath.EvalSymlinks(path) // postgres finds its files beside itself
	}
	elsewhere, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is right
	slices.Reverse(elsewhere)                                          // the newest first
	for _, path := range append(elsewhere, "/usr/sbin/"+name) {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", err
}
