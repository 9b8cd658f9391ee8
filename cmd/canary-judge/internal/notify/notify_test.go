package notify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/notify"
	"github.com/canary-judge/canary-judge/web"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var services = []config.Service{config.Slack, config.Teams, config.Discord, config.WebHook}

var messages = map[string]notify.Message{
	"fail": {
		Event: config.AtVerdict, Title: "canary of shop: FAIL", Verdict: "fail",
		Sentence: "FAIL after 3 of 30 min: errors are 9.4x the baseline (3.4x to 23x; tolerated 1.5x): 134 of 456 canary requests failed",
		Lines:    []string{"errors: 9.4x (3.4x to 23x; tolerated 1.5x), fail", "latency: +3% (-4% to +11%; tolerated +10%), undecided", "Done: git revert HEAD --no-edit"},
		Links:    []notify.Link{{Name: "The job", URL: "https://ci.example.com/jobs/7"}, {Name: "Dashboard", URL: "https://grafana.example.com/d/1?from=1&to=2"}},
	},
	"start": {Event: config.AtStart, Title: "canary of shop: is judged", Sentence: "The canary is judged for at most 30m0s, from now on."},
	"hostile": {
		Event: config.AtTrouble, Title: "canary of <!channel> @everyone *bold*", Verdict: "fail",
		Sentence: "<@U123> <!here> @here [click](https://evil.example.com) **bold** <b>x</b> &amp; `code` \x1b[31mred\u202e\nnext \"quoted\"",
		Lines:    []string{"<https://evil.example.com|click>", "# heading", "::error::x", "||spoiler||", strings.Repeat("long ", 2000)},
		Links:    []notify.Link{{Name: "<!channel> @everyone", URL: "https://ci.example.com/jobs/7"}},
	},
}

// What each service receives.
func TestMessages(t *testing.T) {
	t.Parallel()
	for name, m := range messages {
		for _, service := range services {
			t.Run(name+" "+string(service), func(t *testing.T) {
				t.Parallel()
				got := received(t, service, m)
				path := filepath.Join("testdata", name+"-"+string(service)+".json")
				if *update {
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatalf("%v; run make golden", err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("(-want +got; make golden rewrites it)\n%s", diff)
				}
			})
		}
	}
}

// received sends a message to a stand-in of a service, and returns what came, indented.
func received(t *testing.T, service config.Service, m notify.Message) []byte {
	t.Helper()
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s", r.Method, r.Header.Get("Content-Type"))
		}
		body, _ = io.ReadAll(r.Body)
	}))
	t.Cleanup(server.Close)
	if err := notify.New(nil).Send(t.Context(), config.Notification{Service: service, Address: web.Secret(server.URL)}, m); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return append(out.Bytes(), '\n')
}

// Nothing from outside is a mention, a link, or a format, nor longer than the service takes.
func TestHostile(t *testing.T) {
	t.Parallel()
	m := messages["hostile"]
	slack := string(received(t, config.Slack, m))
	// Mentions are read in the fallback alone, which is escaped; the rest is plain text.
	if !strings.Contains(slack, `"text": "canary of \u0026lt;!channel\u0026gt; @everyone *bold*"`) || strings.Contains(slack, "mrkdwn") {
		t.Errorf("slack: %s", slack)
	}
	discord := string(received(t, config.Discord, m))
	for _, bad := range []string{"@everyone", "@here", "**bold**", "](https://evil", "https://evil", "||spoiler||"} {
		if strings.Contains(discord, bad) {
			t.Errorf("discord has %s in %s", bad, discord)
		}
	}
	if !strings.Contains(discord, `"parse": []`) {
		t.Errorf("discord may mention somebody: %s", discord)
	}
	if teams := string(received(t, config.Teams, m)); strings.Contains(teams, `"TextBlock"`) {
		t.Errorf("teams reads Markdown in %s", teams)
	}
	for _, service := range services[:3] {
		got := received(t, service, m)
		if len(got) > 12000 || bytes.ContainsRune(got, 0x1b) || bytes.ContainsRune(got, 0x202e) {
			t.Errorf("%s: %d bytes, or control characters: %q", service, len(got), got)
		}
	}
}

// A message that cannot be sent is told without the address, which is a secret.
func TestFailures(t *testing.T) {
	t.Parallel()
	const secret = "/services/T000/B000/XXXXSECRETXXXX"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "no_service at http://"+r.Host+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	for _, tt := range []struct{ name, address, want string }{
		{"gone", server.URL + secret, "slack: notify: 404 Not Found"},
		{"nobody", "http://127.0.0.1:1" + secret, "slack: notify: "},
		{"none", "http://[::1" + secret, "its address is none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := notify.New(http.DefaultTransport).Send(t.Context(), config.Notification{Service: config.Slack, Address: web.Secret(tt.address)}, messages["fail"])
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v; want %q without the address", err, tt.want)
			}
		})
	}
}
