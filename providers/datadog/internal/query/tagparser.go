package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ParseTagFilter reads a filter of tags: with commas, with the operators AND, OR, NOT and IN,
// ! and -, which negate, parentheses, and key:(a OR b). Words beside each other must all hold.
// https://docs.datadoghq.com/metrics/advanced-filtering/ and
// https://docs.datadoghq.com/logs/explorer/search_syntax/
func ParseTagFilter(text string) (TagFilter, error) {
	if rest := strings.TrimFunc(word.ReplaceAllString(text, ""), unicode.IsSpace); rest != "" {
		return nil, fmt.Errorf("%q is not understood", rest)
	}
	p := &tagFilterParser{words: Words(text)}
	f, err := p.list()
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q is one too many", p.words[0])
	}
	return f, err
}

// ParseScopes reads filters of tags that must all be met; none at all is everywhere.
func ParseScopes(scopes []string) (TagFilter, error) {
	var all listed
	for _, scope := range scopes {
		f, err := ParseTagFilter(scope)
		if err != nil {
			return nil, err
		}
		if inner, is := f.(listed); is {
			all = append(all, inner...)
		} else {
			all = append(all, f)
		}
	}
	return all, nil
}

// tagFilterParser reads a filter from the front.
type tagFilterParser struct {
	words []string
	depth int
}

// deepest bounds parentheses and negations in each other.
const deepest = 100

func (p *tagFilterParser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *tagFilterParser) take(operator string) bool {
	if !strings.EqualFold(p.next(), operator) {
		return false
	}
	p.words = p.words[1:]
	return true
}

// list reads alternatives with commas between them.
func (p *tagFilterParser) list() (TagFilter, error) {
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("more than %d parentheses in each other", deepest)
	}
	defer func() { p.depth-- }()
	var all listed
	for {
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		if all = append(all, f); !p.take(",") {
			break
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (p *tagFilterParser) or() (TagFilter, error) {
	var some anyOf
	for {
		f, err := p.and()
		if err != nil {
			return nil, err
		}
		if some = append(some, f); !p.take("OR") {
			break
		}
	}
	if len(some) == 1 {
		return some[0], nil
	}
	return some, nil
}

func (p *tagFilterParser) and() (TagFilter, error) {
	var all allOf
	for {
		f, err := p.not()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
		next := strings.ToUpper(p.next())
		if !p.take("AND") && slices.Contains([]string{"", ")", ",", "OR"}, next) {
			break
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (p *tagFilterParser) not() (TagFilter, error) {
	w := p.next()
	switch {
	case w == "":
		return nil, fmt.Errorf("it ends where a tag should be")
	case p.take("NOT") || p.take("!") || p.take("-"):
	case w[0] == '!' || w[0] == '-':
		p.words = slices.Concat([]string{w[1:]}, p.words[1:])
	default:
		return p.term()
	}
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("more than %d negations in each other", deepest)
	}
	defer func() { p.depth-- }()
	f, err := p.not()
	if err != nil {
		return nil, err
	}
	return notFilter{f}, nil
}

func (p *tagFilterParser) term() (TagFilter, error) {
	if p.take("(") {
		f, err := p.list()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return f, err
	}
	w := p.next()
	switch upper := strings.ToUpper(w); upper {
	case ")", ",", "AND", "OR", "IN":
		return nil, fmt.Errorf("%q stands where a tag should be", w)
	}
	p.words = p.words[1:]
	if w == "*" {
		return oneTag{value: "*"}, nil
	}
	negated := false
	if after := p.words; len(after) > 1 && strings.EqualFold(after[0], "NOT") && strings.EqualFold(after[1], "IN") {
		p.take("NOT")
		negated = true
	}
	if p.take("IN") {
		f, err := p.values(w, ",")
		if err == nil && negated {
			f = notFilter{f}
		}
		return f, err
	}
	key, value, isTag := strings.Cut(w, ":")
	if isTag && value == "" && p.next() == "(" {
		return p.values(key, "OR")
	}
	if unquoted, is := strings.CutPrefix(value, `"`); is {
		value = unescape(strings.TrimSuffix(unquoted, `"`))
	}
	return oneTag{strings.ToLower(key), strings.ToLower(value)}, nil
}

// values reads values of a key in parentheses, any of which will do.
func (p *tagFilterParser) values(key, separator string) (TagFilter, error) {
	if !p.take("(") {
		return nil, fmt.Errorf("want the values of %s in parentheses", key)
	}
	var some anyOf
	for {
		w := p.next()
		if w == "" || w == "(" || w == ")" || w == "," {
			return nil, fmt.Errorf("the values of %s are not understood", key)
		}
		p.words = p.words[1:]
		some = append(some, oneTag{strings.ToLower(key), strings.ToLower(w)})
		switch {
		case p.take(")"):
			return some, nil
		case !p.take(separator):
			return nil, fmt.Errorf("the values of %s are not understood at %q", key, p.next())
		}
	}
}
