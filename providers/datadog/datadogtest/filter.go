package datadogtest

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// filter reports whether something with these tags matches.
type filter func(tags []string) bool

// token is a word of a filter, with what is quoted or escaped in it, or a sign.
var token = regexp.MustCompile(`[(),]|(?:"(?:[^"\\]|\\.)*"|[^\s(),"\\]|\\.)+`)

// symbols and words are the two kinds of operators of a scope, which cannot be mixed:
// https://docs.datadoghq.com/metrics/advanced-filtering/
var operatorWords = []string{"AND", "OR", "NOT", "IN"}

// parseScope reads the scope of a metric.
func parseScope(text string) (filter, error) {
	tokens := token.FindAllString(text, -1)
	refused := fmt.Errorf("Rule 'scope_or' didn't match at '%s'", text) //nolint:staticcheck // the server's words
	isWord := func(t string) bool { return slices.Contains(operatorWords, strings.ToUpper(t)) }
	if slices.ContainsFunc(tokens, isWord) {
		in := strings.Contains(strings.ToUpper(text), " IN ")
		if slices.ContainsFunc(tokens, func(t string) bool { return t == "," && !in || strings.HasPrefix(t, "!") }) {
			return nil, fmt.Errorf("Error parsing query: 'AND' and 'OR' cannot be mixed with ','") //nolint:staticcheck // the server's words
		}
	}
	p := &filterParser{tokens: tokens, wordsFold: true}
	f, err := p.or()
	if err != nil || len(p.tokens) > 0 {
		return nil, refused
	}
	return f, nil
}

// parseSearch reads the search for events.
func parseSearch(text string) (filter, error) {
	p := &filterParser{tokens: token.FindAllString(text, -1)}
	f, err := p.or()
	if err != nil {
		return nil, fmt.Errorf("Invalid query: %w", err) //nolint:staticcheck // as the server writes
	}
	if len(p.tokens) > 0 {
		return nil, fmt.Errorf("Invalid query at %q", p.tokens[0]) //nolint:staticcheck // as the server writes
	}
	return f, nil
}

// filterParser reads a filter from the front.
type filterParser struct {
	tokens    []string
	wordsFold bool // operators in lower case are operators too
}

func (p *filterParser) is(operator string) bool {
	return len(p.tokens) > 0 && (p.tokens[0] == operator || p.wordsFold && strings.EqualFold(p.tokens[0], operator))
}

func (p *filterParser) take(operator string) bool {
	if !p.is(operator) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *filterParser) or() (filter, error) {
	left, err := p.and()
	for err == nil && p.take("OR") {
		var right filter
		before := left
		if right, err = p.and(); err == nil {
			left = func(tags []string) bool { return before(tags) || right(tags) }
		}
	}
	return left, err
}

func (p *filterParser) and() (filter, error) {
	left, err := p.not()
	for err == nil && len(p.tokens) > 0 && !p.is(")") && !p.is("OR") {
		if !p.take("AND") {
			p.take(",")
		}
		var right filter
		before := left
		if right, err = p.not(); err == nil {
			left = func(tags []string) bool { return before(tags) && right(tags) }
		}
	}
	return left, err
}

func (p *filterParser) not() (filter, error) {
	if len(p.tokens) == 0 {
		return nil, fmt.Errorf("it ends where a term should be")
	}
	sign, rest := p.tokens[0][:1], p.tokens[0][1:]
	switch {
	case p.take("NOT") || p.take("-"):
	case rest == "" && sign == "!":
		return nil, fmt.Errorf("a ! negates nothing")
	case sign == "-" || sign == "!":
		p.tokens[0] = rest
	default:
		return p.term()
	}
	f, err := p.not()
	if err != nil {
		return nil, err
	}
	return func(tags []string) bool { return !f(tags) }, nil
}

func (p *filterParser) term() (filter, error) {
	if p.take("(") {
		f, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return f, err
	}
	word := p.tokens[0]
	p.tokens = p.tokens[1:]
	if word == "*" {
		return func([]string) bool { return true }, nil
	}
	if negative := p.is("NOT"); negative || p.is("IN") {
		return p.in(word, negative)
	}
	key, value, ok := strings.Cut(word, ":")
	switch {
	case !ok || key == "" || strings.ContainsAny(word, "{}$"):
		return nil, fmt.Errorf("%q is no key:value; the stand-in has no full text", word)
	case value == "" && p.is("("):
		return p.oneOf(key, "OR")
	}
	return hasTag(key, value), nil
}

// in reads KEY IN (a, b) and KEY NOT IN (a, b).
func (p *filterParser) in(key string, negative bool) (filter, error) {
	if negative {
		p.take("NOT")
	}
	if !p.take("IN") {
		return nil, fmt.Errorf("want IN after %q", key)
	}
	f, err := p.oneOf(key, ",")
	if err != nil || !negative {
		return f, err
	}
	return func(tags []string) bool { return !f(tags) }, nil
}

// oneOf reads alternatives in parentheses.
func (p *filterParser) oneOf(key, separator string) (filter, error) {
	p.take("(")
	var all []filter
	for len(p.tokens) > 0 {
		all = append(all, hasTag(key, p.tokens[0]))
		p.tokens = p.tokens[1:]
		if p.take(")") {
			return func(tags []string) bool {
				return slices.ContainsFunc(all, func(f filter) bool { return f(tags) })
			}, nil
		}
		if !p.take(separator) {
			break
		}
	}
	return nil, fmt.Errorf("the alternatives of %s have no end", key)
}

// hasTag matches tags of a key by a value, a pattern with *, or a bound such as >0.
func hasTag(key, value string) filter {
	bound, number := regexp.MustCompile(`^(>=|<=|>|<)([0-9.e+-]+)$`).FindStringSubmatch(value), 0.0
	if bound != nil {
		number, _ = strconv.ParseFloat(bound[2], 64) // what the pattern let through
	}
	if unquoted, err := strconv.Unquote(value); err == nil {
		value = unquoted
	}
	return func(tags []string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool {
			k, v, _ := strings.Cut(tag, ":")
			if k != key {
				return false
			}
			if bound == nil {
				ok, err := path.Match(value, v) // its \ and * are the search's
				return err == nil && ok
			}
			n, err := strconv.ParseFloat(v, 64)
			return err == nil && (bound[1][0] == '>' && n > number || bound[1][0] == '<' && n < number || len(bound[1]) == 2 && n == number)
		})
	}
}
