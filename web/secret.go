package web

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Secret is a setting that must not appear anywhere.
type Secret string

// String hides the secret from everything that formats.
func (Secret) String() string { return "[secret]" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "[secret]" }

// MarshalText hides the secret from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Problem says why the secret cannot be sent in a header, such as a key that was pasted in
// two lines; "" when it can.
func (s Secret) Problem() string {
	switch {
	case strings.ContainsAny(string(s), "\r\n"):
		return "has a newline inside"
	case strings.ContainsFunc(string(s), unicode.IsControl):
		return "has a character inside that cannot be seen"
	}
	return ""
}

// BasicAuth returns a password as it travels in an Authorization header, which must
// not appear anywhere either.
func BasicAuth(user, password string) Secret {
	return Secret(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
}

// concealed are secrets of the process, beside those of its providers.
var concealed struct {
	sync.Mutex
	all []Secret
}

// Conceal has secrets struck from everything that is quoted from now on, such as the
// password of a proxy, which is no provider's.
func Conceal(secrets ...Secret) {
	concealed.Lock()
	defer concealed.Unlock()
	for _, s := range secrets {
		if s != "" && !slices.Contains(concealed.all, s) {
			concealed.all = append(concealed.all, s)
		}
	}
}

// ProxySecrets returns what of a proxy's address, as in HTTPS_PROXY, is secret: its
// password, or the user where there is none, as they are written and as they are sent.
func ProxySecrets(address string) []Secret {
	// By hand: an address that is no URL is quoted in errors, too.
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return nil
	}
	user, password, some := strings.Cut(rest[:at], ":")
	all := []Secret{Secret(rest[:at])}
	for _, decode := range []func(string) string{func(s string) string { return s }, unescaped} {
		user, password := decode(user), decode(password)
		all = append(all, BasicAuth(user, password))
		if some && password != "" {
			all = append(all, Secret(password))
		} else {
			all = append(all, Secret(user))
		}
	}
	// What is shorter is a part of every other word.
	return slices.DeleteFunc(all, func(s Secret) bool { return len(s) < 4 })
}

// unescaped is a part of a URL without its escapes, or as it is if they are wrong.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// userInfo is the user:password@ of a URL.
var userInfo = regexp.MustCompile(`://[^/?#\s"']*@`)

// authorization is what may stand in a header of that name, whoever sent it.
var authorization = regexp.MustCompile(`(?i)\b(basic|bearer)(\s+|%20|\+)([a-z0-9+/_=.~-]{6,})`)

// unauthorized replaces credentials, and leaves words such as "Basic authentication".
func unauthorized(text string) string {
	part := authorization.FindStringSubmatch(text)
	if strings.EqualFold(part[1], "basic") {
		plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(part[3], "="))
		if err != nil || !strings.Contains(string(plain), ":") {
			return text
		}
	} else if len(part[3]) < 16 || !strings.ContainsAny(part[3], "0123456789") {
		return text
	}
	return part[1] + part[2] + stand
}

// Strike takes what is secret out of a text from outside that is shown whole. Quote does
// it for what is quoted.
func Strike(text string, secrets ...Secret) string { return hide(text, secrets) }

// hide replaces secrets, the longest first: one may be the beginning of another.
func hide(text string, secrets []Secret) string {
	concealed.Lock()
	secrets = slices.Concat(secrets, concealed.all)
	concealed.Unlock()
	slices.SortStableFunc(secrets, func(a, b Secret) int { return len(b) - len(a) })
	for i, s := range secrets {
		if s == "" || i > 0 && s == secrets[i-1] {
			continue
		}
		text = strings.ReplaceAll(text, string(s), stand)
		if len(s) >= recognisable {
			text = s.echoes().ReplaceAllLiteralString(text, stand)
		}
	}
	text = userInfo.ReplaceAllString(text, "://"+stand+"@")
	return authorization.ReplaceAllStringFunc(text, unauthorized)
}

const (
	// stand is what stands for a secret.
	stand = "[secret]"
	// recognisable is how long a secret must be to be known in other writings: those of a
	// shorter one are parts of usual words.
	recognisable = 6
)

// patterns keeps the expressions of secrets, which take some time to make.
var patterns sync.Map

// echoes finds a secret as others repeat it: in another case, with escapes of URLs, JSON,
// HTML or shells, broken into lines, in Base64 (also in the middle of what was encoded),
// and in hexadecimal digits.
func (s Secret) echoes() *regexp.Regexp {
	if known, ok := patterns.Load(s); ok {
		return known.(*regexp.Regexp)
	}
	escaped := make([]string, 0, len(s))
	for _, r := range string(s) {
		escaped = append(escaped, character(r))
	}
	writings := []string{strings.Join(escaped, gap)}
	digits := hex.EncodeToString([]byte(s))
	var pairs []string
	for pair := range slices.Chunk([]byte(digits), 2) {
		pairs = append(pairs, string(pair))
	}
	writings = append(writings, strings.Join(pairs, `(?:[\s:,-]|\\x|0x)*`))
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			writings = append(writings, base64In(string(s), encoding, before))
		}
	}
	pattern := regexp.MustCompile(`(?i)` + strings.Join(writings, "|"))
	patterns.Store(s, pattern)
	return pattern
}

// gap is what may stand between two characters of a secret: the end of a line, as it is or
// as JSON has it, or an escape of what follows.
const gap = `(?:\s|\\[rnt](?:\s|\\[rnt])|\\)*`

// character matches a character in all ways to write it.
func character(r rune) string {
	ways := []string{regexp.QuoteMeta(string(r))}
	var percent string
	for _, b := range []byte(string(r)) {
		percent += fmt.Sprintf(`%%(?:25)*%02x`, b)
	}
	ways = append(ways, percent, fmt.Sprintf(`u(?:%04x|\{0*%x\})`, r, r), fmt.Sprintf(`x%02x`, r), fmt.Sprintf(`&(?:amp;)*#(?:0*%d|x0*%x);`, r, r))
	if named := html.EscapeString(string(r)); named != string(r) {
		ways = append(ways, regexp.QuoteMeta(named))
	}
	switch r {
	case ' ':
		ways = append(ways, `\+|%(?:25)*2b`)
	case '"':
		ways = append(ways, `&quot;`)
	case '\'':
		ways = append(ways, `&apos;`)
	}
	return "(?:" + strings.Join(ways, "|") + ")"
}

// base64In matches a text in Base64 when before bytes, modulo 3, are encoded in front of it.
// A character at the front that holds bits of others is left out, one at the end may be any.
func base64In(text string, encoding *base64.Encoding, before int) string {
	encoded := encoding.WithPadding(base64.NoPadding).EncodeToString([]byte(strings.Repeat("x", before) + text))
	first := (before*8 + 5) / 6
	last := (before + len(text)) * 8 / 6
	var characters []string
	for _, c := range encoded[first:last] {
		way := regexp.QuoteMeta(string(c))
		if c == '+' || c == '/' || c == '=' {
			way = fmt.Sprintf(`(?:%s|%%(?:25)*%02x|\\%s)`, way, c, way)
		}
		characters = append(characters, way)
	}
	edge := ""
	if last < len(encoded) {
		edge = `[a-z0-9+/_-]?(?:=|%(?:25)*3d)*`
	}
	return strings.Join(characters, gap) + edge
}
