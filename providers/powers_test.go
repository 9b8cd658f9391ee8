package providers

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// able can do all that a provider may do beside fetching, and notes what it was asked.
type able struct{ asked []string }

func (a *able) note(what string) { a.asked = append(a.asked, what) }

func (a *able) Fetch(context.Context, []Query) ([]Answer, error) { return nil, nil }
func (a *able) Start(context.Context, []Query, time.Duration) error {
	a.note("Starter")
	return nil
}
func (a *able) Watch(context.Context, []Guard, time.Time) ([]Sighting, error) {
	a.note("Watcher")
	return []Sighting{{}}, nil
}
func (a *able) Diagnose(context.Context, Query) (string, error) {
	a.note("Diagnoser")
	return "why", nil
}
func (a *able) DiagnoseZero(context.Context, Query) (string, error) {
	a.note("ZeroDiagnoser")
	return "why zero", nil
}
func (a *able) Link(Query) string {
	a.note("Linker")
	return "https://example.com"
}
func (a *able) RateLimit() RateLimit {
	a.note("Limited")
	return RateLimit{Said: "3 left"}
}
func (a *able) FailedRuns() []FailedRun {
	a.note("FailedRunLister")
	return []FailedRun{{}}
}
func (a *able) TestsTagged(context.Context, string) ([]TaggedTest, error) {
	a.note("TestFinder")
	return []TaggedTest{{}}, nil
}
func (a *able) Announces() bool {
	a.note("Announcer")
	return true
}
func (a *able) Announce(context.Context, Announcement) error { return nil }
func (a *able) Marks() bool {
	a.note("Marker")
	return true
}
func (a *able) Deployment([]Label) (string, error)        { return "", nil }
func (a *able) MarkFailed(context.Context, []Label) error { return nil }
func (a *able) Segments(context.Context, string, []Query) ([]Segment, error) {
	a.note("SegmentFinder")
	return []Segment{{}}, nil
}
func (a *able) WritesNotebooks() bool {
	a.note("NotebookWriter")
	return true
}
func (a *able) WriteNotebook(context.Context, Notebook) (string, error) { return "", nil }

// wrapper is a provider around another, of which it changes nothing.
type wrapper struct{ Provider }

func (w wrapper) Unwrap() Provider { return w.Provider }

// plain can fetch and nothing else.
type plain struct{}

func (plain) Fetch(context.Context, []Query) ([]Answer, error) { return nil, nil }

// powers are the functions that ask a provider, by the interface they ask for; each says
// what came of it.
var powers = map[string]func(context.Context, Provider) (string, error){
	"Starter": func(ctx context.Context, p Provider) (string, error) { return "", Start(ctx, p, nil, 0) },
	"Watcher": func(ctx context.Context, p Provider) (string, error) {
		said, err := Watch(ctx, p, nil, time.Time{})
		return fmt.Sprint(len(said)), err
	},
	"Diagnoser":     func(ctx context.Context, p Provider) (string, error) { return Diagnose(ctx, p, Query{}) },
	"ZeroDiagnoser": func(ctx context.Context, p Provider) (string, error) { return DiagnoseZero(ctx, p, Query{}) },
	"Linker":        func(_ context.Context, p Provider) (string, error) { return Link(p, Query{}), nil },
	"Limited":       func(_ context.Context, p Provider) (string, error) { return RateLimitOf(p).Said, nil },
	"FailedRunLister": func(_ context.Context, p Provider) (string, error) {
		return fmt.Sprint(len(FailedRuns(p))), nil
	},
	"TestFinder": func(ctx context.Context, p Provider) (string, error) {
		found, err := TestsTagged(ctx, p, "tag")
		return fmt.Sprint(len(found)), err
	},
	"SegmentFinder": func(ctx context.Context, p Provider) (string, error) {
		found, err := Segments(ctx, p, "region", nil)
		return fmt.Sprint(len(found)), err
	},
	"Announcer": func(_ context.Context, p Provider) (string, error) {
		_, ok := AsAnnouncer(p)
		return fmt.Sprint(ok), nil
	},
	"Marker": func(_ context.Context, p Provider) (string, error) {
		_, ok := AsMarker(p)
		return fmt.Sprint(ok), nil
	},
	"NotebookWriter": func(_ context.Context, p Provider) (string, error) {
		_, ok := AsNotebookWriter(p)
		return fmt.Sprint(ok), nil
	},
}

// A provider that is wrapped, twice even, can do what it can do bare; one that cannot says
// so, or says nothing.
func TestPowersOfWrappedProviders(t *testing.T) {
	t.Parallel()
	for name, ask := range powers {
		bare, wrapped := &able{}, &able{}
		want, err := ask(t.Context(), bare)
		got, wrappedErr := ask(t.Context(), wrapper{wrapper{wrapped}})
		if err != nil || wrappedErr != nil || got != want {
			t.Errorf("%s: %q, %v wrapped; %q, %v bare", name, got, wrappedErr, want, err)
		}
		if all := strings.Join(wrapped.asked, " "); all != name {
			t.Errorf("%s: asked %q", name, all)
		}
		none, err := ask(t.Context(), wrapper{plain{}})
		if err != nil && !errors.Is(err, errors.ErrUnsupported) || err == nil && none != "" && none != "0" && none != "false" {
			t.Errorf("%s of a provider that fetches only: %q, %v", name, none, err)
		}
	}
}

// Every optional interface is asked for by a function here, or this fails: what is asked
// elsewhere, by an assertion, is lost when the provider is wrapped.
func TestEveryPowerIsAskedFor(t *testing.T) {
	t.Parallel()
	needed := map[string]bool{"Provider": true, "Dialect": true} // what every provider has
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if _, isInterface := spec.Type.(*ast.InterfaceType); isInterface && !needed[spec.Name.Name] && powers[spec.Name.Name] == nil {
					t.Errorf("%s: no function of powers.go is tested to ask for it", spec.Name.Name)
				}
			}
			return true
		})
	}
}
