package synthetics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/synthetics"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

func open(t *testing.T, transport http.RoundTripper) *synthetics.Runs {
	t.Helper()
	return synthetics.New(apitest.Client(t, api.Options{Transport: transport}))
}

// result is a result of a test as the API reports it.
type result struct {
	seconds, length int // after ten, at which it finished; how long it took
	status, runType string
	location        string
	retry, running  bool
	unhealthy       bool
}

var ten = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// labs answers for synthetic tests, by the shape of
// https://docs.datadoghq.com/api/latest/synthetics/get-a-tests-latest-results/
type labs struct {
	types    map[string]string // by public id
	results  map[string][]result
	page     int // results in one
	requests atomic.Int64
}

func (l *labs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
	id := parts[len(parts)-1]
	if id == "results" {
		id = parts[len(parts)-2]
	}
	kind, there := l.types[id]
	browser := slices.Contains(parts, "browser")
	switch {
	case !there || id != parts[len(parts)-1] && browser != (kind == "browser"):
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":["Synthetics test not found"]}`)
		return
	case id == parts[len(parts)-1]:
		_, _ = fmt.Fprintf(w, `{"public_id":%q,"type":%q,"subtype":"http","name":"checkout","status":"live"}`, id, kind)
		return
	}
	to, err := strconv.ParseInt(r.URL.Query().Get("to_ts"), 10, 64)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	all := slices.Clone(l.results[id])
	slices.SortStableFunc(all, func(a, b result) int { return b.seconds - a.seconds })
	var items []string
	for _, o := range all {
		finished := ten.Add(time.Duration(o.seconds) * time.Second).UnixMilli()
		if finished > to || len(items) == l.page {
			continue
		}
		end := strconv.FormatInt(finished, 10)
		if o.running {
			end = "null"
		}
		items = append(items, fmt.Sprintf(`{"id":"r%d-%s-%v","type":"result_summary","attributes":{"status":%q,"run_type":%q,"started_at":%d,"finished_at":%s,
			"location":{"id":%q,"name":"x"},"device":null,"test_type":%q,"execution_info":{"duration":1.5,"is_fast_retry":%v,"unhealthy":%v}}}`,
			o.seconds, o.location, o.retry, o.status, o.runType, finished-int64(o.length)*1000, end, o.location, kind, o.retry, o.unhealthy))
	}
	_, _ = fmt.Fprintf(w, `{"data":[%s],"included":[]}`, strings.Join(items, ","))
}

// runsOf asks for what an expression counts, in five steps of a minute from ten on.
func runsOf(expr string) providers.Query {
	q := providers.Query{Metric: "journey", Arm: providers.Canary, Part: providers.Total, Expr: expr, Start: ten, End: ten.Add(5 * time.Minute), Step: time.Minute}
	if !strings.HasSuffix(expr, ".runs()") {
		q.Part = providers.Bad
	}
	return q
}

// counted returns the counts by minute.
func counted(a providers.Answer) map[int]float64 {
	if len(a.Series) != 1 {
		return nil
	}
	all := map[int]float64{}
	for _, p := range a.Series[0].Points {
		all[int(p.Time.Sub(ten).Minutes())] = p.Value()
	}
	return all
}

func scheduled(seconds int, status string) result {
	return result{seconds: seconds, length: 2, status: status, runType: "scheduled", location: "aws:a"}
}

