package config

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/web"
)

// Service is where people are told of a run.
type Service string

// The services.
const (
	Slack   Service = "slack"
	Teams   Service = "teams"
	Discord Service = "discord"
	WebHook Service = "webhook"
)

// Event is what people are told of.
type Event int

// The events.
const (
	AtStart   Event = iota // a run begins
	AtVerdict              // it has a verdict, or none at the end of its window
	AtTrouble              // it could not judge, or something that was to be done failed
)

// eventNames are the events as configs have them.
var eventNames = []string{"start", "verdict", "trouble"}

func (e Event) String() string { return eventNames[e] }

// UnmarshalText reads an event.
func (e *Event) UnmarshalText(text []byte) error { return word(e, "event", text, eventNames...) }

// JSONSchema implements jsonschema.Schemer.
func (*Event) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Enum: eventNames} }

// Notification is whom to tell of a run, and of what.
type Notification struct {
	Service Service
	Address web.Secret
	On      []Event
}

// Of reports whether an event is told.
func (n Notification) Of(e Event) bool { return slices.Contains(n.On, e) }

// notification is a Notification as a config has it: the address of one service.
type notification struct {
	Slack   hookAddress `yaml:"slack" doc:"Incoming web hook of Slack, out of the environment" example:"${env:SLACK_WEBHOOK_URL}"`
	Teams   hookAddress `yaml:"teams" doc:"Web hook of a workflow of Microsoft Teams, out of the environment" example:"${env:TEAMS_WEBHOOK_URL}"`
	Discord hookAddress `yaml:"discord" doc:"Web hook of Discord, out of the environment" example:"${env:DISCORD_WEBHOOK_URL}"`
	WebHook hookAddress `yaml:"webhook" doc:"An address that takes our JSON by POST, out of the environment" example:"${env:CANARY_WEBHOOK_URL}"`
	On      []Event     `yaml:"on" otherwise:"verdict and trouble" doc:"What is told" example:"[start, verdict, trouble]"`
}

// hookAddress is the address of a web hook, whose knowledge is enough to write there: a secret.
type hookAddress struct{ secret web.Secret }

// bind reads an address that the environment has.
func (h *hookAddress) bind(b *binder, n *yaml.Node) {
	b.secrets[n] = true
	if n.Kind == yaml.ScalarNode && b.vars.env != nil && !strings.Contains(n.Value, "${env:") {
		b.problem(n, "the address of a web hook is a secret, which does not belong into a file: write ${env:NAME}, and set NAME in the environment")
		return
	}
	text, ok := b.text(n, "an address")
	if !ok {
		return
	}
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		b.problem(n, "this is no address of the web: want https://…")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		b.problem(n, "the address is a secret, and http shows it to whoever listens: want https://…")
	default:
		h.secret = web.Secret(strings.TrimSpace(text))
	}
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// JSONSchema implements jsonschema.Schemer.
func (*hookAddress) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }

// notifications resolves whom to tell of runs.
func (r *resolver) notifications() {
	for i := range r.file.Notify {
		f := &r.file.Notify[i]
		n := Notification{On: f.On}
		if !r.written(&f.On) {
			n.On = []Event{AtVerdict, AtTrouble}
		}
		named := 0
		for _, s := range []struct {
			service Service
			address *hookAddress
		}{{Slack, &f.Slack}, {Teams, &f.Teams}, {Discord, &f.Discord}, {WebHook, &f.WebHook}} {
			if r.written(s.address) {
				named++
				n.Service, n.Address = s.service, s.address.secret
			}
		}
		if named != 1 {
			r.problemAt(f, nil, "one service is told by one entry: write slack, teams, discord or webhook, with its address")
			continue
		}
		r.config.Notify = append(r.config.Notify, n)
	}
}
