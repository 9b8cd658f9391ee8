package datadogtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Tracked is a World that has Error Tracking.
type Tracked interface {
	// Issues returns the issues that a search finds, each with its number of errors. An
	// error is why it is refused.
	Issues(IssueSearch) ([]Issue, error)
}

// IssueSearch is what is asked of Error Tracking.
type IssueSearch struct {
	Track, Text string
	From, To    time.Time // from inclusive, to exclusive
	Now         time.Time // when it is asked
}

// Issue is what Error Tracking makes of errors of the same kind.
type Issue struct {
	ID            string
	Type, Message string    // of the errors
	State         string    // "" = OPEN
	FirstSeen     time.Time // zero = it does not say
	Version       string    // in which it was first seen; "" = it does not say
	Count         int       // errors that match the search
}

// TrackedIssue is an issue of a Script, with its errors.
type TrackedIssue struct {
	Issue
	Track  string
	Errors []Stream // of which the Tags and the Count matter
}

// Issues implements Tracked.
func (s Script) Issues(q IssueSearch) ([]Issue, error) {
	keep, err := parseSearch(q.Text)
	if err != nil {
		return nil, err
	}
	var found []Issue
	for _, i := range s.Errors {
		if i.Track != q.Track {
			continue
		}
		count := 0.0
		for _, stream := range i.Errors {
			if !keep(stream.Tags) {
				continue
			}
			for at := q.From.Truncate(resolution); at.Before(q.To) && !at.Add(resolution+s.Late).After(q.Now); at = at.Add(resolution) {
				count += stream.Count(at)
			}
		}
		if count > 0 {
			i.Count = int(count)
			found = append(found, i.Issue)
		}
	}
	return found, nil
}

// mostIssues is how many issues an answer holds at most:
// https://docs.datadoghq.com/api/latest/error-tracking/search-error-tracking-issues/
const mostIssues = 100

// issues answers POST /api/v2/error-tracking/issues/search, and reports whether it was
// that:
//   - data.type must be search_request, and a track be given [code]; the texts of the 400s are
//     ours [guess]. An empty query is refused [field].
//   - from and to are milliseconds, from inclusive, to exclusive [code].
//   - data has a result an issue with errors that match: id, type, total_count of those
//     errors in that time, and its issue [code]; nothing found is {"data":[]} [cassette].
//     Users and sessions are left out. There are at most 100 [docs], without pages.
//   - order_by TOTAL_COUNT puts the largest first [guess: which way is not said]; any other
//     order is refused.
//   - states leaves out others [code]; without it OPEN and ACKNOWLEDGED are found [guess].
//   - included has the issues with include=issue [code], and is not there without [field]:
//     error_type, error_message, state, first_seen in milliseconds and first_seen_version, of
//     which those are left out that are not known [code].
func (s *Server) issues(w http.ResponseWriter, r *http.Request, now time.Time) bool {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v2/error-tracking/issues/search" {
		return false
	}
	var asked struct {
		Data struct {
			Type       string
			Attributes struct {
				From, To     int64
				Query, Track string
				OrderBy      string `json:"order_by"`
				States       []string
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		complain(w, http.StatusBadRequest, "API input validation failed: "+err.Error())
		return true
	}
	at := asked.Data.Attributes
	q := IssueSearch{Track: at.Track, Text: at.Query, From: time.UnixMilli(at.From).UTC(), To: time.UnixMilli(at.To).UTC(), Now: now}
	switch {
	case asked.Data.Type != "search_request":
		complain(w, http.StatusBadRequest, `API input validation failed: Invalid type. Expected "search_request".`)
		return true
	case !slices.Contains([]string{"trace", "logs", "rum"}, q.Track) || q.Text == "" || !q.From.Before(q.To) || at.OrderBy != "TOTAL_COUNT":
		complain(w, http.StatusBadRequest, "API input validation failed: a track, a query, a time and the order TOTAL_COUNT are needed")
		return true
	}
	var found []Issue
	if world, has := s.World.(Tracked); has {
		var err error
		if found, err = world.Issues(q); err != nil {
			complain(w, http.StatusBadRequest, err.Error())
			return true
		}
	}
	if at.States == nil {
		at.States = []string{"OPEN", "ACKNOWLEDGED"}
	}
	found = slices.DeleteFunc(found, func(i Issue) bool { return !slices.Contains(at.States, cmp.Or(i.State, "OPEN")) })
	slices.SortStableFunc(found, func(a, b Issue) int { return cmp.Compare(b.Count, a.Count) })
	included := slices.Contains(strings.Split(r.URL.Query().Get("include"), ","), "issue")
	answer(w, issueResults(found[:min(len(found), mostIssues)], included))
	return true
}

// issueResults writes issues as the API does.
func issueResults(found []Issue, included bool) map[string]any {
	results, about := []map[string]any{}, []map[string]any{}
	for _, i := range found {
		reference := map[string]any{"id": i.ID, "type": "issue"}
		results = append(results, map[string]any{
			"id": i.ID, "type": "error_tracking_search_result", "attributes": map[string]any{"total_count": i.Count},
			"relationships": map[string]any{"issue": map[string]any{"data": reference}},
		})
		attributes := map[string]any{"error_type": i.Type, "error_message": i.Message, "state": cmp.Or(i.State, "OPEN")}
		if i.Version != "" {
			attributes["first_seen_version"] = i.Version
		}
		if !i.FirstSeen.IsZero() {
			attributes["first_seen"] = i.FirstSeen.UnixMilli()
		}
		about = append(about, map[string]any{"id": i.ID, "type": "issue", "attributes": attributes})
	}
	body := map[string]any{"data": results}
	if included && len(about) > 0 {
		body["included"] = about
	}
	return body
}
