package datadogtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Watched is a World that has monitors.
type Watched interface {
	// Monitors returns the monitors as they are at a time, in the order of searches.
	Monitors(now time.Time) []Monitor
}

// Monitor is a monitor that alerts by groups.
type Monitor struct {
	ID     int64
	Name   string
	Tags   []string
	Muted  bool
	Groups []MonitorGroup
	// Downtimes are the scopes of those that are active for it, such as env:(prod OR dev).
	Downtimes []string
}

// MonitorGroup is a group of a monitor.
type MonitorGroup struct {
	Tags      string    // with commas
	Status    string    // OK, Warn, Alert, No Data, …
	Triggered time.Time // last; zero for never
}

// severity orders the states of groups, of which the worst is the monitor's.
var severity = []string{"OK", "No Data", "Warn", "Alert"}

// status is that of the worst group.
func (m Monitor) status() string {
	worst := 0
	for _, g := range m.Groups {
		worst = max(worst, slices.Index(severity, g.Status))
	}
	return severity[worst]
}

// monitors answers the routes of monitors, and reports whether it was one:
//
// GET /api/v1/monitor/ID: id, name, multi, overall_state, options.silenced, and with
// group_states=all state.groups, each with name, status and last_triggered_ts in seconds,
// null for never [code]; 404 for one that does not exist [code]. overall_state is the worst
// group's [guess]. With with_downtimes=true, matching_downtimes has the active ones, each with
// id, start, end (null for never) and scope as a list [code], here of one text [guess].
//
// GET /api/v1/monitor/search: monitors, each with id, name, status, tags and
// last_triggered_ts, and metadata with total_count, page_count, page and per_page, which
// is 30 unless it is asked for [cassette]; more than 100 are cut to 100 [field]. A page
// beyond the last is empty [guess]. counts are left out. No query finds all [cassette]; it knows tag:, the tags
// themselves (service: and env: are documented), status:, muted: and title: [docs], and no
// free text; what is none of these is a 400 [cassette for a status that is none].
func (s *Server) monitors(w http.ResponseWriter, r *http.Request, now time.Time) bool {
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v1/monitor/")
	if !ok || r.Method != http.MethodGet {
		return false
	}
	var all []Monitor
	if world, has := s.World.(Watched); has {
		all = world.Monitors(now)
	}
	if path == "search" {
		searchMonitors(w, r, all)
		return true
	}
	at := slices.IndexFunc(all, func(m Monitor) bool { return strconv.FormatInt(m.ID, 10) == path })
	if at < 0 {
		complain(w, http.StatusNotFound, "Monitor not found")
		return true
	}
	m := all[at]
	groups, silenced := map[string]any{}, map[string]any{}
	for _, g := range m.Groups {
		if r.URL.Query().Get("group_states") == "all" {
			groups[g.Tags] = map[string]any{"name": g.Tags, "status": g.Status, "last_triggered_ts": seconds(g.Triggered)}
		}
	}
	if m.Muted {
		silenced["*"] = nil
	}
	downtimes := []map[string]any{}
	for i, scope := range m.Downtimes {
		if r.URL.Query().Get("with_downtimes") == "true" {
			downtimes = append(downtimes, map[string]any{"id": i + 1, "scope": []string{scope}, "start": now.Add(-time.Hour).Unix(), "end": nil})
		}
	}
	answer(w, map[string]any{
		"matching_downtimes": downtimes,
		"id":                 m.ID, "name": m.Name, "type": "metric alert", "tags": m.Tags, "multi": len(m.Groups) > 0, "overall_state": m.status(),
		"options": map[string]any{"silenced": silenced}, "state": map[string]any{"groups": groups},
	})
	return true
}

// seconds returns a time as monitors have it.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

func searchMonitors(w http.ResponseWriter, r *http.Request, all []Monitor) {
	q := r.URL.Query()
	text := q.Get("query")
	if text == "" {
		text = "*"
	}
	keep, err := parseSearch(text)
	if err != nil {
		complain(w, http.StatusBadRequest, "Query parsing error: "+err.Error())
		return
	}
	page, perPage := 0, 30
	for name, into := range map[string]*int{"page": &page, "per_page": &perPage} {
		if text := q.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				complain(w, http.StatusBadRequest, name+" is no number")
				return
			}
			*into = n
		}
	}
	perPage = max(1, min(perPage, 100))
	found := []map[string]any{}
	for _, m := range all {
		terms := []string{"status:" + m.status(), fmt.Sprintf("muted:%t", m.Muted), "title:" + m.Name}
		for _, tag := range m.Tags {
			terms = append(terms, tag, "tag:"+tag)
		}
		if !keep(terms) {
			continue
		}
		var triggered time.Time
		for _, g := range m.Groups {
			if g.Triggered.After(triggered) {
				triggered = g.Triggered
			}
		}
		found = append(found, map[string]any{"id": m.ID, "name": m.Name, "status": m.status(), "tags": m.Tags, "last_triggered_ts": seconds(triggered)})
	}
	total := len(found)
	from := min(page*perPage, total)
	answer(w, map[string]any{
		"monitors": found[from:min(from+perPage, total)],
		"metadata": map[string]int{"total_count": total, "page_count": (total + perPage - 1) / perPage, "page": page, "per_page": perPage},
	})
}
