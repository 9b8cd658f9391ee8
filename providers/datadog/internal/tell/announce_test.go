package tell_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/tell"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

func open(t *testing.T, transport http.RoundTripper) *tell.Teller {
	t.Helper()
	return tell.New(apitest.Client(t, api.Options{Transport: transport}), tell.Options{})
}

// accepted is an answer by https://docs.datadoghq.com/api/latest/events/post-an-event/
const accepted = `{"status":"ok","event":{"id":7000000000000000000,"id_str":"7000000000000000001","title":"x"}}`

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	var path string
	var got map[string]any
	p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.Method + " " + r.URL.Path
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, accepted)
	})))
	if p.Announces() {
		t.Error("announces without being asked to")
	}
	err := p.Announce(t.Context(), providers.Announcement{
		Title: "store: FAIL " + strings.Repeat("é", 200), Tone: providers.Alarm, Key: strings.Repeat("k", 200),
		Text: "%%% \n# big @all %%@%%%%%% " + strings.Repeat("x", 5000),
		Tags: []providers.Label{{Name: "Service", Value: "Store {canary}, @all"}, {Name: "env", Value: "prod"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := got["text"].(string)
	if title := []rune(got["title"].(string)); len(title) != 100 || len([]rune(text)) != 4000 || len(got["aggregation_key"].(string)) > 102 {
		t.Errorf("%d characters of title, %d of text", len(title), len([]rune(text)))
	}
	if strings.Contains(text, "%%%") || strings.Contains(text, "@") || !strings.HasPrefix(text, "% # big (at)all") {
		t.Errorf("text %.60q", text)
	}
	want := []any{"service:store_canary_all", "env:prod"}
	if diff := cmp.Diff(want, got["tags"]) + cmp.Diff("error", got["alert_type"]) + cmp.Diff("POST /api/v1/events", path); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What goes wrong with an event is an error without keys.
func TestTroubleWithAnnouncements(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  web.Class
		want   string
	}{
		{"too old", 400, "hunter2-api", web.BadQuery, "post an event: 400 Bad Request: [secret]"},
		{"wrong key", 403, `{"errors":["Forbidden"]}`, web.Auth, "403 Forbidden"},
		{"a limit", 429, "", web.Limit, "429 Too Many Requests"},
		{"broken", 500, "hunter2-app", web.Unreachable, "500 Internal Server Error: [secret]"},
		{"nothing", 202, "", web.Shape, "unexpected end of JSON input"},
		{"a login page", 200, "<html>hunter2-app", web.Shape, "not JSON as the events API answers it"},
		{"not taken", 202, `{"status":"error"}`, web.Shape, "does not say that the event was taken"},
		{"an empty object", 202, "{}", web.Shape, "does not say that the event was taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				err := p.Announce(ctx, providers.Announcement{Title: "x", Text: "y", Tone: providers.Info})
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) {
					t.Errorf("%v, class %v; want class %q and %q", err, e, tt.class, tt.want)
				}
			})
		})
	}
}
