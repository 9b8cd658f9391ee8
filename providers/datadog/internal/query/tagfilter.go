package query

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Truth is whether a filter holds of something of which not all tags are known.
type Truth int

// The truths: a filter does not hold, may hold, or holds. The order is that of conjunction, which is
// the least of its parts, and of disjunction, which is the greatest.
const (
	No Truth = iota
	Perhaps
	Yes
)

// not is the negation.
func (t Truth) not() Truth { return Yes - t }

// TagFilter is a condition on tags.
type TagFilter interface {
	// Holds says whether the condition is met by what has these values of tags, by key. Of
	// keys that are not among them nothing is known.
	Holds(known map[string]string) Truth
}

// oneTag is key:value, in which * stands for anything; or * alone, which all have.
type oneTag struct{ key, value string }

// notFilter, allOf and anyOf put conditions together.
type (
	notFilter struct{ of TagFilter }
	allOf     []TagFilter
	anyOf     []TagFilter
)

// listed is a list with commas. It means that all of its conditions must be met; where two of
// them want different values of one key, nothing could have both but what has that key
// twice, and whether the list then means either is nowhere said.
type listed []TagFilter

// plainValue is what the value of a tag can be compared by. A ? or another sign may mean
// something that is not known here.
var plainValue = regexp.MustCompile(`^[\pL\pN_.:/*-]+$`)

func (t oneTag) Holds(known map[string]string) Truth {
	if t.key == "" && t.value == "*" {
		return Yes
	}
	value, there := known[t.key]
	if !there || !plainValue.MatchString(t.value) {
		return Perhaps
	}
	// / is a character of values like any other, and path.Match's * stops at it.
	slashless := strings.NewReplacer("/", "\x00")
	if ok, err := path.Match(slashless.Replace(t.value), slashless.Replace(value)); err == nil && ok {
		return Yes
	}
	return No
}

func (f notFilter) Holds(known map[string]string) Truth { return f.of.Holds(known).not() }

func (f allOf) Holds(known map[string]string) Truth {
	all := Yes
	for _, one := range f {
		all = min(all, one.Holds(known))
	}
	return all
}

func (f anyOf) Holds(known map[string]string) Truth {
	some := No
	for _, one := range f {
		some = max(some, one.Holds(known))
	}
	return some
}

func (f listed) Holds(known map[string]string) Truth {
	of := map[string]Truth{} // by key, what any of its values comes to
	mixed := map[string]bool{}
	all := Yes
	for _, one := range f {
		t := one.Holds(known)
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
			t = min(t, Perhaps)
		}
		all = min(all, t)
	}
	return all
}

// filterText writes a filter in one spelling.
func filterText(f TagFilter) string {
	join := func(all []TagFilter, between string) string {
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
func picked(f TagFilter) TagFilter {
	everything := oneTag{value: "*"}
	parts := func(all []TagFilter) (kept []TagFilter) {
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
		switch kept := parts(f); len(kept) {
		case 0:
			return everything
		case 1:
			return kept[0]
		default:
			return listed(kept)
		}
	case allOf:
		switch kept := parts(f); len(kept) {
		case 0:
			return everything
		case 1:
			return kept[0]
		default:
			return allOf(kept)
		}
	case anyOf:
		if kept := parts(f); len(kept) == len(f) {
			return anyOf(kept)
		}
		return everything
	}
	return f
}