// What the results mean is counted here by hand.
func TestRunsAreCounted(t *testing.T) {
	t.Parallel()
	retry := result{seconds: 70, length: 2, status: "passed", runType: "fast", location: "aws:a", retry: true}
	for _, tt := range []struct {
		name         string
		results      []result
		failed, runs map[int]float64
	}{
		{"none", nil, nil, nil},
		{"a run a step, and a step without one", []result{scheduled(5, "passed"), scheduled(65, "failed"), scheduled(185, "passed")},
			map[int]float64{0: 0, 1: 1, 3: 0}, map[int]float64{0: 1, 1: 1, 3: 1}},
		{"the edges", []result{scheduled(-1, "failed"), scheduled(0, "failed"), scheduled(299, "passed"), scheduled(300, "failed")},
			map[int]float64{0: 1, 4: 0}, map[int]float64{0: 1, 4: 1}},
		{"before and after only", []result{scheduled(-1, "passed"), scheduled(300, "passed")}, nil, nil},
		{"by the end, not the start", []result{{seconds: 10, length: 600, status: "failed", runType: "scheduled", location: "aws:a"}},
			map[int]float64{0: 1}, map[int]float64{0: 1}},
		{"a retry that passes, in the next step", []result{scheduled(55, "failed"), retry}, map[int]float64{0: 0}, map[int]float64{0: 1}},
		{"a retry that fails too", []result{scheduled(55, "failed"), {seconds: 70, length: 2, status: "failed", runType: "fast", location: "aws:a", retry: true}},
			map[int]float64{0: 1}, map[int]float64{0: 1}},
		{"two retries", []result{
			scheduled(50, "failed"), {seconds: 60, length: 2, status: "failed", runType: "fast", location: "aws:a", retry: true},
			{seconds: 70, length: 2, status: "passed", runType: "fast", location: "aws:a"},
		}, map[int]float64{0: 0}, map[int]float64{0: 1}},
		{"a retry of a run before the window", []result{scheduled(-2, "failed"), {seconds: 3, length: 2, status: "failed", runType: "fast", location: "aws:a", retry: true}}, nil, nil},
		{"a retry elsewhere", []result{scheduled(55, "failed"), {seconds: 70, length: 2, status: "passed", runType: "scheduled", location: "aws:b", retry: true}},
			map[int]float64{0: 1, 1: 0}, map[int]float64{0: 1, 1: 1}},
		{"a try-out", []result{scheduled(5, "passed"), {seconds: 70, length: 2, status: "passed", runType: "fast", location: "aws:a"}},
			map[int]float64{0: 0}, map[int]float64{0: 1}},
		{"running", []result{{seconds: 20, length: 2, status: "in_progress", runType: "scheduled", running: true}, {seconds: 20, length: 2, status: "passed", runType: "scheduled", running: true, location: "aws:c"}}, nil, nil},
		{"aborted and without a result", []result{scheduled(20, "aborted"), scheduled(25, "no_data"), scheduled(30, "skipped")}, nil, nil},
		{"in CI, retried", []result{{seconds: 20, length: 2, status: "failed", runType: "ci", location: "aws:a"}, {seconds: 30, length: 2, status: "passed", runType: "fast", location: "aws:a", retry: true}}, nil, nil},
		{"from a location in trouble", []result{{seconds: 20, length: 2, status: "passed", runType: "scheduled", location: "aws:a", unhealthy: true}}, nil, nil},
		{"started by hand", []result{{seconds: 20, length: 2, status: "failed", runType: "triggered", location: "aws:a"}}, map[int]float64{0: 1}, map[int]float64{0: 1}},
	} {
		for _, kind := range []string{"api", "browser"} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				l := &labs{types: map[string]string{"abc-def-ghi": kind}, results: map[string][]result{"abc-def-ghi": tt.results}, page: 150}
				p := open(t, providertest.Serve(t, l))
				queries := []providers.Query{runsOf(`synthetics("abc-def-ghi").failed()`), runsOf(`synthetics("abc-def-ghi").runs()`), runsOf(`synthetics("abc-def-ghi").passed()`)}
				answers, err := p.Fetch(t.Context(), queries)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range answers {
					if err := errors.Join(a.Err, providertest.Check(queries[i], a)); err != nil {
						t.Error(err)
					}
				}
				failed, runs, passed := counted(answers[0]), counted(answers[1]), counted(answers[2])
				if diff := cmp.Diff(tt.failed, failed) + cmp.Diff(tt.runs, runs); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				for minute, n := range runs {
					if passed[minute] != n-failed[minute] {
						t.Errorf("minute %d: %g passed of %g runs, %g failed", minute, passed[minute], n, failed[minute])
					}
				}
			})
		}
	}
}

