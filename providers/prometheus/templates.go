package prometheus

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// mostWords bounds what a query's WITH templates may expand to. Templates that use each
// other double with every one of them: twenty short ones are a million words, and the
// program would be busy for minutes before it asked for anything.
const mostWords = 20000

// word matches strings and comments as a whole, names, numbers, and anything else by its
// character.
var word = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`|#[^\\n]*|[\\pL_:](?:[\\pL\\d_:.]|\\\\.)*|[\\d.]+\\w*|\\S")

// checkExpansion refuses a query whose templates expand to too much.
func checkExpansion(expr string) error {
	words := word.FindAllString(expr, -1)
	words = slices.DeleteFunc(words, func(w string) bool { return w[0] == '#' })
	most := max(mostWords, len(words)) // what is written out is as long as it is
	e := expansion{words}
	if n := e.size(nil, false); n > float64(most) {
		return fmt.Errorf("the templates of WITH expand to %.3g words, and a query may have %d; use fewer of them in one another, such as by recording rules", n, most)
	}
	return nil
}

// expansion counts the words that a query has once its templates are expanded, without
// expanding them. What makes no sense is left for the parser to tell.
type expansion struct {
	words []string // those still to be read
}

func (e *expansion) next() string {
	if len(e.words) == 0 {
		return ""
	}
	w := e.words[0]
	e.words = e.words[1:]
	return w
}

func (e *expansion) follows(w string) bool { return len(e.words) > 0 && e.words[0] == w }

// size reads to the end of what is in brackets, or, of a definition, to the comma after it,
// which it leaves. templates are the words of each template known so far.
func (e *expansion) size(templates map[string]float64, definition bool) float64 {
	var n float64
	for len(e.words) > 0 {
		if definition && (e.follows(",") || e.follows(")")) {
			return n
		}
		w := e.next()
		switch {
		case slices.Contains([]string{")", "]", "}"}, w):
			return n
		case slices.Contains([]string{"(", "[", "{"}, w):
			n += e.size(templates, false)
		case strings.EqualFold(w, "with") && e.follows("("):
			e.next()
			templates = e.definitions(templates)
		default:
			n += e.use(w, templates)
		}
	}
	return n
}

// use returns the words of a name, with its arguments: at most, each word of a template is
// one of them.
func (e *expansion) use(name string, templates map[string]float64) float64 {
	n, ok := templates[name]
	if !ok {
		return 1
	}
	if e.follows("(") {
		e.next()
		n *= 1 + e.size(templates, false)
	}
	return n
}

// definitions reads the templates of one WITH, and returns them with those known before.
func (e *expansion) definitions(before map[string]float64) map[string]float64 {
	templates := map[string]float64{}
	maps.Copy(templates, before)
	for len(e.words) > 0 && !e.follows(")") {
		name := e.next()
		known := maps.Clone(templates)
		if e.follows("(") {
			for len(e.words) > 0 && !e.follows(")") {
				delete(known, e.next()) // a parameter is none of the templates
			}
			e.next()
		}
		if e.follows("=") {
			e.next()
		}
		templates[name] = e.size(known, true)
		if e.follows(",") {
			e.next()
		}
	}
	e.next()
	return templates
}
