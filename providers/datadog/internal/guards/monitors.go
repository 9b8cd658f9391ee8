package guards

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

// monitor is the answer of
// https://docs.datadoghq.com/api/latest/monitors/get-a-monitors-details/
type monitor struct {
	ID           *json.Number
	Name         string
	OverallState *string `json:"overall_state"`
	Multi        bool    // it is broken down by groups
	Options      struct {
		Silenced map[string]*float64 // scope, and until when, null for ever
	}
	Downtimes []struct{ Scope json.RawMessage } `json:"matching_downtimes"`
	State     struct {
		Groups map[string]monitorGroup // by its tags, with commas
	}
}

type monitorGroup struct {
	Status        string
	LastTriggered json.Number `json:"last_triggered_ts"` // seconds since the epoch
}

// monitor returns what a monitor says of the canary.
func (w *Watcher) monitor(ctx context.Context, id string, labels []providers.Label, since time.Time) (providers.Sighting, *web.Error) {
	doing := "read monitor " + id
	body, failure := w.monitors(ctx, doing, "/api/v1/monitor/"+url.PathEscape(id), url.Values{"group_states": {"all"}, "with_downtimes": {"true"}})
	if failure != nil {
		return providers.Sighting{}, api.CureNotFound(failure, "the monitor's id")
	}
	m, err := readMonitor(body, id)
	if err != nil {
		return providers.Sighting{}, w.api.Misread(doing, err)
	}
	s, err := m.sighting(labels, since)
	if err != nil {
		return providers.Sighting{}, w.api.Misread(doing, err)
	}
	s.Link, s.Detail = w.api.App()+"/monitors/"+id, fmt.Sprintf("%q %s", m.Name, s.Detail)
	return s, nil
}

// monitors asks the monitors API.
func (w *Watcher) monitors(ctx context.Context, doing, path string, parameters url.Values) ([]byte, *web.Error) {
	body, failure := w.api.Call(ctx, doing, http.MethodGet, path, parameters, nil)
	return body, api.CureForbidden(failure, "permission monitors_read")
}

func readMonitor(body []byte, id string) (*monitor, error) {
	var m monitor
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("not JSON as the monitors API answers it: %w: %s", err, body)
	}
	if m.ID == nil || m.ID.String() != id || m.OverallState == nil {
		return nil, fmt.Errorf("the answer is not the monitor's: %s", body)
	}
	return &m, nil
}

// The states of a monitor: https://docs.datadoghq.com/api/latest/monitors/
var (
	quietStates  = []string{"OK", "Warn"}
	unreadStates = []string{"No Data", "Ignored", "Skipped", "Unknown"}
)

// sighting returns what the monitor says of a canary. Of a monitor with groups,
// those count that carry a label of the canary and none with another value.
func (m *monitor) sighting(labels []providers.Label, since time.Time) (providers.Sighting, error) {
	mutings, err := m.mutings()
	if err != nil {
		return providers.Sighting{}, err
	}
	states := map[string]monitorGroup{}
	grouped := m.Multi // no group has reported yet: the whole says nothing of the canary
	for key, g := range m.State.Groups {
		if !strings.Contains(key, ":") {
			continue // a monitor without groups reports its own state as one
		}
		grouped = true
		if ours, named := concerns(strings.Split(key, ","), labels); ours && named {
			states[key] = g
		}
	}
	if grouped && len(states) == 0 {
		return providers.Sighting{State: providers.Unread, Detail: "has groups, and none with a label of the canary"}, nil
	}
	if !grouped {
		own := monitorGroup{Status: *m.OverallState}
		for _, g := range m.State.Groups {
			own.LastTriggered = g.LastTriggered
		}
		states[""] = own
	}
	worst := providers.Sighting{State: providers.Quiet, Detail: "is quiet"}
	for _, key := range slices.Sorted(maps.Keys(states)) {
		s, err := states[key].sighting(since)
		if err != nil {
			return s, err
		}
		switch what, muted := mutedBy(mutings, tagsOf(labels, key)); {
		case muted == query.Yes:
			s = providers.Sighting{State: providers.Unread, Detail: "is muted " + what + ": its state counts for nothing"}
		case muted == query.Perhaps:
			s = providers.Sighting{State: providers.Unread, Detail: "is perhaps muted " + what + ": whether that is where the canary is cannot be told from its labels, and its state counts for nothing"}
		case key != "":
			s.Detail += " for " + key
		}
		if s.State == providers.Alerting || s.State == providers.Unread && worst.State == providers.Quiet {
			worst = s
		}
		if s.State == providers.Alerting {
			break
		}
	}
	return worst, nil
}

// sighting returns what one group says. An alert that came and went between two
// looks is one too; one that began before the run is not the canary's, and hides
// any that is.
func (g monitorGroup) sighting(since time.Time) (providers.Sighting, error) {
	triggered, err := readSeconds(g.LastTriggered)
	if err != nil {
		return providers.Sighting{}, fmt.Errorf("last_triggered_ts: %w", err)
	}
	during := !triggered.IsZero() && !triggered.Before(since.Truncate(time.Second))
	switch {
	case g.Status == "Alert" && during:
		return providers.Sighting{State: providers.Alerting, Detail: "alerts"}, nil
	case g.Status == "Alert" && triggered.IsZero():
		return providers.Sighting{State: providers.Unread, Detail: "alerts, and does not say since when: it may be from before the run"}, nil
	case g.Status == "Alert":
		return providers.Sighting{State: providers.Unread, Detail: "alerts since " + triggered.Format(time.RFC3339) + ", before the run"}, nil
	case !slices.Contains(quietStates, g.Status) && !slices.Contains(unreadStates, g.Status):
		return providers.Sighting{}, fmt.Errorf("the state %q is none of Alert, %q and %q", g.Status, quietStates, unreadStates)
	case during:
		return providers.Sighting{State: providers.Alerting, Detail: "alerted at " + triggered.Format(time.RFC3339)}, nil
	case slices.Contains(unreadStates, g.Status):
		return providers.Sighting{State: providers.Unread, Detail: "is in the state " + g.Status}, nil
	}
	return providers.Sighting{State: providers.Quiet, Detail: "is quiet"}, nil
}

// concerns reports whether tags can be those of the canary: no label of it has
// another value among them; and whether they name one.
func concerns(tags []string, labels []providers.Label) (ours, named bool) {
	known := tagsOf(labels, "")
	for _, tag := range tags {
		key, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), ":")
		label, there := known[key]
		if !there {
			continue
		}
		if value != label {
			return false, true
		}
		named = true
	}
	return true, named
}

// readSeconds reads seconds since the epoch; absent, null and 0 are the zero time.
func readSeconds(n json.Number) (time.Time, error) {
	if n == "" || n == "0" {
		return time.Time{}, nil
	}
	s, err := n.Int64()
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is no whole number of seconds", n)
	}
	t := time.Unix(s, 0).UTC()
	if !api.IsPlausible(t) {
		return time.Time{}, fmt.Errorf("%s is no time in seconds", n)
	}
	return t, nil
}
