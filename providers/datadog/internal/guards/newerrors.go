package guards

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

const (
	// pastDays is how far back a search must have found an issue with a version to be
	// known to find any.
	pastDays = 14
	// longestMessage is how much of an error's message is told.
	longestMessage = 100
)

// findingSearches remembers which searches find issues with a version.
type findingSearches struct {
	mutex sync.Mutex
	known map[providers.NewErrors]bool
}

// newErrors says whether issues of the canary's version have occurred since a time. An issue
// is new when it was first seen in that version, and alerts when no other version has
// it too: one that all versions have, as when a database is down, is first seen in any of
// them.
func (w *Watcher) newErrors(ctx context.Context, e *providers.NewErrors, since time.Time) (providers.Sighting, *web.Error) {
	now := time.Now()
	if least := since.Add(time.Second); now.Before(least) {
		now = least // a time without an end is none
	}
	issues, failure := w.issues(ctx, e, e.Search, since, now)
	if failure != nil {
		return providers.Sighting{}, failure
	}
	var fresh, unversioned []issue
	for _, i := range issues {
		switch {
		case i.count < e.AtLeast:
		case isVersion(i.version, e.Version):
			fresh = append(fresh, i)
		case i.version == "" && (i.firstSeen.IsZero() || !i.firstSeen.Before(since)):
			unversioned = append(unversioned, i)
		}
	}
	alone, failure := w.alone(ctx, e, fresh, since, now)
	if failure != nil {
		return providers.Sighting{}, failure
	}
	unread := func(detail string) (providers.Sighting, *web.Error) {
		return providers.Sighting{State: providers.Unread, Detail: detail}, nil
	}
	switch {
	case len(alone) > 0:
		return providers.Sighting{
			State: providers.Alerting, Link: w.api.App() + "/error-tracking/issue/" + url.PathEscape(largest(alone).id),
			Detail: w.describe(alone, "new in "+e.Version),
		}, nil
	case len(fresh) > 0:
		return unread(w.describe(fresh, "new in "+e.Version+", and not shown to be of no other version"))
	case len(unversioned) > 0:
		return unread(w.describe(unversioned, "new, and without a version: it may be the canary's"))
	case cutOff(issues, e.AtLeast):
		return unread(fmt.Sprintf("has %d issues or more, of which no more are told; narrow the search", mostIssues))
	}
	doubt, failure := w.doubt(ctx, e, issues, since, now)
	if failure != nil || doubt != "" {
		return providers.Sighting{State: providers.Unread, Detail: doubt}, failure
	}
	return providers.Sighting{State: providers.Quiet, Detail: fmt.Sprintf("has no issue new in %s with %d errors or more", e.Version, e.AtLeast)}, nil
}

// issues searches for issues with errors in a time.
func (w *Watcher) issues(ctx context.Context, e *providers.NewErrors, search string, from, to time.Time) ([]issue, *web.Error) {
	doing := "search Error Tracking for " + search
	body, failure := w.api.Call(ctx, doing, http.MethodPost, "/api/v2/error-tracking/issues/search", url.Values{"include": {"issue"}},
		&issueSearch{issueSearchData{"search_request", issueSearchAttributes{
			From: from.UnixMilli(), To: to.UnixMilli(), Query: search, Track: e.Track, OrderBy: "TOTAL_COUNT", States: heeded,
		}}})
	if failure != nil {
		return nil, api.CureForbidden(failure, "permission error_tracking_read")
	}
	all, err := readIssues(body)
	if err != nil {
		return nil, w.api.Misread(doing, err)
	}
	return all, nil
}

// alone returns those of the issues that have no errors but of the canary's version. They
// are searched for by what is not of that version: were the version not to be searched for,
// each issue would be found, and none be alone.
func (w *Watcher) alone(ctx context.Context, e *providers.NewErrors, fresh []issue, since, now time.Time) ([]issue, *web.Error) {
	if len(fresh) == 0 {
		return nil, nil
	}
	version, err := query.TagValue(providers.Label{Name: "version", Value: e.Version})
	if err != nil {
		return nil, &web.Error{Class: web.BadQuery, Provider: api.Name, Doing: "search Error Tracking for " + e.Search, Err: err}
	}
	search := fmt.Sprintf(`-version:"%s"`, version)
	if e.Search != "*" {
		search = "(" + e.Search + ") " + search
	}
	others, failure := w.issues(ctx, e, search, since, now)
	if failure != nil || len(others) >= mostIssues {
		return nil, failure
	}
	var alone []issue
	for _, i := range fresh {
		if !slices.ContainsFunc(others, func(other issue) bool { return other.id == i.id }) {
			alone = append(alone, i)
		}
	}
	return alone, nil
}

// doubt says why nothing new may mean nothing: that the search finds no issue, or none
// with a version; "" when it has ever found one.
func (w *Watcher) doubt(ctx context.Context, e *providers.NewErrors, issues []issue, since, now time.Time) (string, *web.Error) {
	w.finding.mutex.Lock()
	defer w.finding.mutex.Unlock()
	versioned := func(i issue) bool { return i.version != "" }
	finds := w.finding.known[*e] || slices.ContainsFunc(issues, versioned)
	if !finds {
		var failure *web.Error
		if issues, failure = w.issues(ctx, e, e.Search, since.AddDate(0, 0, -pastDays), now); failure != nil {
			return "", failure
		}
		finds = slices.ContainsFunc(issues, versioned)
	}
	switch {
	case finds:
		if w.finding.known == nil {
			w.finding.known = map[providers.NewErrors]bool{}
		}
		w.finding.known[*e] = true
	case len(issues) > 0:
		return "has issues, and none says in which version it was first seen; set DD_VERSION where the errors come from", nil
	case !e.AbsentIsZero:
		return fmt.Sprintf("has had no issue in %d days, and the search may be wrong; check it, or write absent: zero", pastDays), nil
	}
	return "", nil
}

// isVersion reports whether a version is one that a config names: as it is, or as tags
// are stored.
func isVersion(seen, named string) bool {
	stored, err := query.TagValue(providers.Label{Name: "version", Value: named})
	return strings.EqualFold(seen, named) || err == nil && strings.EqualFold(seen, stored)
}

func largest(issues []issue) issue {
	return slices.MaxFunc(issues, func(a, b issue) int { return cmp.Compare(a.count, b.count) })
}

// describe says of issues what they are, by the largest.
func (w *Watcher) describe(issues []issue, what string) string {
	i := largest(issues)
	kind := i.kind
	if kind == "" {
		kind = "an error without a type"
	}
	text := "has an issue " + what + ": "
	if len(issues) > 1 {
		text = fmt.Sprintf("has %d issues %s, the largest: ", len(issues), what)
	}
	return text + fmt.Sprintf("%s %q, %d errors", w.excerpt(kind), w.excerpt(i.message), i.count)
}

// excerpt makes a text from outside fit to be a part of a detail. What is cut could be half
// a secret, so that these are struck first.
func (w *Watcher) excerpt(text string) string {
	runes := []rune(w.api.Quote(text))
	if len(runes) > longestMessage {
		return string(runes[:longestMessage]) + "…"
	}
	return string(runes)
}
