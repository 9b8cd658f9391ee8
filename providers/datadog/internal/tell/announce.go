package tell

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

// event is the request of https://docs.datadoghq.com/api/latest/events/post-an-event/
// in its v1, which needs no more than the API key.
type event struct {
	Title string   `json:"title"`
	Text  string   `json:"text"`
	Tags  []string `json:"tags"`
	Alert string   `json:"alert_type"`
	Key   string   `json:"aggregation_key,omitempty"`
}

// What an event can hold, in characters. The text's limit and the key's are the
// API's; a title that long is no title any more.
const (
	longestTitle = 100
	longestText  = 4000
	longestKey   = 100
)

// Announces implements providers.Announcer.
func (t *Teller) Announces() bool { return t.options.Events }

// Announce implements providers.Announcer with an event.
func (t *Teller) Announce(ctx context.Context, a providers.Announcement) error {
	e := &event{Title: plain(a.Title, longestTitle), Text: plain(a.Text, longestText), Alert: string(a.Tone), Key: cut(a.Key, longestKey)}
	for _, l := range a.Tags {
		e.Tags = append(e.Tags, eventTag(l))
	}
	const doing = "post an event"
	body, failure := t.api.Call(ctx, doing, http.MethodPost, "/api/v1/events", nil, e)
	if failure != nil {
		if failure.Class == web.BadQuery {
			failure.Cure = "please report this"
		}
		return failure
	}
	if err := readPosted(body); err != nil {
		return t.api.Misread(doing, err)
	}
	return nil
}

// readPosted reports what is wrong with the answer to an event.
func readPosted(body []byte) error {
	var a struct{ Status string }
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("not JSON as the events API answers it: %w: %s", err, body)
	}
	if a.Status != "ok" {
		return fmt.Errorf("the answer does not say that the event was taken: %s", body)
	}
	return nil
}

// plain makes a text stand for itself in an event: a mention would notify people,
// and %%% would make it Markdown
// (https://docs.datadoghq.com/events/guides/markdown_events/).
func plain(text string, most int) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "@", "(at)")
	return cut(markdownFence.ReplaceAllString(text, "%"), most)
}

// markdownFence is what begins and ends Markdown in an event, however long.
var markdownFence = regexp.MustCompile(`%{3,}`)

func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// noTag is what a tag cannot hold.
var noTag = regexp.MustCompile(`[^\pL\pN_:./-]+`)

// eventTag returns a label as a tag: https://docs.datadoghq.com/getting_started/tagging/
func eventTag(l providers.Label) string {
	return cut(noTag.ReplaceAllString(strings.ToLower(l.Name+":"+l.Value), "_"), query.LongestTag)
}
