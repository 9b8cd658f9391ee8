package guards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/web"
)

const (
	// mostMonitors is how many monitors a search may find: a look reads each of them,
	// one after the other, and has until the next look.
	mostMonitors = 50
	// mostListed is how many of them a detail lists.
	mostListed = 3
)

// monitorSets remembers which monitors a search has found, so that those of a run
// are the same at every look: one that loses a tag while it alerts still counts.
type monitorSets struct {
	mutex sync.Mutex
	found map[string][]int64 // ids by search
}

// monitorPage is the answer of
// https://docs.datadoghq.com/api/latest/monitors/monitors-search/
type monitorPage struct {
	Monitors *[]struct{ ID *int64 }
	Metadata *struct {
		Page  *int
		Total *int `json:"total_count"`
	}
}

// monitorSet returns the worst that the monitors of a search say of the canary: an
// alert of any, or else that one is unread.
func (w *Watcher) monitorSet(ctx context.Context, g providers.Guard, since time.Time) (providers.Sighting, *web.Error) {
	ids, failure := w.findMonitors(ctx, g.Search)
	if failure != nil {
		return providers.Sighting{}, failure
	}
	worst := providers.Sighting{State: providers.Quiet}
	var details []string // of those in the worst state
	for _, id := range ids {
		name := "monitor " + strconv.FormatInt(id, 10)
		s, failure := w.monitor(ctx, strconv.FormatInt(id, 10), g.Labels, since)
		switch {
		case api.IsNotFound(failure):
			s = providers.Sighting{State: providers.Unread, Detail: "was found, and is gone"}
		case failure != nil:
			return providers.Sighting{}, failure
		}
		switch {
		case s.State == providers.Quiet || s.State == providers.Unread && worst.State == providers.Alerting:
			continue
		case s.State != worst.State:
			worst, details = s, nil
		}
		details = append(details, name+" "+s.Detail)
	}
	worst.Detail = fmt.Sprintf("found %d: %s", len(ids), listed(details))
	if len(details) != 1 {
		worst.Link = w.api.App() + "/monitors/manage?q=" + escapeQuery(g.Search)
	}
	return worst, nil
}

// listed lists the first few details.
func listed(details []string) string {
	if len(details) == 0 {
		return "none alerts"
	}
	text := strings.Join(details[:min(len(details), mostListed)], "; ")
	if more := len(details) - mostListed; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// escapeQuery writes a space as %20: Datadog's pages do not read a plus as one.
func escapeQuery(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// findMonitors returns the ids of the monitors that a search finds, ascending; at its
// first call by asking, page by page.
func (w *Watcher) findMonitors(ctx context.Context, search string) ([]int64, *web.Error) {
	w.sets.mutex.Lock()
	defer w.sets.mutex.Unlock()
	if ids, known := w.sets.found[search]; known {
		return ids, nil
	}
	doing := "search the monitors for " + search
	var ids []int64
	total := 0
	for page := 0; page == 0 || len(ids) < total; page++ {
		body, failure := w.monitors(ctx, doing, "/api/v1/monitor/search",
			url.Values{"query": {search}, "page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(mostMonitors)}})
		if failure != nil {
			return nil, failure
		}
		found, all, err := readMonitorPage(body, page)
		if err == nil && page > 0 && all != total {
			err = fmt.Errorf("%w: there were %d monitors, and by page %d there are %d", api.ErrNotWhole, total, page, all)
		}
		if err != nil {
			return nil, w.api.Misread(doing, err)
		}
		bad := &web.Error{Class: web.BadQuery, Provider: api.Name, Doing: doing}
		switch {
		case all == 0:
			bad.Detail, bad.Cure = "it finds none", "check the search in Datadog's Manage Monitors page, "+w.api.App()+"/monitors/manage"
			return nil, bad
		case all > mostMonitors:
			bad.Detail, bad.Cure = fmt.Sprintf("it finds %d, and %d are the most that a guard can be", all, mostMonitors), "narrow the search"
			return nil, bad
		}
		ids, total = append(ids, found...), all
	}
	slices.Sort(ids)
	if all := len(ids); len(slices.Compact(ids)) != all || all != total {
		return nil, w.api.Misread(doing, fmt.Errorf("%w: there are %d monitors, and the pages have %d, or one of them twice", api.ErrNotWhole, total, all))
	}
	if w.sets.found == nil {
		w.sets.found = map[string][]int64{}
	}
	w.sets.found[search] = ids
	return ids, nil
}

// readMonitorPage returns the ids on a page of a search, and how many monitors there
// are on all pages.
func readMonitorPage(body []byte, page int) (ids []int64, total int, err error) {
	var m monitorPage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, 0, fmt.Errorf("not JSON as the monitors API answers it: %w: %s", err, body)
	}
	if m.Monitors == nil || m.Metadata == nil || m.Metadata.Page == nil || m.Metadata.Total == nil {
		return nil, 0, fmt.Errorf("the answer is not a search's: %s", body)
	}
	for _, one := range *m.Monitors {
		if one.ID == nil || *one.ID <= 0 {
			return nil, 0, errors.New("a monitor has no id")
		}
		ids = append(ids, *one.ID)
	}
	total = *m.Metadata.Total
	switch {
	case *m.Metadata.Page != page:
		return nil, 0, fmt.Errorf("page %d was asked for, and the answer is page %d", page, *m.Metadata.Page)
	case total < 0 || len(ids) > total || len(ids) == 0 && total > 0:
		return nil, 0, fmt.Errorf("%w: page %d has %d monitors of %d", api.ErrNotWhole, page, len(ids), total)
	}
	return ids, total, nil
}
