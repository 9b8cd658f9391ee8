package tell_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/tell"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

// marking returns a teller that marks a deployment.
func marking(t *testing.T, d tell.DORA, transport http.RoundTripper) *tell.Teller {
	t.Helper()
	return tell.New(apitest.Client(t, api.Options{Transport: transport}), tell.Options{DORA: &d})
}

// canaryLabels are those of a canary that says what a mark needs.
var canaryLabels = []providers.Label{{Name: "service", Value: "store"}, {Name: "pod", Value: "b"}, {Name: "Env", Value: "prod"}, {Name: "version", Value: "1.2.3+Build_5"}}

// The requests are those of
// https://docs.datadoghq.com/api/latest/dora-metrics/patch-a-deployment-event/ and
// https://docs.datadoghq.com/api/latest/dora-metrics/patch-a-deployment-event-by-version/
func TestMarkRequests(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settings               tell.DORA
		labels                 []providers.Label
		deployment, path, body string
	}{
		"by labels": {
			tell.DORA{}, canaryLabels,
			"service store, env prod, version 1.2.3+Build_5", "/api/v2/dora/deployments",
			`{"data":{"type":"dora_deployment_patch_request","attributes":{"change_failure":true,"service":"store","env":"prod","version":"1.2.3+Build_5"}}}`,
		},
		"settings go first, and blank is unset": {
			tell.DORA{ID: " ", Service: "Frontend", Env: "\n", Version: " v2 "}, canaryLabels,
			"service Frontend, env prod, version v2", "/api/v2/dora/deployments",
			`{"data":{"type":"dora_deployment_patch_request","attributes":{"change_failure":true,"service":"Frontend","env":"prod","version":"v2"}}}`,
		},
		"by id": {
			tell.DORA{ID: "a/b?c", Service: "Frontend"}, nil,
			"id a/b?c", "/api/v2/dora/deployments/a%2Fb%3Fc",
			`{"data":{"id":"a/b?c","type":"dora_deployment_patch_request","attributes":{"change_failure":true}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			p := marking(t, tt.settings, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				got = append(got, r.Method, r.URL.EscapedPath()+r.URL.RawQuery, strings.TrimSpace(string(body)), r.Header.Get("DD-APPLICATION-KEY"))
				w.WriteHeader(http.StatusAccepted)
			})))
			if d, err := p.Deployment(tt.labels); !p.Marks() || err != nil || d != tt.deployment {
				t.Errorf("deployment %q, %v; want %q", d, err, tt.deployment)
			}
			if err := p.MarkFailed(t.Context(), tt.labels); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]string{"PATCH", tt.path, tt.body, "hunter2-app"}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What is not known of a deployment is told without asking anybody.
func TestUnknownDeployments(t *testing.T) {
	t.Parallel()
	untouched := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	if p := open(t, providertest.Serve(t, untouched)); p.Marks() {
		t.Error("marks without being asked to")
	} else if err := p.MarkFailed(t.Context(), canaryLabels); err == nil || !strings.Contains(err.Error(), "it is not asked for; set datadog.dora") {
		t.Errorf("error %v", err)
	}
	for _, tt := range []struct {
		settings tell.DORA
		labels   []providers.Label
		want     string
	}{
		{tell.DORA{}, canaryLabels[:2], "datadog: mark the deployment as failed: the canary has no label env and no label version; set datadog.dora.env and datadog.dora.version, or datadog.dora.id"},
		{tell.DORA{Env: "prod"}, []providers.Label{{Name: "version", Value: "v2"}, {Name: "@service", Value: "x"}}, "the canary has no label service; set datadog.dora.service, or datadog.dora.id"},
		{tell.DORA{Service: "store", Env: "prod"}, []providers.Label{{Name: "version", Value: " "}}, "the canary has no label version"},
	} {
		p := marking(t, tt.settings, providertest.Serve(t, untouched))
		_, err := p.Deployment(tt.labels)
		var e *web.Error
		if !errors.As(err, &e) || e.Class != web.Settings || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
		if again := p.MarkFailed(t.Context(), tt.labels); again == nil || again.Error() != err.Error() {
			t.Errorf("marking: error %v, want %v", again, err)
		}
	}
}

// A mark is taken when the answer is a 202 that holds nothing, as
// https://docs.datadoghq.com/api/latest/dora-metrics/patch-a-deployment-event/ says, or
// {"data":null}, as the tests of Datadog's Go client recorded it. What goes wrong is an
// error without keys.
func TestAnswersToMarks(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2-api hunter2-app"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  web.Class
		want   string // "" = taken
	}{
		{"recorded", 202, `{"data":null}`, "", ""},
		{"documented", 202, "", "", ""},
		{"blank", 202, " \n", "", ""},
		{"no errors in it", 202, `{"data":null,"errors":[]}`, "", ""},
		{"200", 200, `{"data":null}`, web.Shape, "the answer is 200 and not 202 Accepted"},
		{"204", 204, "", web.Shape, "the answer is 204 and not 202 Accepted"},
		{"a login page", 200, "<html>" + hidden, web.Shape, "not 202 Accepted, so it does not say that the mark was taken: <html>[secret] [secret]"},
		{"HTML that is accepted", 202, "<html>" + hidden, web.Shape, "not JSON as the DORA API answers it"},
		{"truncated", 202, `{"data":nu`, web.Shape, "not JSON as the DORA API answers it"},
		{"an empty object", 202, "{}", web.Shape, "the answer does not say that the mark was taken: {}"},
		{"null", 202, "null", web.Shape, "does not say that the mark was taken"},
		{"a list", 202, "[]", web.Shape, "not JSON as the DORA API answers it"},
		{"errors in a 202", 202, `{"data":null,"errors":[{"title":"no","detail":"` + hidden + `"}]}`, web.Shape, "the answer has errors: no [secret] [secret]"},
		{"400", 400, `{"errors":[{"status":"400","title":"Bad Request","detail":"` + hidden + `"}]}`, web.BadQuery, "400 Bad Request: Bad Request [secret] [secret]; check datadog.dora (service store, env prod, version 1.2.3+Build_5) and DD_SITE: Datadog must have been told of the deployment before"},
		{"401", 401, "", web.Auth, "401 Unauthorized; check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"403", 403, `{"errors":["Forbidden ` + hidden + `"]}`, web.Auth, "403 Forbidden: Forbidden [secret] [secret]; check DD_API_KEY and DD_SITE, and that the application key has the permission dora_metrics_write"},
		{"404", 404, `{"errors":[{"title":"Not Found"}]}`, web.BadQuery, "404 Not Found: Not Found; check datadog.dora"},
		{"429", 429, "", web.Limit, "429 Too Many Requests; mark it by hand in Datadog"},
		{"500", 500, hidden, web.Unreachable, "500 Internal Server Error: [secret] [secret]; look in Datadog whether it is marked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := marking(t, tell.DORA{}, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				err := p.MarkFailed(ctx, canaryLabels)
				if tt.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), "datadog: mark the deployment as failed: ") || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) {
					t.Errorf("%v, class %v; want class %q and %q", err, e, tt.class, tt.want)
				}
			})
		})
	}
}

// The stand-in takes what is sent, by id and by version.
func TestMarksOfTheStandIn(t *testing.T) {
	t.Parallel()
	server := &datadogtest.Server{APIKey: apitest.APIKey, AppKey: apitest.AppKey}
	for _, d := range []tell.DORA{{}, {ID: "EL_a/1"}} {
		if err := marking(t, d, providertest.Serve(t, server)).MarkFailed(t.Context(), canaryLabels); err != nil {
			t.Error(err)
		}
	}
	want := []datadogtest.Mark{{Service: "store", Env: "prod", Version: "1.2.3+Build_5"}, {ID: "EL_a/1"}}
	if diff := cmp.Diff(want, server.Marks()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
