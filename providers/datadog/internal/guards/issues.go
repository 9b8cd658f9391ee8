package guards

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
)

// issueSearch is the body of
// https://docs.datadoghq.com/api/latest/error-tracking/search-error-tracking-issues/
type issueSearch struct {
	Data issueSearchData `json:"data"`
}

type issueSearchData struct {
	Type       string                `json:"type"`
	Attributes issueSearchAttributes `json:"attributes"`
}

type issueSearchAttributes struct {
	From    int64    `json:"from"` // milliseconds since the epoch, inclusive
	To      int64    `json:"to"`   // exclusive
	Query   string   `json:"query"`
	Track   string   `json:"track"`
	OrderBy string   `json:"order_by"`
	States  []string `json:"states"`
}

// heeded are the states of issues that count: not IGNORED and EXCLUDED, of which someone
// said not to heed them. https://docs.datadoghq.com/error_tracking/issue_states/
var heeded = []string{"OPEN", "ACKNOWLEDGED", "RESOLVED"}

// issuesAnswer is the answer to it, with include=issue.
type issuesAnswer struct {
	Data *[]struct {
		ID         string
		Type       string
		Attributes struct {
			Total *int64 `json:"total_count"`
		}
		Relationships struct {
			Issue struct{ Data struct{ ID string } }
		}
	}
	Included []struct {
		ID, Type   string
		Attributes struct {
			ErrorType string `json:"error_type"`
			Message   string `json:"error_message"`
			FirstSeen *int64 `json:"first_seen"` // milliseconds since the epoch
			Version   string `json:"first_seen_version"`
		}
	}
}

// issue is what Error Tracking makes of errors of the same kind.
type issue struct {
	id            string
	count         int64 // errors in the time that was asked for
	kind, message string
	firstSeen     time.Time // zero = not said
	version       string    // in which it was first seen; "" = not said
}

// mostIssues is how many issues an answer holds; there are no pages.
const mostIssues = 100

// readIssues returns the issues of an answer, in its order.
func readIssues(body []byte) ([]issue, error) {
	var a issuesAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("not JSON as the Error Tracking API answers it: %w: %s", err, body)
	}
	if a.Data == nil {
		return nil, fmt.Errorf("the answer is not a search's: %s", body)
	}
	about := map[string]issue{}
	for _, one := range a.Included {
		if one.Type != "issue" {
			continue
		}
		i := issue{id: one.ID, kind: one.Attributes.ErrorType, message: one.Attributes.Message, version: one.Attributes.Version}
		if ms := one.Attributes.FirstSeen; ms != nil {
			i.firstSeen = time.UnixMilli(*ms).UTC()
			if !api.IsPlausible(i.firstSeen) {
				return nil, fmt.Errorf("first_seen: %d is no time in milliseconds", *ms)
			}
		}
		about[one.ID] = i
	}
	var all []issue
	for _, found := range *a.Data {
		id := found.ID // "matches the nested issue's identifier"
		if related := found.Relationships.Issue.Data.ID; related != "" {
			id = related
		}
		i, known := about[id]
		switch {
		case found.Type != "error_tracking_search_result":
			return nil, fmt.Errorf("a result is of the type %q", found.Type)
		case id == "":
			return nil, errors.New("a result has no id")
		case !known:
			return nil, fmt.Errorf("the answer says nothing of the issue %s", id)
		case found.Attributes.Total == nil || *found.Attributes.Total < 0:
			return nil, fmt.Errorf("the answer does not say how often the issue %s occurred", id)
		case slices.ContainsFunc(all, func(other issue) bool { return other.id == id }):
			return nil, fmt.Errorf("the issue %s is there twice", id)
		}
		i.count = *found.Attributes.Total
		all = append(all, i)
	}
	return all, nil
}

// cutOff reports whether an answer may lack issues of at least so many errors: it is full,
// and its last is not the smallest, or not a smaller one.
func cutOff(issues []issue, atLeast int64) bool {
	falling := slices.IsSortedFunc(issues, func(a, b issue) int { return cmp.Compare(b.count, a.count) })
	return len(issues) >= mostIssues && (!falling || issues[len(issues)-1].count >= atLeast)
}