// All parts and arms of a test take one look-up ever, and the pages of one listing a
// look; a page that reaches back far enough is the last.
func TestPagesOfResults(t *testing.T) {
	t.Parallel()
	l := &labs{types: map[string]string{"abc-def-ghi": "api"}, results: map[string][]result{}, page: 40}
	want := map[string]map[int]float64{"aws:a": {}, "aws:b": {}}
	for second := -3600; second < 600; second += 10 {
		for _, location := range []string{"aws:a", "aws:b"} {
			r := scheduled(second, "passed")
			r.location = location
			if second%30 == 0 {
				r.status = "failed"
			}
			l.results["abc-def-ghi"] = append(l.results["abc-def-ghi"], r)
			if second >= 0 && second < 300 {
				want[location][second/60]++
			}
		}
	}
	p := open(t, providertest.Serve(t, l))
	var queries []providers.Query
	for _, location := range []string{"aws:a", "aws:b"} {
		for _, counted := range []string{"failed", "runs"} {
			queries = append(queries, runsOf(fmt.Sprintf(`synthetics("abc-def-ghi").location(%q).%s()`, location, counted)))
		}
	}
	queries = append(queries, runsOf(`synthetics("abc-def-ghi").location("aws:elsewhere").runs()`))
	for look := range 2 {
		before := l.requests.Load()
		answers, err := p.Fetch(t.Context(), queries)
		if err != nil {
			t.Fatal(err)
		}
		for i, location := range []string{"aws:a", "aws:b"} {
			failed, runs := counted(answers[2*i]), counted(answers[2*i+1])
			if diff := cmp.Diff(want[location], runs); diff != "" {
				t.Errorf("%s (-want +got)\n%s", location, diff)
			}
			// Every third run fails: seconds 0 and 30 of each minute.
			if diff := cmp.Diff(map[int]float64{0: 2, 1: 2, 2: 2, 3: 2, 4: 2}, failed); diff != "" {
				t.Errorf("%s (-want +got)\n%s", location, diff)
			}
		}
		if answers[4].Err != nil || len(answers[4].Series) > 0 {
			t.Errorf("a location without runs: %v", answers[4])
		}
		// 600 s after the window's start and 900 s before it, 12 results a minute: 300,
		// of which each page brings at least 38 new ones.
		if n := l.requests.Load() - before; n > 9 || look == 1 && n > 8 {
			t.Errorf("look %d: %d requests", look, n)
		}
	}
}

// Each case is a server in trouble, at the look-up of the test or at its results.
// None of them may look like runs that passed, or show a key.
func TestTroubleWithRuns(t *testing.T) {
	t.Parallel()
	const lookUp = `{"public_id":"abc-def-ghi","type":"api"}`
	attributes := func(text string) string {
		return `{"data":[{"id":"r1","attributes":{"status":"passed","run_type":"scheduled","started_at":1795428001000,"finished_at":1795428002000}},{"id":"r2","attributes":` + text + `}]}`
	}
	good := `{"status":"failed","run_type":"scheduled","started_at":1795428001000,"finished_at":1795428002000}`
	for _, tt := range []struct {
		name   string
		lookUp bool // the trouble is at the look-up
		status int
		body   string
		class  web.Class
		own    bool
		want   string
	}{
		{"no such test", true, 404, `{"errors":["Synthetics test not found"]}`, web.BadQuery, true, "look up the synthetic test abc-def-ghi: 404 Not Found: Synthetics test not found; check the test's public id"},
		{"no results of it", false, 404, `{"errors":["Not found"]}`, web.BadQuery, true, "404 Not Found: Not found; check the test's public id"},
		{"wrong key", true, 401, `{"errors":["Unauthorized hunter2-api"]}`, web.Auth, false, "401 Unauthorized: Unauthorized [secret]; check DD_API_KEY"},
		{"wrong key at the results", false, 401, `{"errors":["Unauthorized"]}`, web.Auth, false, "401 Unauthorized"},
		{"no permission", true, 403, `{"errors":["Forbidden"]}`, web.Auth, false, "the permission synthetics_read"},
		{"no permission for results", false, 403, `{"errors":["Forbidden hunter2-app"]}`, web.Auth, false, "the permission synthetics_read"},
		{"a limit", false, 429, "", web.Limit, false, "429 Too Many Requests"},
		{"broken", false, 500, "<html>hunter2-app", web.Unreachable, false, "500 Internal Server Error: <html>[secret]"},
		{"redirected", false, 302, "", web.Settings, false, "the source redirects"},
		{"a login page", false, 200, "<html>hunter2-api", web.Shape, false, "not JSON as the synthetics API answers it"},
		{"a login page at the look-up", true, 200, "<html>", web.Shape, false, "not JSON as the synthetics API answers it"},
		{"nothing", false, 200, "", web.Shape, false, "unexpected end of JSON input"},
		{"nothing at the look-up", true, 200, "", web.Shape, false, "unexpected end of JSON input"},
		{"truncated", false, 200, attributes(good)[:60], web.Shape, false, "unexpected end of JSON input"},
		{"an empty object", false, 200, "{}", web.Shape, false, "the answer has no data"},
		{"errors in a 200", false, 200, `{"errors":["no"]}`, web.Shape, false, "the answer has no data"},
		{"null", false, 200, `{"data":null}`, web.Shape, false, "the answer has no data"},
		{"another test's", true, 200, `{"public_id":"xxx-xxx-xxx","type":"api"}`, web.Shape, false, "the answer is not the test's"},
		{"an empty test", true, 200, `{}`, web.Shape, false, "the answer is not the test's"},
		{"a mobile test", true, 200, `{"public_id":"abc-def-ghi","type":"mobile"}`, web.BadQuery, true, "it is of the type mobile"},
		{"a result without attributes", false, 200, attributes("null"), web.Shape, false, "no id or no attributes"},
		{"an unknown status", false, 200, attributes(strings.Replace(good, "failed", "exploded", 1)), web.Shape, false, `the status "exploded"`},
		{"no status", false, 200, attributes(strings.Replace(good, `"failed"`, "null", 1)), web.Shape, false, `the status ""`},
		{"a status that is a number", false, 200, attributes(strings.Replace(good, `"failed"`, "0", 1)), web.Shape, false, "cannot unmarshal"},
		{"an unknown run type", false, 200, attributes(strings.Replace(good, "scheduled", "chaos", 1)), web.Shape, false, `the run type "chaos"`},
		{"seconds", false, 200, attributes(strings.ReplaceAll(good, "000,", ",")), web.Shape, false, "is no time in milliseconds"},
		{"a time that is a text", false, 200, attributes(strings.Replace(good, "1795428002000", `"now"`, 1)), web.Shape, false, "invalid number literal"},
		{"an end before the start", false, 200, attributes(strings.Replace(good, "1795428001000", "1795428009000", 1)), web.Shape, false, "without a start before it"},
		{"oldest first", false, 200, attributes(strings.NewReplacer("1795428001", "1795428101", "1795428002", "1795428102").Replace(good)), web.Shape, false, "do not come newest first"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/results") == tt.lookUp {
						_, _ = io.WriteString(w, lookUp)
						return
					}
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				answers, err := p.Fetch(ctx, []providers.Query{runsOf(`synthetics("abc-def-ghi").failed()`)})
				if tt.own {
					if err != nil || len(answers) != 1 {
						t.Fatalf("%d answers, %v; want the error in the answer", len(answers), err)
					}
					err = answers[0].Err
				}
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) {
					t.Errorf("error %v, class %v; want class %q and %q", err, e, tt.class, tt.want)
				}
			})
		})
	}
}

