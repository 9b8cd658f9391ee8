package guards

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
)

// Whatever a server says of a monitor, it is quiet only if it says so.
func FuzzReadMonitor(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"overall_state":"OK"}`, `{"id":1,"overall_state":"Alert","state":{"groups":{"*":{"status":"Alert","last_triggered_ts":1795428000}}}}`,
		`{"id":1,"overall_state":"OK","options":{"silenced":{"*":null}},"matching_downtimes":[{"scope":["a:b"]}]}`,
		`{"id":1,"overall_state":"OK","state":{"groups":{"env:prod,host:a":{"status":"No Data"}}}}`, "null", "<html>",
	} {
		f.Add([]byte(seed))
	}
	labels := []providers.Label{{Name: "env", Value: "prod"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := readMonitor(body, "1")
		if err != nil {
			return
		}
		s, err := m.sighting(labels, time.UnixMilli(1795428000000).UTC())
		if err != nil || s.State != providers.Quiet {
			return
		}
		if text := string(body); !strings.Contains(text, "OK") && !strings.Contains(text, "Warn") && !strings.Contains(text, `\u`) {
			t.Errorf("quiet: %s", text)
		}
	})
}

// Whatever a server says, a page of a search has monitors with ids, no more than there
// are, and some if there are any.
func FuzzReadMonitorPage(f *testing.F) {
	for _, seed := range []string{
		`{"monitors":[{"id":1},{"id":2}],"metadata":{"total_count":3,"page":0,"page_count":2,"per_page":2}}`,
		`{"monitors":[],"metadata":{"total_count":0,"page":0}}`, `{"monitors":null}`, `{"errors":["x"]}`, "<html>",
	} {
		f.Add([]byte(seed), 0)
	}
	f.Fuzz(func(t *testing.T, body []byte, page int) {
		ids, total, err := readMonitorPage(body, page)
		if err != nil {
			return
		}
		if len(ids) > total || len(ids) == 0 && total > 0 || slices.ContainsFunc(ids, func(id int64) bool { return id <= 0 }) {
			t.Errorf("%v of %d", ids, total)
		}
	})
}

// Whatever a server says, issues have ids of their own and counts, and a time that is one
// if any.
func FuzzReadIssues(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"id":"a","type":"error_tracking_search_result","attributes":{"total_count":9},"relationships":{"issue":{"data":{"id":"a","type":"issue"}}}}],` +
			`"included":[{"id":"a","type":"issue","attributes":{"error_type":"E","error_message":"m","first_seen":1795428000000,"first_seen_version":"v1"}},{"id":"u","type":"user"}]}`,
		`{"data":[]}`, `{"data":null}`, `{"data":[{"id":"a","type":"error_tracking_search_result"}],"included":[{"id":"a","type":"issue"}]}`, "<html>",
	} {
		f.Add([]byte(seed), int64(10))
	}
	f.Fuzz(func(t *testing.T, body []byte, atLeast int64) {
		all, err := readIssues(body)
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, i := range all {
			if i.id == "" || ids[i.id] || i.count < 0 || !i.firstSeen.IsZero() && (!api.IsPlausible(i.firstSeen)) {
				t.Errorf("%+v", i)
			}
			ids[i.id] = true
		}
		if cutOff(all, atLeast) && len(all) < mostIssues {
			t.Errorf("%d issues are cut off", len(all))
		}
	})
}
