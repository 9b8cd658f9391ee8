// Package notify tells people of a run where they talk: Slack, Microsoft Teams, Discord, or a web hook of their
// own. A message that cannot be sent changes nothing about a run.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/web"
)

// Message is what people are told, all of it text from outside, which each service escapes as it
// needs.
type Message struct {
	Event    config.Event
	Title    string // of few words
	Sentence string // what happened
	Lines    []string
	Links    []Link
	// Verdict colours the message: pass, fail, inconclusive, or "" for none.
	Verdict string
	Result  *report.Report // nil before there is one
}

// Link is a page to look at.
type Link struct{ Name, URL string }

const (
	// attempt bounds one try of sending a message, and limit all of them: a job waits for its
	// messages.
	attempt = 5 * time.Second
	limit   = 15 * time.Second
)

// Sender sends messages.
type Sender struct {
	client *http.Client
}

// New returns a sender. transport replaces the network in tests; nil is the network.
func New(transport http.RoundTripper) *Sender {
	return &Sender{web.NewClient(web.ClientOptions{Timeout: attempt, Transport: transport})}
}

// Send sends a message to a service. Its error names the service, and shows nothing of its address, which is
// a secret.
func (s *Sender) Send(ctx context.Context, n config.Notification, m Message) error {
	body, err := json.Marshal(payloads[n.Service](m))
	if err != nil {
		return fmt.Errorf("write the message to %s: %w", n.Service, err)
	}
	// What is told of a run that was interrupted is told, too.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, fmt.Errorf("not done within %s", limit))
	defer cancel()
	secrets := []web.Secret{n.Address, web.Secret(strings.TrimPrefix(string(n.Address), "https://"))}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(n.Address), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("notify %s: its address is none", n.Service)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "canary-judge")
	resp, err := s.client.Do(req)
	if err != nil {
		return web.TransportError(string(n.Service), "notify", err, secrets...)
	}
	defer resp.Body.Close() //nolint:errcheck // read whole already
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return web.TransportError(string(n.Service), "notify", err, secrets...)
	}
	if resp.StatusCode/100 != 2 {
		e := web.StatusError(string(n.Service), "notify", resp.StatusCode, string(text), secrets...)
		e.Cure = "check the address of its web hook, and that the hook is there still"
		return e
	}
	return nil
}

// payloads make what each service takes of a message.
var payloads = map[config.Service]func(Message) any{
	config.Slack: slack, config.Teams: teams, config.Discord: discord, config.WebHook: webHook,
}

// cut shortens a text to what a service takes.
func cut(text string, longest int) string {
	text = report.Clean(text)
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest-1]) + "…"
	}
	return text
}

// webHook is our own format: the event, the sentence, and the result once there is one.
func webHook(m Message) any {
	type page struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	var pages []page
	for _, l := range m.Links {
		pages = append(pages, page(l))
	}
	return struct {
		Schema   string         `json:"schema"`
		Event    string         `json:"event"`
		Title    string         `json:"title"`
		Sentence string         `json:"sentence"`
		Lines    []string       `json:"lines,omitempty"`
		Links    []page         `json:"links,omitempty"`
		Result   *report.Report `json:"result,omitempty"`
	}{"canary-judge/notification/v1", m.Event.String(), m.Title, m.Sentence, m.Lines, pages, m.Result}
}
