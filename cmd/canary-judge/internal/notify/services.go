package notify

import (
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
)

// object is a JSON object.
type object map[string]any

// Limits of the services, in characters, with room to spare.
const (
	longestTitle = 140
	longestText  = 2800
	mostLines    = 8
)

// text returns the sentence and lines as one text.
func (m Message) text() string {
	lines := append([]string{m.Sentence}, m.Lines...)
	if len(lines) > mostLines {
		lines = append(lines[:mostLines:mostLines], "…")
	}
	for i, l := range lines {
		lines[i] = cut(l, longestText/len(lines))
	}
	return strings.Join(lines, "\n")
}

// slackEscapes are what text of Slack has instead of its control characters, with which mentions begin:
// https://docs.slack.dev/messaging/formatting-message-text#escaping
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slack is a message of blocks, whose texts are plain: nothing in them is a mention, a link or a format. Addresses are
// in buttons.
// https://docs.slack.dev/reference/block-kit/blocks
func slack(m Message) any {
	plain := func(text string) object { return object{"type": "plain_text", "text": text, "emoji": false} }
	blocks := []any{
		object{"type": "header", "text": plain(cut(m.Title, longestTitle))},
		object{"type": "section", "text": plain(m.text())},
	}
	var buttons []any
	for _, l := range m.Links {
		buttons = append(buttons, object{"type": "button", "text": plain(cut(l.Name, 70)), "url": l.URL})
	}
	if len(buttons) > 0 {
		blocks = append(blocks, object{"type": "actions", "elements": buttons[:min(len(buttons), 5)]})
	}
	return object{
		// What notifications of the desktop show.
		"text":         slackEscapes.Replace(cut(m.Title, longestTitle)),
		"blocks":       blocks,
		"unfurl_links": false,
	}
}

// teamsColours are those of adaptive cards.
var teamsColours = map[string]string{
	analysis.VerdictPass.String(): "Good", analysis.VerdictFail.String(): "Attention", analysis.VerdictInconclusive.String(): "Warning",
}

// teams is an adaptive card, as a workflow takes it that a web hook starts. Its texts are runs, which know no Markdown.
// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
func teams(m Message) any {
	run := func(text string, more object) object {
		r := object{"type": "TextRun", "text": text}
		for k, v := range more {
			r[k] = v
		}
		return object{"type": "RichTextBlock", "inlines": []any{r}}
	}
	title := object{"weight": "Bolder", "size": "Large"}
	if colour := teamsColours[m.Verdict]; colour != "" {
		title["color"] = colour
	}
	body := []any{run(cut(m.Title, longestTitle), title)}
	for _, line := range strings.Split(m.text(), "\n") {
		body = append(body, run(line, nil))
	}
	card := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
		"msteams": object{"width": "Full"},
	}
	var actions []any
	for _, l := range m.Links {
		actions = append(actions, object{"type": "Action.OpenUrl", "title": cut(l.Name, 70), "url": l.URL})
	}
	if len(actions) > 0 {
		card["actions"] = actions[:min(len(actions), 5)]
	}
	return object{"type": "message", "attachments": []any{object{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}}
}

// discordColours are those of embeds.
var discordColours = map[string]int{
	analysis.VerdictPass.String(): 0x2ea043, analysis.VerdictFail.String(): 0xcf222e, analysis.VerdictInconclusive.String(): 0xbf8700,
}

// discordEscapes are the characters of Discord's Markdown.
var discordEscapes = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `~`, `\~`, "`", "\\`", `|`, `\|`, `>`, `\>`, `<`, `\<`, `[`, `\[`, `]`, `\]`, `(`, `\(`, `)`, `\)`, `#`, `\#`, `@`, "@\u200b", `://`, ":\u200b//")

// discord is an embed, and mentions nobody.
// https://discord.com/developers/docs/resources/webhook#execute-webhook
func discord(m Message) any {
	embed := object{"title": discordEscapes.Replace(cut(m.Title, longestTitle)), "description": discordEscapes.Replace(m.text())}
	if colour, ok := discordColours[m.Verdict]; ok {
		embed["color"] = colour
	}
	var fields []any
	for i, l := range m.Links {
		if i == 0 {
			embed["url"] = l.URL
			continue
		}
		fields = append(fields, object{"name": discordEscapes.Replace(cut(l.Name, 70)), "value": l.URL})
	}
	if len(fields) > 0 {
		embed["fields"] = fields[:min(len(fields), 5)]
	}
	return object{"embeds": []any{embed}, "allowed_mentions": object{"parse": []any{}}}
}
