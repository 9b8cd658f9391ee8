package timeseries

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// begin is the start of the window of these tests, of 8 steps of 30 s.
// 2026-11-23T10:00:00Z is 1795428000.
var begin = time.UnixMilli(1795428000000).UTC()

const step = 30 * time.Second

// answerOf is an answer to queries of one step each. @-1 to @8 in it are the starts
// of steps.
func answerOf(times, series, values string) string {
	text := fmt.Sprintf(`{"data":{"id":"0","type":"timeseries_response","attributes":{"times":[%s],"series":[%s],"values":[%s]}}}`, times, series, values)
	for i := -1; i <= 8; i++ {
		text = strings.ReplaceAll(text, fmt.Sprintf("@%d", i), fmt.Sprint(begin.Add(time.Duration(i)*step).UnixMilli()))
	}
	return text
}

// readFor reads an answer to a number of queries.
func readFor(queries int, body string) ([][]analysis.Series, error) {
	into := make([]collector, queries)
	if err := readTimeseries([]byte(body), begin, begin.Add(8*step), step, into); err != nil {
		return nil, err
	}
	all := make([][]analysis.Series, queries)
	for i := range into {
		all[i] = into[i].series()
	}
	return all, nil
}

func at(i int, v float64) analysis.Point {
	return analysis.ValuePoint(begin.Add(time.Duration(i)*step), v)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const q0 = `{"group_tags":[],"query_index":0,"unit":null}`
	one := func(points ...analysis.Point) [][]analysis.Series {
		return [][]analysis.Series{{{Step: step, Points: points}}}
	}
	nan := math.NaN()
	for _, tt := range []struct {
		name, body string
		queries    int
		want       [][]analysis.Series
	}{
		{"zeros, nulls and omitted buckets", answerOf("@0,@1,@4", q0, "[0,null,2.5]"), 1, one(at(0, 0), at(1, nan), at(4, 2.5))},
		{"buckets outside of the window", answerOf("@-1,@0,@7,@8", q0, "[9,1,2,9]"), 1, one(at(0, 1), at(7, 2))},
		{"nothing at all", answerOf("", "", ""), 1, [][]analysis.Series{nil}},
		{"nothing in the window", answerOf("@-1,@8", q0, "[1,2]"), 1, [][]analysis.Series{nil}},
		{"no keys but the data's", `{"data":{"attributes":{}}}`, 2, [][]analysis.Series{nil, nil}},
		{"errors that are none", strings.Replace(answerOf("@0", q0, "[1]"), "{", `{"errors":null,`, 1), 1, one(at(0, 1))},
		{"empty errors", strings.Replace(answerOf("@0", q0, "[1]"), "{", `{"errors":[],`, 1), 1, one(at(0, 1))},
		{"an empty error", strings.Replace(answerOf("@0", q0, "[1]"), "{", `{"errors":"",`, 1), 1, one(at(0, 1))},
		{
			"queries in any order", answerOf("@0,@1", `{"query_index":2},{"query_index":0}`, "[1,2],[3,null]"), 3,
			[][]analysis.Series{{{Step: step, Points: []analysis.Point{at(0, 3), at(1, nan)}}}, nil, {{Step: step, Points: []analysis.Point{at(0, 1), at(1, 2)}}}},
		},
		{
			"groups in any order", answerOf("@0", `{"group_tags":["version:b"],"query_index":0},{"group_tags":["version:a","zone:x:y"],"query_index":0},{"group_tags":["N/A"],"query_index":0}`, "[1],[2],[3]"), 1,
			[][]analysis.Series{{
				{Labels: map[string]string{"N/A": ""}, Step: step, Points: []analysis.Point{at(0, 3)}},
				{Labels: map[string]string{"version": "a", "zone": "x:y"}, Step: step, Points: []analysis.Point{at(0, 2)}},
				{Labels: map[string]string{"version": "b"}, Step: step, Points: []analysis.Point{at(0, 1)}},
			}},
		},
		{"evenly spaced times are gaps", answerOf("@-1,@1,@3,@5,@7,1795428270000", q0, "[1,2,3,4,5,6]"), 1, one(at(1, 2), at(3, 3), at(5, 4), at(7, 5))},
		{"five evenly spaced times may be gaps", answerOf("@0,@1,@3,@5,@7", q0, "[1,2,3,4,5]"), 1, one(at(0, 1), at(1, 2), at(3, 3), at(5, 4), at(7, 5))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readFor(tt.queries, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	const q0 = `{"group_tags":[],"query_index":0}`
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", "", "not JSON as the query API answers it: unexpected end of JSON input"},
		{"a login page", "<html>", "not JSON as the query API answers it: invalid character '<' looking for beginning of value: <html>"},
		{"cut off", answerOf("@0", q0, "[1]")[:80], "not JSON"},
		{"two answers", answerOf("@0", q0, "[1]") + "{}", "not JSON"},
		{"a list", "[]", "not JSON as the query API answers it"},
		{"an empty object", "{}", "the answer has no data"},
		{"null data", `{"data":null}`, "the answer has no data"},
		{"null attributes", `{"data":{"attributes":null}}`, "the answer has no data"},
		{"data of another shape", `{"data":[]}`, "not JSON as the query API answers it"},
		{"another answer", strings.Replace(answerOf("@0", q0, "[1]"), "timeseries_response", "scalar_response", 1), "the answer is a scalar_response, not a timeseries_response"},
		{"a row too few", answerOf("@0", q0+","+q0, "[1]"), "2 series but 1 rows of values"},
		{"a row too many", answerOf("@0", q0, "[1],[2]"), "1 series but 2 rows of values"},
		{"a short row", answerOf("@0,@1", q0, "[1]"), "1 values for 2 times"},
		{"a long row", answerOf("@0", q0, "[1,2]"), "2 values for 1 times"},
		{"a null row", answerOf("@0", q0, "null"), "0 values for 1 times"},
		{"no query_index", answerOf("@0", `{"group_tags":[]}`, "[1]"), "does not say which query it answers"},
		{"a null query_index", answerOf("@0", `{"query_index":null}`, "[1]"), "does not say which query it answers"},
		{"another query", answerOf("@0", `{"query_index":1}`, "[1]"), "does not say which query it answers"},
		{"a query before the first", answerOf("@0", `{"query_index":-1}`, "[1]"), "does not say which query it answers"},
		{"two rows of one group", answerOf("@0", q0+","+q0, "[1],[2]"), "two values at 2026-11-23T10:00:00Z"},
		{"times that fall", answerOf("@1,@0", q0, "[1,2]"), "the times do not ascend at 2026-11-23T10:00:00Z"},
		{"a time twice", answerOf("@1,@1", q0, "[1,2]"), "the times do not ascend"},
		{"a time with decimals", answerOf("@0.5", q0, "[1]"), "is no whole number"},
		{"a null time", answerOf("null", q0, "[1]"), "is no whole number"},
		{"a time in seconds", answerOf("1795428000", q0, "[1]"), "widened the step: a point at 1970-01-21T18:43:48Z does not fit the 30s asked for"},
		{"off the grid", answerOf("1795428001000", q0, "[1]"), "the server widened the step: a point at 2026-11-23T10:00:01Z does not fit the 30s asked for"},
		{"a value as text", answerOf("@0", q0, `["1"]`), "not JSON as the query API answers it"},
		{"a value beyond all", answerOf("@0", q0, "[1e999]"), "not JSON as the query API answers it"},
		{"an error as text", `{"errors":"Rule 'scope_or' didn't match at '}'"}`, "the server finds fault with the query: Rule 'scope_or' didn't match at '}'"},
		{"errors as a list", `{"errors":["first","second"]}`, "finds fault with the query: first; second"},
		{"errors as objects", `{"errors":[{"status":"404","title":"Not Found","detail":"no such metric"},{"title":"Bad"}]}`, "finds fault with the query: Not Found no such metric; Bad"},
		{"errors of another shape", `{"errors":{"why":7}}`, `finds fault with the query: {"why":7}`},
		{"an error beside data", strings.Replace(answerOf("@0", q0, "[1]"), "{", `{"errors":"half of it timed out",`, 1), "half of it timed out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readFor(1, tt.body)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %v; want an error with %q", got, err, tt.want)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for unit, want := range map[string]string{
		`null`: "", `[]`: "", `[null,null]`: "",
		`[{"family":"time","name":"second","scale_factor":1},null]`: "s",
		`[{"name":"microsecond","scale_factor":1e-6}]`:              "us",
		`[{"name":"byte"},null]`:                                    "B",
		`[{"name":"request"},null]`:                                 "request",
		`[{"name":"byte"},{"name":"second"}]`:                       "", // bytes per second are no bytes
	} {
		all, err := readFor(1, answerOf("@0", `{"query_index":0,"unit":`+unit+`}`, "[1]"))
		if err != nil || all[0][0].Unit != want {
			t.Errorf("%s: %v, %v; want the unit %q", unit, all, err, want)
		}
	}
}

// The request of the API's documentation, for two queries.
func TestRequest(t *testing.T) {
	t.Parallel()
	queries := []providers.Query{{Expr: "other"}, {Expr: `sum:a{b:c}.as_count()`, Step: 20 * time.Second}, {}, {Expr: "p95:d{*}"}}
	got, err := json.Marshal(timeseriesRequest(queries, []int{1, 3}, begin, begin.Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"data":{"type":"timeseries_request","attributes":{"from":1795428000000,"to":1795428060000,"interval":20000,` +
		`"queries":[{"name":"q0","data_source":"metrics","query":"sum:a{b:c}.as_count()"},{"name":"q1","data_source":"metrics","query":"p95:d{*}"}],` +
		`"formulas":[{"formula":"q0"},{"formula":"q1"}]}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

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

// Twenty metrics of several sources, in both arms, are one request. A query that
// cannot be read asks nothing, and is an error of its own.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	var queries []providers.Query
	for i := range 20 {
		for _, arm := range providers.Arms {
			expr := fmt.Sprintf(`sum:m%d{arm:%s}.as_count()`, i, arm)
			if i%2 > 0 {
				expr = fmt.Sprintf(`logs("m%d arm:%s").rollup("count")`, i, arm)
			}
			queries = append(queries, providers.Query{Metric: fmt.Sprint(i), Arm: arm, Part: providers.Value, Expr: expr, Start: begin, End: begin.Add(8 * step), Step: step})
		}
	}
	bad := queries[0]
	bad.Expr = `logs("a").rollup("mode")`
	queries = append(queries, bad)
	var requests atomic.Int64
	p := New(apitest.Client(t, api.Options{Transport: providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		var asked request
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Data.Attributes.Queries) != 40 {
			t.Errorf("%d queries, %v", len(asked.Data.Attributes.Queries), err)
		}
		_, _ = io.WriteString(w, answerOf("@0", `{"query_index":39}`, "[7]"))
	}))}))
	answers, err := p.Fetch(t.Context(), queries)
	if err != nil || requests.Load() != 1 {
		t.Fatalf("%d requests, %v", requests.Load(), err)
	}
	if s := answers[39].Series; len(s) != 1 || s[0].Points[0].Value() != 7 {
		t.Errorf("the last query got %v", s)
	}
	if err := answers[40].Err; err == nil || !strings.Contains(err.Error(), `"mode" is no aggregation of events`) {
		t.Errorf("the query that cannot be read: %v", err)
	}
}