// A server that pays no heed to the time asked for would seem to have no older
// results.
func TestResultsThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/results") {
			_, _ = io.WriteString(w, `{"public_id":"abc-def-ghi","type":"api"}`)
			return
		}
		at := ten.Add(24 * time.Hour).UnixMilli()
		_, _ = fmt.Fprintf(w, `{"data":[{"id":"a","attributes":{"status":"passed","run_type":"scheduled","started_at":%d,"finished_at":%d}}]}`, at, at)
	})))
	answers, err := p.Fetch(t.Context(), []providers.Query{runsOf(`synthetics("abc-def-ghi").runs()`)})
	var e *web.Error
	if !errors.As(err, &e) || e.Class != web.Shape || !strings.Contains(err.Error(), "result a began at 2026-11-24T10:00:00Z, and those until 2026-11-23T10:20:00Z were asked for") {
		t.Errorf("%v, %v", answers, err)
	}
}

// A page that has not even what the one before it ended with is no end of the results.
func TestResultsThatEndTooEarly(t *testing.T) {
	t.Parallel()
	pages := 0
	p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/results") {
			_, _ = io.WriteString(w, `{"public_id":"abc-def-ghi","type":"api"}`)
			return
		}
		if pages++; pages > 1 {
			_, _ = io.WriteString(w, `{"data":[]}`)
			return
		}
		at := ten.Add(4 * time.Minute).UnixMilli()
		_, _ = fmt.Fprintf(w, `{"data":[{"id":"a","attributes":{"status":"passed","run_type":"scheduled","started_at":%d,"finished_at":%d}}]}`, at, at)
	})))
	answers, err := p.Fetch(t.Context(), []providers.Query{runsOf(`synthetics("abc-def-ghi").runs()`)})
	if !web.Passing(err) || !strings.Contains(err.Error(), "the answer is not whole: nothing until 2026-11-23T10:04:01Z") {
		t.Errorf("%v, %v", answers, err)
	}
}

