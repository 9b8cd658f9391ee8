package prometheus_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

func TestCredentialsAndHeaders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		settings prometheus.Settings
		want     map[string]string // headers of the request
	}{
		{"nothing", prometheus.Settings{URL: "http://prometheus"}, map[string]string{"Authorization": "", "User-Agent": "canary-judge", "Accept": "application/json"}},
		{"a token", prometheus.Settings{URL: "http://prometheus", Token: "abc"}, map[string]string{"Authorization": "Bearer abc"}},
		{"a token out of a file", prometheus.Settings{URL: "http://prometheus", Token: " abc\n"}, map[string]string{"Authorization": "Bearer abc"}},
		// printf 'me:a secret' | base64
		{"user and password", prometheus.Settings{URL: "http://prometheus", Username: "me", Password: "a secret"}, map[string]string{"Authorization": "Basic bWU6YSBzZWNyZXQ="}},
		{"in the address", prometheus.Settings{URL: "http://me:a%20secret@prometheus"}, map[string]string{"Authorization": "Basic bWU6YSBzZWNyZXQ="}},
		{"the settings go before the address", prometheus.Settings{URL: "http://you:other@prometheus", Username: "me", Password: "a secret"}, map[string]string{"Authorization": "Basic bWU6YSBzZWNyZXQ="}},
		{"headers", prometheus.Settings{URL: "http://prometheus", Headers: map[string]web.Secret{"X-Scope-OrgID": "team 7"}}, map[string]string{"X-Scope-OrgID": "team 7"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, tt.settings, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got := map[string]string{}
				for name := range tt.want {
					got[name] = r.Header.Get(name)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				_, _ = io.WriteString(w, empty)
			})))
			if answers, err := p.Fetch(t.Context(), []providers.Query{one("load")}); err != nil || answers[0].Err != nil {
				t.Error(answers, err)
			}
		})
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	nothing := filepath.Join(t.TempDir(), "nothing.pem")
	text := filepath.Join(t.TempDir(), "text.pem")
	if err := os.WriteFile(text, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		settings prometheus.Settings
		want     string
	}{
		{"no address", prometheus.Settings{}, "no address is given; set prometheus.url or PROMETHEUS_URL"},
		{"no scheme", prometheus.Settings{URL: "prometheus:9090"}, "not a URL of http or https"},
		{"no host", prometheus.Settings{URL: "http:///api"}, "not a URL of http or https"},
		{"another scheme", prometheus.Settings{URL: "ftp://prometheus"}, "not a URL of http or https"},
		{"a broken address with a password", prometheus.Settings{URL: "http://me:hunter2 @prome theus"}, "not a URL of http or https"},
		{"token and user", prometheus.Settings{URL: "http://x", Token: "hunter2", Username: "me"}, "both a token and a user name are given"},
		{"token and user in the address", prometheus.Settings{URL: "http://me:hunter2@x", Token: "hunter2"}, "both a token and a user name"},
		{"a header of two lines", prometheus.Settings{URL: "http://x", Headers: map[string]web.Secret{"X-Key": "hunter2\nHost: y"}}, "the value of the header X-Key has a newline inside; correct prometheus.headers"},
		{"a token of two lines", prometheus.Settings{URL: "http://x", Token: "hunter2\nhunter2"}, "the token has a newline inside; set PROMETHEUS_TOKEN to the token alone, on one line"},
		{"a token with what cannot be seen", prometheus.Settings{URL: "http://x", Token: "hunter2\x00"}, "the token has a character inside that cannot be seen"},
		{"no file of authorities", prometheus.Settings{URL: "https://x", TLS: prometheus.TLS{CA: nothing}}, "read the certificate authorities: open " + nothing},
		{"no certificate in it", prometheus.Settings{URL: "https://x", TLS: prometheus.TLS{CA: text}}, "no certificate in " + text},
		{"half a client certificate", prometheus.Settings{URL: "https://x", TLS: prometheus.TLS{Cert: text}}, "load the client certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := prometheus.New(tt.settings, nil)
			var e *web.Error
			if !errors.As(err, &e) || e.Class != web.Settings || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one of class %q with %q", err, web.Settings, tt.want)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

// Whatever a proxy says, in whatever answer, credentials do not come out.
func TestCredentialsAreNotShown(t *testing.T) {
	t.Parallel()
	settings := map[string]prometheus.Settings{
		"token":    {URL: "http://prometheus", Token: "hunter2"},
		"password": {URL: "http://prometheus", Username: "me", Password: "hunter2"},
		"address":  {URL: "http://me:hunter2@prometheus"},
		"header":   {URL: "http://prometheus", Headers: map[string]web.Secret{"X-Key": "hunter2"}},
		"query":    {URL: "http://prometheus?key=hunter2hunter2", Token: "hunter2"},
	}
	echo := func(r *http.Request) string {
		return fmt.Sprintf("hunter2, asked with %v at http://me:hunter2@prometheus", r.Header)
	}
	for name, s := range settings {
		for answer, handle := range map[string]http.HandlerFunc{
			"refusal":      func(w http.ResponseWriter, r *http.Request) { http.Error(w, echo(r), http.StatusBadRequest) },
			"denial":       func(w http.ResponseWriter, r *http.Request) { http.Error(w, echo(r), http.StatusForbidden) },
			"login page":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html>"+echo(r)) },
			"other answer": func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintf(w, `{"status":%q}`, echo(r)) },
			"other result": func(w http.ResponseWriter, r *http.Request) {
				_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q}}`, echo(r))
			},
			"at the edge": func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, strings.Repeat("x", 95)+"hunter2")
			},
			"at the end": func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, strings.Repeat("x", 508)+"hunter2", http.StatusBadRequest)
			},
			"no connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		} {
			t.Run(name+", "+answer, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := open(t, s, providertest.Serve(t, handle))
					answers, err := p.Fetch(t.Context(), []providers.Query{one("load")})
					if err == nil {
						err = answers[0].Err
					}
					text := fmt.Sprintf("%v %+v %#v %#v", err, err, err, errors.Unwrap(err))
					// bWU6aHVudGVyMg== is me:hunter2 in base64.
					if err == nil || strings.Contains(text, "hunter") || strings.Contains(text, "bWU6") {
						t.Errorf("error %s", text)
					}
				})
			})
		}
	}
}

// A redirect would take the credentials along, to wherever it points.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var followed atomic.Int64
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
			t.Cleanup(elsewhere.Close)
			server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
			t.Cleanup(server.Close)
			_, err := open(t, prometheus.Settings{URL: server.URL, Token: "hunter2"}, nil).Fetch(t.Context(), []providers.Query{one("load")})
			var e *web.Error
			if !errors.As(err, &e) || e.Class != web.Settings || followed.Load() > 0 {
				t.Errorf("error %v, followed %d times", err, followed.Load())
			}
		})
	}
}

func TestTransportSecurity(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, empty) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that the client breaks off
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		tls  prometheus.TLS
		want string // of the error; "" for none
	}{
		{"own authority", prometheus.TLS{CA: ca}, ""},
		// The certificate of package httptest is for 127.0.0.1 and example.com.
		{"own authority and name", prometheus.TLS{CA: ca, ServerName: "example.com"}, ""},
		{"another name", prometheus.TLS{CA: ca, ServerName: "prometheus.example.org"}, "not prometheus.example.org"},
		{"unknown authority", prometheus.TLS{}, "certificate signed by unknown authority"},
		{"not verified, as asked", prometheus.TLS{Insecure: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, prometheus.Settings{URL: server.URL, TLS: tt.tls}, nil)
			began := time.Now()
			_, err := p.Fetch(t.Context(), []providers.Query{one("load")})
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *web.Error
			if !errors.As(err, &e) || e.Class != web.Unreachable || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			// Trying again, which takes seconds, cannot help.
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	// The time for the look is over before another try could begin.
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := open(t, prometheus.Settings{URL: server.URL}, nil).Fetch(ctx, []providers.Query{one("load")})
	if !web.Passing(err) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	typ := prometheus.Type()
	settings := typ.Settings().(*prometheus.Settings)
	settings.URL = "http://prometheus"
	if p, err := typ.Open(settings); err != nil || p == nil {
		t.Error(err)
	}
	if _, err := typ.Open(typ.Settings()); err == nil {
		t.Error("opened without an address")
	}
}
