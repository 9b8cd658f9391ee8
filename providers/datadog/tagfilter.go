package datadog

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// truth is whether a filter holds of something of which not all tags are known.
type truth int

// A filter does not hold, may hold, or holds. The order is that of conjunction, which is
// the least of its parts, and of disjunction, which is the greatest.
const (
	no truth = iota
	perhaps
	yes
)

// not is the negation.
func (t truth) not() truth { return yes - t }

// tagFilter is a condition on tags.
type tagFilter interface {
	// holds says whether the condition is met by what has these values of tags, by key. Of
	// keys that are not among them nothing is known.
	holds(known map[string]string) truth
}

// oneTag is key:value, in which * stands for anything; or * alone, which all have.
type oneTag struct{ key, value string }

// notFilter, allOf and anyOf put conditions together.
type (
	notFilter struct{ of tagFilter }
	allOf     []tagFilter
	anyOf     []tagFilter
)

// listed is a list with commas. It means that all of its conditions must be met; where two of
// them want different values of one key, nothing could have both but what has that key
// twice, and whether the list then means either is nowhere said.
type listed []tagFilter

// plainValue is what the value of a tag can be compared by. A ? or another sign may mean
// something that is not known here.
var plainValue = regexp.MustCompile(`^[\pL\pN_.:/*-]+$`)

func (t oneTag) holds(known map[string]string) truth {
	if t.key == "" && t.value == "*" {
		return yes
	}
	value, there := known[t.key]
	if !there || !plainValue.MatchString(t.value) {
		return perhaps
	}
	// / is a character of values like any other, and path.Match's * stops at it.
	slashless := strings.NewReplacer("/", "\x00")
	if ok, err := path.Match(slashless.Replace(t.value), slashless.Replace(value)); err == nil && ok {
		return yes
	}
	return no
}

func (f notFilter) holds(known map[string]string) truth { return f.of.holds(known).not() }

func (f allOf) holds(known map[string]string) truth {
	all := yes
	for _, one := range f {
		all = min(all, one.holds(known))
	}
	return all
}

func (f anyOf) holds(known map[string]string) truth {
	some := no
	for _, one := range f {
		some = max(some, one.holds(known))
	}
	return some
}

func (f listed) holds(known map[string]string) truth {
	of := map[string]truth{} // by key, what any of its values comes to
	mixed := map[string]bool{}
	all := yes
	for _, one := range f {
		t := one.holds(known)
		tag, is := one.(oneTag)
		if !is {
			all = min(all, t)
			continue
		}
		if before, there := of[tag.key]; there {
			mixed[tag.key] = mixed[tag.key] || before != t
			t = max(t, before)
		}
		of[tag.key] = t
	}
	for key, t := range of {
		if mixed[key] {
			t = min(t, perhaps)
		}
		all = min(all, t)
	}
	return all
}

// filterText writes a filter in one spelling.
func filterText(f tagFilter) string {
	join := func(all []tagFilter, between string) string {
		var texts []string
		for _, one := range all {
			texts = append(texts, filterText(one))
		}
		return strings.Join(texts, between)
	}
	switch f := f.(type) {
	case oneTag:
		if f.key == "" || f.value == "" {
			return f.key + f.value
		}
		return f.key + ":" + f.value
	case notFilter:
		return "NOT " + filterText(f.of)
	case listed:
		return join(f, ",")
	case allOf:
		return "(" + join(f, " AND ") + ")"
	case anyOf:
		return "(" + join(f, " OR ") + ")"
	}
	panic(fmt.Sprintf("datadog: a filter of the type %T", f))
}

// picked returns a filter without what it rules out: * where it rules out only.
func picked(f tagFilter) tagFilter {
	everything := oneTag{value: "*"}
	some := func(all []tagFilter) (kept []tagFilter) {
		for _, one := range all {
			if p := picked(one); p != everything {
				kept = append(kept, p)
			}
		}
		return kept
	}
	switch f := f.(type) {
	case notFilter:
		return everything
	case listed:
		switch kept := some(f); len(kept) {
		case 0:
			return everything
		case 1:
			return kept[0]
		default:
			return listed(kept)
		}
	case allOf:
		switch kept := some(f); len(kept) {
		case 0:
			return everything
		case 1:
			return kept[0]
		default:
			return allOf(kept)
		}
	case anyOf:
		if kept := some(f); len(kept) == len(f) {
			return anyOf(kept)
		}
		return everything
	}
	return f
}

// parseTagFilter reads a filter of tags: with commas, with the operators AND, OR, NOT and IN,
// ! and -, which negate, parentheses, and key:(a OR b). Words beside each other must all hold.
// https://docs.datadoghq.com/metrics/advanced-filtering/ and
// https://docs.datadoghq.com/logs/explorer/search_syntax/
func parseTagFilter(text string) (tagFilter, error) {
	if rest := strings.TrimFunc(word.ReplaceAllString(text, ""), unicode.IsSpace); rest != "" {
		return nil, fmt.Errorf("%q is not understood", rest)
	}
	p := &tagFilterParser{words: words(text)}
	f, err := p.list()
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q is one too many", p.words[0])
	}
	return f, err
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
func (p *tagFilterParser) list() (tagFilter, error) {
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

func (p *tagFilterParser) or() (tagFilter, error) {
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

func (p *tagFilterParser) and() (tagFilter, error) {
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

func (p *tagFilterParser) not() (tagFilter, error) {
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

func (p *tagFilterParser) term() (tagFilter, error) {
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
func (p *tagFilterParser) values(key, separator string) (tagFilter, error) {
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
