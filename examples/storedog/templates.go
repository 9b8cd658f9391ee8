// Package storedog is the demo shop of canary-judge. It holds the templates of the
// configs, from which both ways to run the shop make theirs; README.md says the rest.
package storedog

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Templates of configs. Fill fills them in, as envsubst does in a container.
var (
	// Nginx is nginx's config where users are split between production and canary.
	//go:embed nginx/nginx.conf.template
	Nginx string
	// NginxBlueGreen is nginx's config where one colour is live and the other idle.
	//go:embed nginx/blue-green.conf.template
	NginxBlueGreen string
	// Prometheus is Prometheus's config.
	//go:embed prometheus/prometheus.yml.template
	Prometheus string
)

// variable is a variable of a template. What else has a dollar is nginx's own.
var variable = regexp.MustCompile(`\$\{([A-Z_]+)\}`)

// Fill fills in the variables of a template, such as ${SHARE}. It is an error if one
// has no value, or if a value has no place.
func Fill(template string, values map[string]string) (string, error) {
	var errs []error
	used := map[string]bool{}
	text := variable.ReplaceAllStringFunc(template, func(match string) string {
		name := strings.Trim(match, "${}")
		value, ok := values[name]
		if !ok && !used[name] {
			errs = append(errs, fmt.Errorf("the template's variable %s has no value", name))
		}
		used[name] = true
		return value
	})
	for name := range values {
		if !used[name] {
			errs = append(errs, fmt.Errorf("the template has no variable %s", name))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return text, errors.Join(errs...)
}
