package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		secrets []Secret
		want    string
	}{
		{"plain", nil, "plain"},
		{"  two\n\tlines\r\n", nil, "two lines"},
		{"a\x00b\x1b[31mc\x7f", nil, "ab[31mc"},
		{"left\u202eright\u200b", nil, "leftright"}, // text that turns around or hides
		{"grün 日本 🙂", nil, "grün 日本 🙂"},
		{"\xff", nil, "\ufffd"},
		{"key abc, again abc", []Secret{"abc"}, "key [secret], again [secret]"},
		{"empty secrets hide nothing", []Secret{"", ""}, "empty secrets hide nothing"},
		{"ab\x00c", []Secret{"abc"}, "[secret]"},
		{"abcdef and abc", []Secret{"abc", "abcdef"}, "[secret] and [secret]"},
		{"a secret\nof two lines", []Secret{"secret\nof two"}, "a [secret] lines"},
		{"see https://me:hunter2@host/x and http://you@host", nil, "see https://[secret]@host/x and http://[secret]@host"},
		{"see https://me:hunter2@x@host/x", nil, "see https://[secret]@host/x"},
		{"http://host/path?mail=a@b, mail c@d", nil, "http://host/path?mail=a@b, mail c@d"},
		{strings.Repeat("x", 512), nil, strings.Repeat("x", 512)},
		{strings.Repeat("ü", 513), nil, strings.Repeat("ü", 512) + "…"},
		// What is cut off cannot leave the beginning of a secret.
		{strings.Repeat("x", 510) + "hunter2", []Secret{"hunter2"}, strings.Repeat("x", 510) + "[s…"},
	} {
		if got := Quote(tt.text, tt.secrets...); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("key abc\n", "abc")
	f.Add("https://me:abc@host", "me")
	f.Add("\xff\x00", "\xff")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := Quote(text, Secret(secret))
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\t\x00\x1b") || utf8.RuneCountInString(got) > longestDetail+1 {
			t.Errorf("%q became %q", text, got)
		}
		// What is left may be a part of what stands for secrets.
		stands := "://[secret][secret]@://…\ufffd"
		if strings.TrimSpace(secret) != "" && !strings.ContainsAny(secret, stands) && strings.Contains(got, secret) {
			t.Errorf("%q shows %q: %q", text, secret, got)
		}
	})
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*Error{
		"prometheus: query host":                                     {Provider: "prometheus", Doing: "query host"},
		"prometheus: query host: cause: 400 Bad Request; correct it": {Provider: "prometheus", Doing: "query host", Err: errors.New("cause"), Detail: "400 Bad Request", Cure: "correct it"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestStatusError(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Class{
		302: Settings, 400: BadQuery, 401: Auth, 403: Auth, 404: Settings, 408: Unreachable, 413: BadQuery, 422: BadQuery,
		429: Limit, 500: Unreachable, 501: Unreachable, 503: Unreachable, 599: Unreachable,
	} {
		e := StatusError("p", "query", status, "told hunter2", "hunter2")
		if e.Class != want || e.Cure == "" || strings.Contains(e.Error(), "hunter2") || !strings.Contains(e.Error(), fmt.Sprint(status)) {
			t.Errorf("%d: class %q, want %q: %v", status, e.Class, want, e)
		}
		if passing := want == Limit || want == Unreachable; Passing(fmt.Errorf("look: %w", e)) != passing {
			t.Errorf("%d: passing %t", status, !passing)
		}
	}
	if got, want := StatusError("p", "query", 599, "").Detail, "599"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if Passing(errors.New("of another package")) || Passing(nil) {
		t.Error("what is no Error passes")
	}
}

func TestTransportError(t *testing.T) {
	t.Parallel()
	request := func(err error) error {
		// As net/http returns it, with what may hold a password.
		return &url.Error{Op: "Post", URL: "http://me:hunter2@host/x?key=hunter2", Err: err}
	}
	for _, tt := range []struct {
		err  error
		want string
		is   error
	}{
		{errors.New("connection refused"), "p: query: connection refused; check the address, the network and the proxy settings", nil},
		{request(request(errors.New("EOF"))), "p: query: EOF; check the address, the network and the proxy settings", nil},
		{request(context.Canceled), "p: query: context canceled", context.Canceled},
		{request(context.DeadlineExceeded), "p: query: context deadline exceeded: context deadline exceeded; the source is slow or hangs: try the query by hand, or raise the timeout", context.DeadlineExceeded},
		{errors.New(`invalid proxy address "http://me:hunter2@proxy": x`), `p: query: invalid proxy address "http://[secret]@proxy": x; check the address, the network and the proxy settings`, nil},
		{errors.New("with the key hunter2"), "p: query: with the key [secret]; check the address, the network and the proxy settings", nil},
	} {
		e := TransportError("p", "query", tt.err, "hunter2")
		if e.Error() != tt.want || e.Class != Unreachable || !Passing(e) || tt.is != nil && !errors.Is(e, tt.is) {
			t.Errorf("%v: class %q, %q; want %q", tt.err, e.Class, e, tt.want)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "hunter2") {
			t.Errorf("%#v shows the secret", e)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	settings := struct {
		Token   Secret
		Headers map[string]Secret
	}{"hunter2", map[string]Secret{"X-Key": "hunter2"}}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprintf("%v %+v %#v %s %q", settings, settings, settings, settings, settings), string(text), fmt.Sprint(settings.Token)} {
		if strings.Contains(got, "hunter2") || !strings.Contains(got, "[secret]") {
			t.Errorf("printed as %s", got)
		}
	}
	if got, want := BasicAuth("me", "a secret"), Secret("bWU6YSBzZWNyZXQ="); got != want { // printf 'me:a secret' | base64
		t.Errorf("%s, want %s", string(got), string(want))
	}
}
