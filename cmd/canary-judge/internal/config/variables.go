package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// variables fills in ${env:NAME} and ${NAME}.
type variables struct {
	env map[string]string // nil for a document whose variables are filled already
	set map[string]string
}

var (
	// variable is ${name}, ${env:NAME}, or $$, which stands for one $; or ${ that nothing
	// closes.
	variable     = regexp.MustCompile(`\$\$|\$\{([^}]*)\}|\$\{`)
	variableName = regexp.MustCompile(`^(env:)?[\pL_][\pL\pN_.-]*$`)
	// shellVariable is $NAME, as a shell has it, in capitals as those of the environment are.
	shellVariable = regexp.MustCompile(`(?:^|[^$])\$([A-Z_][A-Z0-9_]*)`)
	// typographic is a text in quotes that YAML does not know.
	typographic = regexp.MustCompile(`^\s*[“”„‘’«].*[“”‘’»]\s*$`)
)

// ofAShell returns the name of a variable that is written as in a shell, "" for none. In a
// secret a dollar sign may well be itself, unless it is all of it.
func (v variables) ofAShell(text string, secret bool) string {
	m := shellVariable.FindStringSubmatch(text)
	if v.env == nil || m == nil || secret && text != m[0] {
		return ""
	}
	return m[1]
}

// fill replaces the variables of a text. An environment variable that is empty
// counts as unset: a CI secret that does not exist is an empty string, and
// nothing good comes of an empty label.
func (v variables) fill(text string) (string, error) {
	if v.env == nil {
		return text, nil
	}
	var failed error
	filled := variable.ReplaceAllStringFunc(text, func(match string) string {
		if match == "$$" {
			return match
		}
		value, err := v.value(match)
		if failed == nil {
			failed = err
		}
		return value
	})
	return filled, failed
}

// value returns what a variable stands for.
func (v variables) value(match string) (string, error) {
	if match == "${" {
		return "", errors.New("a ${ is not closed: write ${env:NAME}, or $$ for a dollar sign")
	}
	name := strings.TrimSpace(match[2 : len(match)-1])
	env, ofEnv := strings.CutPrefix(name, "env:")
	value, ofSet := v.set[name]
	switch {
	case strings.HasPrefix(name, "{"):
		return "", errors.New("${{ … }} is filled in by GitHub in a workflow, and not here: give it to the job there as a variable of the environment, and write ${env:NAME}")
	case name == "arm" || name == "step" || strings.HasPrefix(name, "arm."):
		if !ofSet {
			return "", fmt.Errorf("%s is written $%s, without braces", match, name)
		}
	case !variableName.MatchString(name):
		return "", fmt.Errorf("%s is no variable: write ${env:NAME} for the environment, or ${NAME} for what --set gives; there are no defaults", match)
	case ofEnv && v.env[env] == "":
		return "", fmt.Errorf("the environment variable %s is not set, or empty: set it where canary-judge runs", env)
	case ofEnv:
		return v.env[env], nil
	case !ofSet:
		return "", fmt.Errorf("the variable %s is not set; give it with --set %s=…, or write ${env:%s} for the environment", name, name, name)
	}
	return value, nil
}
