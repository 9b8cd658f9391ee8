package providertest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// able is a provider that can do more than fetch, with a fault.
type able struct {
	memory
	link  string
	blurt bool // a diagnosis repeats the secret when it is denied
	early bool // asking no guards takes a request
	deaf  bool // a diagnosis does not end with its context
}

func (a able) Link(providers.Query) string { return a.link }

func (a able) Diagnose(ctx context.Context, _ providers.Query) (string, error) {
	switch {
	case ctx.Err() != nil && a.deaf:
		time.Sleep(time.Hour)
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case a.world.Request(ctx):
		return "nothing matches", nil
	case a.blurt:
		return "", fmt.Errorf("refused: %s", a.world.Secret)
	}
	return "", &web.Error{Class: web.Auth, Provider: "memory"}
}

func (a able) Watch(ctx context.Context, _ []providers.Guard, _ time.Time) ([]providers.Sighting, error) {
	if a.early && ctx.Err() == nil {
		a.world.Request(ctx)
	}
	return nil, ctx.Err()
}

func TestSuiteFindsFaultsBesideFetching(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		of   able
		by   func(opener, Suite) error
		want string // in what is found; "" for nothing
	}{
		{"none", able{link: "https://example.com/q?x=1"}, otherPowers, ""},
		{"none, denied", able{}, otherPowersDenied, ""},
		{"a link with a password", able{link: "https://ada:secret@example.com/"}, otherPowers, "Linker, asked for nothing: the link has credentials in it"},
		{"a link that runs", able{link: "javascript:alert(1)"}, otherPowers, "no address that a browser opens"},
		{"a link with a key", able{link: "https://example.com/?key=7e5c0ffee-key"}, otherPowers, "Linker: what it says shows the secret"},
		{"a denial shows the secret", able{blurt: true}, otherPowersDenied, "Diagnoser: the error shows the secret"},
		{"a request for no guards", able{early: true}, otherPowers, "Watcher: 1 requests, and nothing is asked for"},
		{"deaf to its context", able{deaf: true}, otherPowers, "Diagnoser: does not return within 10s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			open := func(w *World) providers.Provider {
				w.begin()
				tt.of.memory = memory{world: w}
				return tt.of
			}
			synctest.Test(t, func(t *testing.T) {
				err := tt.by(open, Suite{})
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("found %v, want %q", err, tt.want)
				}
				time.Sleep(2 * time.Hour) // of the bubble: until the deaf have returned
			})
		})
	}
}

// A stand-in that does not read what it is sent is not told when the client goes. The suite
// hands it what has arrived, and lets go of what hangs when a case has ended.
func TestNaiveStandInDoesNotHang(t *testing.T) {
	t.Parallel()
	w := world(value("load", 0, 1, 2))
	w.Mood = Hangs
	w.begin()
	gone := make(chan struct{})
	transport := Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w.Request(r.Context())
		close(gone)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-w.arrived
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://source/", strings.NewReader("query=up"))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := transport.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		t.Error("there is an answer")
	}
	<-gone

	w.begin()
	ended := make(chan bool, 1)
	go func() { ended <- w.Request(context.Background()) }()
	<-w.arrived
	w.end()
	if <-ended {
		t.Error("a request that hangs may be answered")
	}
}

var interfaceOf = regexp.MustCompile(`(?m)^type ([A-Z]\w*) interface`)

// What package providers says that a provider may do, the suite asks for.
func TestEveryPowerIsInTheSuite(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range interfaceOf.FindAllStringSubmatch(string(text), -1) {
			name := found[1]
			if name != "Provider" && name != "Dialect" && !slices.ContainsFunc(powers, func(p power) bool { return p.name == name }) {
				t.Errorf("%s: %s is in no case; add it to powers", file, name)
			}
		}
	}
}
