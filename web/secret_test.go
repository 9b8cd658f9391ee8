package web

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A key is struck however it is repeated. The writings are made by the standard library.
func TestSecretsInOtherWritings(t *testing.T) {
	t.Parallel()
	const twice = 2
	marshal := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Trim(string(text), `"`)
	}
	writings := map[string]func(string) string{
		"as it is":                   func(s string) string { return s },
		"upper case":                 strings.ToUpper,
		"lower case":                 strings.ToLower,
		"in a query":                 url.QueryEscape,
		"in a path":                  url.PathEscape,
		"in a query, in lower case":  func(s string) string { return strings.ToLower(url.QueryEscape(s)) },
		"in a query of a query":      func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"every byte with a percent":  func(s string) string { return percent(s) },
		"in JSON":                    marshal,
		"in JSON in JSON":            func(s string) string { return marshal(marshal(s)) },
		"in HTML":                    html.EscapeString,
		"quoted by Go":               func(s string) string { return strings.Trim(strconv.Quote(s), `"`) },
		"every character as \\u":     func(s string) string { return each(s, `\u%04x`) },
		"every character as &#":      func(s string) string { return each(s, `&#%d;`) },
		"every character as &#x":     func(s string) string { return each(s, `&#x%X;`) },
		"Base64":                     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"Base64 of URLs":             func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"Base64 in a query":          func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
		"Base64, one byte before":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte(":" + s + "\n")) },
		"Base64, two bytes before":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a:" + s + "--")) },
		"Base64, in lines":           func(s string) string { return wrap(base64.StdEncoding.EncodeToString([]byte(s)), 12) },
		"hexadecimal":                func(s string) string { return hex.EncodeToString([]byte(s)) },
		"hexadecimal, in upper case": func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"hexadecimal, with colons":   func(s string) string { return fmt.Sprintf("% x", s) },
		"in lines":                   func(s string) string { return wrap(s, 9) },
	}
	for _, secret := range []string{
		"0123456789abcdef0123456789ABCDEF", "p@ss/w0rd+\"<&>'=%", "ключ: naïve", "hunter2", `back\slash`, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig_-",
	} {
		for name, write := range writings {
			written := write(secret)
			text := "the header said " + written + ", and again " + written + "."
			got := Quote(text, Secret(secret))
			left := strings.NewReplacer("the header said ", "", ", and again ", "", "[secret]", "", ".", "").Replace(got)
			if strings.Count(got, "[secret]") != twice || len(left) > twice*8 {
				t.Errorf("%q %s, %q, became %q", secret, name, written, got)
			}
		}
	}
}

func percent(s string) (all string) {
	for _, b := range []byte(s) {
		all += fmt.Sprintf("%%%02X", b)
	}
	return all
}

func each(s, format string) (all string) {
	for _, r := range s {
		all += fmt.Sprintf(format, r)
	}
	return all
}

// wrap breaks a text into lines.
func wrap(s string, width int) string {
	var lines []string
	for len(s) > width {
		lines, s = append(lines, s[:width]), s[width:]
	}
	return strings.Join(append(lines, s), "\r\n")
}

// Usual words are no secrets, also when a secret is short.
func TestWordsThatAreNoSecrets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`WWW-Authenticate: Basic realm="proxy"`, "Basic authentication is required", "a bearer token is missing", "bearer authentication required",
		"use HTTP basic credentials", "the key YWI= is not known",
	} {
		if got := Quote(text, "ab"+"\x01"); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"Proxy-Authorization: Basic Ym9iOmh1bnRlcjI=":                 "Proxy-Authorization: Basic [secret]",
		"authorization: bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.": "authorization: bearer [secret]",
	} {
		if got := Quote(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// What a proxy repeats of its own credentials is struck from everything, whoever quotes.
func TestProxySecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		said    []string // what must not be shown
	}{
		{"http://bob:hunter22@proxy:3128", []string{"hunter22", "HUNTER22", "Ym9iOmh1bnRlcjIy", "bob:hunter22", "hunter22%20"}},
		{"bob:hunter33@proxy:3128", []string{"hunter33", "Ym9iOmh1bnRlcjMz"}},
		{"socks5://bob:p%40ss%2Fword@proxy", []string{"p@ss/word", "p%40ss%2Fword", "Ym9iOnBAc3Mvd29yZA=="}},
		{"http://bob:un/escaped?pass#word@pro xy:1", []string{"un/escaped?pass#word"}},
		{"https://token-of-bob@proxy", []string{"token-of-bob", "dG9rZW4tb2YtYm9iOg=="}},
	} {
		secrets := ProxySecrets(c.address)
		for _, said := range c.said {
			if got := Quote("407: "+said+"!", secrets...); got != "407: [secret]!" && got != "407: [secret]%20!" {
				t.Errorf("%s: %q became %q", c.address, said, got)
			}
		}
	}
	for _, address := range []string{"", "http://proxy:3128", "proxy"} {
		if got := ProxySecrets(address); len(got) > 0 {
			t.Errorf("%q has the secrets %q", address, got)
		}
	}
	Conceal("a-secret-of-the-process")
	if got := Quote("it is a-secret-of-the-process"); got != "it is [secret]" {
		t.Errorf("%q", got)
	}
}

// A body that is far too long costs no time, and its cut shows no beginning of a secret.
func TestQuoteOfALongText(t *testing.T) {
	t.Parallel()
	began := time.Now()
	got := Quote(strings.Repeat(" ", mostQuoted-5)+"0123456789abcdef"+strings.Repeat("x", 64<<20), "0123456789abcdef")
	if strings.Contains(got, "0123") || time.Since(began) > 5*time.Second {
		t.Errorf("%q after %s", got, time.Since(began))
	}
	if got := Quote(strings.Repeat("y", 1<<20)); got != strings.Repeat("y", longestDetail)+"…" {
		t.Errorf("%q", got)
	}
}
