package datadog

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// Whatever a server says, what is taken from it keeps the contract.
func FuzzReadTimeseries(f *testing.F) {
	for _, seed := range []string{
		answerOf("@-1,@0,@1,@4,@8", `{"group_tags":["version:b"],"query_index":0,"unit":null},{"group_tags":["version:a","z"],"query_index":0,"unit":[{"name":"second"},null]}`, "[0,null,2.5,1,1],[1,2,3,null,5]"),
		answerOf("@0,@1", `{"query_index":1}`, "[1e-9,-0]"),
		`{"errors":"x"}`, `{"errors":["x"]}`, `{"errors":[{"title":"x","detail":"y"}]}`, `{"data":null}`, "<html>",
	} {
		f.Add([]byte(seed), int64(30e9))
	}
	f.Fuzz(func(t *testing.T, body []byte, step int64) {
		q := providers.Query{Start: begin, Step: 30 * time.Second, Part: providers.Value}
		if d := time.Duration(step).Truncate(time.Second); d > 0 && d <= time.Minute {
			q.Step = d
			q.Start = begin.Truncate(d)
		}
		q.End = q.Start.Add(8 * q.Step)
		into := make([]collector, 2)
		if err := readTimeseries(body, q.Start, q.End, q.Step, into); err != nil {
			return
		}
		for i := range into {
			if err := providertest.Check(q, providers.Answer{Series: into[i].series()}); err != nil {
				t.Error(err)
			}
		}
	})
}

// A tag's value cannot leave its place, and is one that Datadog stores as it is.
func FuzzValue(f *testing.F) {
	for _, value := range []string{"1.2.3+build_", "A__B", "x} OR {y", "日本", "\u00a0", "\xff", ":", "a:"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		label := providers.Label{Name: "version", Value: value}
		got, err := Dialect{}.Value(label, inScope)
		if err != nil {
			return
		}
		if got == "" || strings.ContainsAny(got, "{}(),\"'*!$ \t\n\r\\`|&=<>") || strings.Contains(got, "__") || strings.HasSuffix(got, "_") {
			t.Errorf("%q became %q", value, got)
		}
		again, err := Dialect{}.Value(providers.Label{Name: "version", Value: got}, inScope)
		if err != nil || again != got {
			t.Errorf("%q became %q, and that %q, %v", value, got, again, err)
		}
	})
}

// Whatever a query for events says, it is refused, or sent with a source, a search and an
// aggregation that are not empty; and the same again when it is written out.
func FuzzParseEvents(f *testing.F) {
	for _, expr := range []string{
		`logs("status:error a\"b\\").index("main", "b").rollup("count")`, `spans("*") . rollup("pc95","@duration")`,
		`logs("a").rollup("count") > 5`, `logs("a`, `logs("")`, `x("\`, `rum("a").by("b")`,
	} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		q, err := parseEvents(expr)
		if err != nil {
			return
		}
		if q.source == "" || strings.TrimSpace(q.search) == "" || q.aggregation == "" || (q.measure == "") != (q.aggregation == "count") {
			t.Errorf("%q became %+v", expr, q)
		}
		again := q.source + "(" + quoteText(q.search) + ")"
		if q.indexes != nil {
			again += ".index(" + quoteText(q.indexes[0])
			for _, index := range q.indexes[1:] {
				again += ", " + quoteText(index)
			}
			again += ")"
		}
		again += ".rollup(" + quoteText(q.aggregation)
		if q.measure != "" {
			again += ", " + quoteText(q.measure)
		}
		got, err := parseEvents(again + ")")
		if diff := cmp.Diff(q, got, cmp.AllowUnexported(eventQuery{})); err != nil || diff != "" {
			t.Errorf("%q, written out as %q: %v\n%s", expr, again, err, diff)
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
			if i.id == "" || ids[i.id] || i.count < 0 || !i.firstSeen.IsZero() && (i.firstSeen.Before(earliestResult) || !i.firstSeen.Before(latestResult)) {
				t.Errorf("%+v", i)
			}
			ids[i.id] = true
		}
		if cutOff(all, atLeast) && len(all) < mostIssues {
			t.Errorf("%d issues are cut off", len(all))
		}
	})
}

// Whatever a server says to a mark, it was taken only where the answer is a 202 that holds
// nothing, or an object with data and no error.
func FuzzReadMarked(f *testing.F) {
	for _, body := range []string{``, ` `, `{"data":null}`, `{"data":{}}`, `{"errors":["x"]}`, `{"data":null,"errors":[]}`, `{"data":null,"errors":"x"}`, `{}`, `null`, `[]`, `<html>`, `{"data":nu`} {
		f.Add(202, []byte(body))
		f.Add(200, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if readMarked(status, body) != nil {
			return
		}
		var answer map[string]any
		if status != http.StatusAccepted || strings.TrimSpace(string(body)) != "" && (json.Unmarshal(body, &answer) != nil || answer == nil) {
			t.Errorf("%d %q counts as a mark that was taken", status, body)
		}
	})
}

// Whatever is searched for, its link goes to the page of its source, and searches for that.
func FuzzLink(f *testing.F) {
	p, err := New(Settings{APIKey: "a", AppKey: "b"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, search := range []string{"service:shop", `a&b=c#d?e/../f`, "a+b %20 é\x00\xff", `"x\\" OR *`, "https://evil.example/"} {
		f.Add(search)
	}
	f.Fuzz(func(t *testing.T, search string) {
		if strings.TrimSpace(search) == "" {
			return
		}
		link := p.Link(providers.Query{Expr: "logs(" + quoteText(search) + `).rollup("count")`, Start: begin, End: begin.Add(time.Hour)})
		got, err := url.Parse(link)
		if err != nil {
			t.Fatalf("%q: %v", search, err)
		}
		q := got.Query()
		if got.Scheme+"://"+got.Host+got.Path != "https://app.datadoghq.com/logs" || got.Fragment != "" || len(q) != 4 || q.Get("query") != search {
			t.Errorf("%q became %s", search, link)
		}
	})
}