// The keys go along with every request.
func TestRunsAreAskedForWithKeys(t *testing.T) {
	t.Parallel()
	l := &labs{types: map[string]string{"abc-def-ghi": "browser"}, page: 150}
	var paths []string
	p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Method+" "+r.URL.Path)
		if r.Header.Get("Dd-Api-Key") != "hunter2-api" || r.Header.Get("Dd-Application-Key") != "hunter2-app" {
			t.Errorf("headers %v", r.Header)
		}
		l.ServeHTTP(w, r)
	})))
	if _, err := p.Fetch(t.Context(), []providers.Query{runsOf(`synthetics("abc-def-ghi").runs()`)}); err != nil {
		t.Fatal(err)
	}
	want := []string{"GET /api/v1/synthetics/tests/abc-def-ghi", "GET /api/v2/synthetics/tests/browser/abc-def-ghi/results"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// One query that is faulty, or of a test that is gone, leaves the others alone.
func TestFaultyRunsAreTheirOwn(t *testing.T) {
	t.Parallel()
	l := &labs{types: map[string]string{"abc-def-ghi": "api"}, results: map[string][]result{"abc-def-ghi": {scheduled(5, "passed")}}, page: 150}
	p := open(t, providertest.Serve(t, l))
	answers, err := p.Fetch(t.Context(), []providers.Query{
		runsOf(`synthetics("abc-def-ghi").runs()`), runsOf(`synthetics("gon-egg-one").runs()`), runsOf(`synthetics(abc).runs()`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Err != nil || len(answers[0].Series) != 1 {
		t.Errorf("the good one: %v", answers[0])
	}
	for i, want := range map[int]string{1: "404 Not Found", 2: "want the runs of one test as"} {
		if err := answers[i].Err; err == nil || !strings.Contains(err.Error(), want) || len(answers[i].Series) > 0 {
			t.Errorf("query %d: %v, want %q", i, answers[i], want)
		}
	}
}

func TestDialectOfRuns(t *testing.T) {
	t.Parallel()
	failed, runs := synthetics.Queries(providers.Check{Test: "abc-def-ghi"})
	at, atRuns := synthetics.Queries(providers.Check{Test: "abc-def-ghi", Location: "pl:canary-0123"})
	started, startedRuns := synthetics.Queries(providers.Check{Test: "abc-def-ghi", Aim: &providers.Aim{
		StartURL: "https://a.example/?b=1&c", Variables: map[string]string{"HOST": `")`, "A": "1"}, Locations: []string{"aws:a"},
	}})
	own, _ := synthetics.Queries(providers.Check{Test: "abc-def-ghi", Aim: &providers.Aim{}})
	const aim = `.triggered({"start_url":"https://a.example/?b=1&c","variables":{"A":"1","HOST":"\")"},"locations":["aws:a"]})`
	want := []string{
		`synthetics("abc-def-ghi")` + aim + `.failed()`, `synthetics("abc-def-ghi")` + aim + `.runs()`, `synthetics("abc-def-ghi").triggered({}).failed()`,
		`synthetics("abc-def-ghi").failed()`, `synthetics("abc-def-ghi").runs()`,
		`synthetics("abc-def-ghi").location("pl:canary-0123").failed()`, `synthetics("abc-def-ghi").location("pl:canary-0123").runs()`,
	}
	if diff := cmp.Diff(want, []string{started, startedRuns, own, failed, runs, at, atRuns}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tt := range []struct {
		expr string
		part providers.Part
		want string // "" = none
	}{
		{failed, providers.Bad, ""},
		{runs, providers.Total, ""},
		{at, providers.Bad, ""},
		{started, providers.Bad, ""},
		{startedRuns, providers.Total, ""},
		{`synthetics("abc-def-ghi").triggered({"url":"x"}).runs()`, providers.Total, `unknown field "url"`},
		{`synthetics("abc-def-ghi").triggered({}{}).runs()`, providers.Total, "want one JSON object"},
		{`synthetics("abc-def-ghi").triggered([]).runs()`, providers.Total, "want the runs of one test"},
		{`synthetics("abc-def-ghi").location("a").triggered({}).runs()`, providers.Total, "want the runs of one test"},
		{`synthetics("abc-def-ghi").passed()`, providers.Bad, ""},
		{failed, providers.Total, "counts the failed; all runs are .runs()"},
		{runs, providers.Bad, "counts the runs"},
		{runs, providers.Value, "runs are counted; write them under checks"},
		{runs, providers.Buckets, "runs are counted"},
		{`synthetics("abc-def-ghi", "jkl-mno-pqr").runs()`, providers.Total, "want the runs of one test"},
		{`synthetics("abc-def-ghi/../x").runs()`, providers.Total, "want the runs of one test"},
		{`synthetics("abc-def-ghi")`, providers.Total, "want the runs of one test"},
		{`synthetics("abc-def-ghi").location("a b").runs()`, providers.Total, "want the runs of one test"},
	} {
		err := synthetics.Check(tt.expr, tt.part)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s as %s: %v, want %q", tt.expr, tt.part, err, tt.want)
		}
	}
}
