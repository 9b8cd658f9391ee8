package datadog

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
	"github.com/canary-judge/canary-judge/web"
)

const (
	// mostMonitors is how many monitors a search may find: a look reads each of them,
	// one after the other, and has until the next look.
	mostMonitors = 50
	// mostTold is how many of them a detail names.
	mostTold = 3
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
func (p *Provider) monitorSet(ctx context.Context, g providers.Guard, since time.Time) (providers.Sighting, *web.Error) {
	ids, failure := p.findMonitors(ctx, g.Search)
	if failure != nil {
		return providers.Sighting{}, failure
	}
	worst := providers.Sighting{State: providers.Quiet}
	var told []string // of those in the worst state
	for _, id := range ids {
		name := "monitor " + strconv.FormatInt(id, 10)
		s, failure := p.monitor(ctx, strconv.FormatInt(id, 10), g.Labels, since)
		switch {
		case isGone(failure):
			s = providers.Sighting{State: providers.Unread, Detail: "was found, and is gone"}
		case failure != nil:
			return providers.Sighting{}, failure
		}
		switch {
		case s.State == providers.Quiet || s.State == providers.Unread && worst.State == providers.Alerting:
			continue
		case s.State != worst.State:
			worst, told = s, nil
		}
		told = append(told, name+" "+s.Detail)
	}
	worst.Detail = fmt.Sprintf("found %d: %s", len(ids), some(told))
	if len(told) != 1 {
		worst.Link = p.app() + "/monitors/manage?q=" + escapeQuery(g.Search)
	}
	return worst, nil
}

// some tells the first few of what there is to tell.
func some(told []string) string {
	if len(told) == 0 {
		return "none alerts"
	}
	text := strings.Join(told[:min(len(told), mostTold)], "; ")
	if more := len(told) - mostTold; more > 0 {
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
func (p *Provider) findMonitors(ctx context.Context, search string) ([]int64, *web.Error) {
	p.sets.mutex.Lock()
	defer p.sets.mutex.Unlock()
	if ids, known := p.sets.found[search]; known {
		return ids, nil
	}
	doing := "search the monitors for " + search
	var ids []int64
	total := 0
	for page := 0; page == 0 || len(ids) < total; page++ {
		body, failure := p.monitors(ctx, doing, "/api/v1/monitor/search",
			url.Values{"query": {search}, "page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(mostMonitors)}})
		if failure != nil {
			return nil, failure
		}
		found, all, err := readMonitorPage(body, page)
		if err == nil && page > 0 && all != total {
			err = fmt.Errorf("%w: there were %d monitors, and by page %d there are %d", errNotWhole, total, page, all)
		}
		if err != nil {
			return nil, p.misread(doing, err)
		}
		bad := &web.Error{Class: web.BadQuery, Provider: Name, Doing: doing}
		switch {
		case all == 0:
			bad.Detail, bad.Cure = "it finds none", "check the search in Datadog's Manage Monitors page, "+p.app()+"/monitors/manage"
			return nil, bad
		case all > mostMonitors:
			bad.Detail, bad.Cure = fmt.Sprintf("it finds %d, and %d are the most that a guard can be", all, mostMonitors), "narrow the search"
			return nil, bad
		}
		ids, total = append(ids, found...), all
	}
	slices.Sort(ids)
	if all := len(ids); len(slices.Compact(ids)) != all || all != total {
		return nil, p.misread(doing, fmt.Errorf("%w: there are %d monitors, and the pages have %d, or one of them twice", errNotWhole, total, all))
	}
	if p.sets.found == nil {
		p.sets.found = map[string][]int64{}
	}
	p.sets.found[search] = ids
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
		return nil, 0, fmt.Errorf("%w: page %d has %d monitors of %d", errNotWhole, page, len(ids), total)
	}
	return ids, total, nil
}
