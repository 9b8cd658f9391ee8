package query

import (
	"fmt"
	"strings"
	"unicode"
)

// Narrowed returns the scope of a metric, what stands inside of the braces, with tags that
// must hold too. One that may already mean something else is an error.
func Narrowed(scope string, tags []string) (string, error) {
	scope = strings.Trim(scope, " ")
	all := Words(scope)
	switch {
	case scope == "*":
		return strings.Join(tags, ","), nil
	case scope == "" || strings.ContainsAny(scope, `{}"'$\`) || strings.ContainsFunc(scope, unicode.IsControl) || !balanced(all):
		return "", fmt.Errorf("its scope {%s} cannot take the tags of an arm", scope)
	case mixed(all):
		return "", fmt.Errorf("its scope {%s} mixes commas or ! with AND, OR, NOT or IN", scope)
	case !boolean(all):
		return strings.Join(append([]string{scope}, tags...), ","), nil
	case position{before: all}.besideOr():
		scope = "(" + scope + ")"
	}
	return strings.Join(append([]string{scope}, tags...), " AND "), nil
}

// balanced reports whether each parenthesis has its other one, and each operator
// something to work on.
func balanced(words []string) bool {
	depth := 0
	operand := false // one has just ended
	for _, w := range words {
		switch upper := strings.ToUpper(w); {
		case upper == "AND" || upper == "OR" || w == ",":
			if !operand {
				return false
			}
			operand = false
		case upper == "NOT" || upper == "IN" || w == "!":
			operand = false
		case w == "(":
			depth, operand = depth+1, false
		case w == ")":
			if depth--; depth < 0 || !operand {
				return false
			}
		default:
			operand = true
		}
	}
	return depth == 0 && operand
}
