package synthetics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/web"
)

// The runs of a synthetic test are asked for in a language of our own:
//
//	synthetics("abc-def-ghi").failed()
//	synthetics("abc-def-ghi").location("aws:eu-central-1").runs()
//	synthetics("abc-def-ghi").triggered({"start_url":"https://canary.example.com"}).runs()
//
// A query is for one test, so that a test that makes no runs shows as missing
// data, and does not hide behind another one's.

// runsQuery says which runs to count.
type runsQuery struct {
	providers.Check
	counted string // failed, passed or runs
}

// runsSyntax is a query for runs. Public ids are three groups of three:
// https://docs.datadoghq.com/api/latest/synthetics/
var runsSyntax = regexp.MustCompile(`^synthetics\("([a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3})"\)` +
	`(?:\.location\("([A-Za-z0-9][A-Za-z0-9_.:-]*)"\)|\.triggered\((\{.*\})\))?\.(failed|passed|runs)\(\)$`)

func parseRuns(expr string) (runsQuery, error) {
	m := runsSyntax.FindStringSubmatch(strings.TrimSpace(expr))
	if m == nil {
		return runsQuery{}, errors.New(`want the runs of one test as synthetics("abc-def-ghi").failed(), .passed() or .runs(), with .location("aws:eu-central-1") before it for those of one location, or .triggered({…}) for those that are started`)
	}
	q := runsQuery{providers.Check{Test: m[1], Location: m[2]}, m[4]}
	if m[3] == "" {
		return q, nil
	}
	d := json.NewDecoder(strings.NewReader(m[3]))
	d.DisallowUnknownFields()
	if err := d.Decode(&q.Aim); err != nil {
		return runsQuery{}, fmt.Errorf("triggered: %w; want start_url, variables and locations as JSON", err)
	}
	if d.More() {
		return runsQuery{}, errors.New("triggered: want one JSON object")
	}
	return q, nil
}

// Check returns what is wrong with a query for runs, as the part of a metric.
func Check(expr string, part providers.Part) error {
	q, err := parseRuns(expr)
	switch {
	case err != nil:
		return err
	case part != providers.Bad && part != providers.Total:
		return errors.New("runs are counted; write them under checks, as synthetics: [abc-def-ghi]")
	case (part == providers.Total) != (q.counted == "runs"):
		return fmt.Errorf("%s counts the %s; all runs are .runs(), those that went wrong .failed()", expr, q.counted)
	}
	return nil
}

// Queries implements providers.Type.Checks.
func Queries(c providers.Check) (failed, runs string) {
	q := "synthetics(" + strconv.Quote(c.Test) + ")"
	switch {
	case c.Aim != nil:
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(c.Aim); err != nil {
			panic("datadog: " + err.Error()) // texts always encode
		}
		q += ".triggered(" + strings.TrimSpace(text.String()) + ")"
	case c.Location != "":
		q += ".location(" + strconv.Quote(c.Location) + ")"
	}
	return q + ".failed()", q + ".runs()"
}

// testKind is what a test is: api or browser, and of an API test http, multi and others.
type testKind struct{ kind, subtype string }

// testKinds remembers what each test is, for that does not change.
type testKinds struct {
	mutex sync.Mutex
	known map[string]testKind // by public id
}

// need is what queries for the runs of a test share.
type need struct {
	test     string
	from, to time.Time
}

// Runs reads the runs of synthetic tests, and starts some. It remembers what each test is,
// which batches it started, and the failed runs behind what it counted. It may be used by
// several goroutines at once.
type Runs struct {
	api     *api.Client
	tests   testKinds
	batches batches
	failed  failedRuns
}

// New returns runs that are asked for by a client.
func New(c *api.Client) *Runs { return &Runs{api: c} }

// Fetch answers queries for runs, each test and window once. An error in an answer is that
// query's own; the error returned is of all of them. It never starts a run.
func (r *Runs) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers := make([]providers.Answer, len(queries))
	fetched := map[need][]trial{}
	failures := map[need]*web.Error{}
	for i, q := range queries {
		parsed, err := parseRuns(q.Expr)
		if err != nil {
			answers[i] = providers.Answer{Err: providers.Place(q, &web.Error{
				Class: web.BadQuery, Provider: api.Name, Doing: "read the query", Err: err, Cure: "correct the query",
			})}
			continue
		}
		if parsed.Aim != nil {
			if err := r.countStarted(ctx, q, parsed, &answers[i]); err != nil {
				return nil, err
			}
			continue
		}
		n := need{parsed.Test, q.Start, q.End}
		if _, done := fetched[n]; !done && failures[n] == nil {
			trials, err := r.trials(ctx, n)
			switch {
			case err == nil:
				fetched[n] = trials
			case err.Class == web.BadQuery:
				failures[n] = err
			default:
				return nil, err
			}
		}
		if err := failures[n]; err != nil {
			answers[i] = providers.Answer{Err: providers.Place(q, err)}
			continue
		}
		answers[i] = providers.Answer{Series: parsed.count(q, fetched[n])}
		r.noteFailed(q, parsed, fetched[n])
	}
	return answers, nil
}

// counts reports whether a trial is among the query's.
func (r runsQuery) counts(q providers.Query, t trial) bool {
	return !t.finished.Before(q.Start) && t.finished.Before(q.End) && (r.Location == "" || r.Location == t.location)
}

// count lays trials on the query's steps. A trial counts in the step in which its
// first attempt finished. A step without one has no point: that no test ran is not
// that none failed.
func (r runsQuery) count(q providers.Query, trials []trial) []analysis.Series {
	ran, counts := make([]bool, q.Steps()), make([]float64, q.Steps())
	found := false
	for _, t := range trials {
		if !r.counts(q, t) {
			continue
		}
		step := int(t.finished.Sub(q.Start) / q.Step)
		ran[step], found = true, true
		if r.counted == "runs" || t.passed == (r.counted == "passed") {
			counts[step]++
		}
	}
	if !found {
		return nil
	}
	s := analysis.Series{Step: q.Step}
	for i, there := range ran {
		if there {
			s.Points = append(s.Points, analysis.ValuePoint(q.Start.Add(time.Duration(i)*q.Step).UTC(), counts[i]))
		}
	}
	return []analysis.Series{s}
}

const (
	// longestRetry is how long after a trial's first attempt its retries are looked
	// for. An attempt and the pause before it rarely take a minute, a browser test at
	// the utmost some ten: https://docs.datadoghq.com/synthetics/browser_tests/
	longestRetry = 15 * time.Minute
	// mostPages bounds the requests for a test's results, of which a page holds some
	// 150: a test each minute from ten locations is read back for a day.
	mostPages = 100
)

// trials returns the trials of a test whose first attempt may have finished in the
// window, newest results first until before the window, page by page.
func (r *Runs) trials(ctx context.Context, n need) ([]trial, *web.Error) {
	path, failure := r.resultsPath(ctx, n.test)
	if failure != nil {
		return nil, failure
	}
	doing := "read the results of the synthetic test " + n.test
	seen := map[string]bool{}
	var all []attempt
	before, oldest := n.from.Add(-longestRetry), n.to.Add(longestRetry)
	for range mostPages {
		asked := oldest.Add(time.Millisecond)
		if len(all) > 0 { // to a whole second, however exact the server is, so that what was seen last is there again
			asked = oldest.Truncate(time.Second).Add(time.Second)
		}
		body, failure := r.get(ctx, doing, path, url.Values{"to_ts": {strconv.FormatInt(asked.UnixMilli(), 10)}})
		if failure != nil {
			return nil, failure
		}
		page, err := readResults(body)
		if err != nil {
			return nil, r.api.Misread(doing, err)
		}
		if len(page) == 0 && len(all) > 0 {
			return nil, r.api.Misread(doing, fmt.Errorf("%w: nothing until %s, where there was something before", api.ErrNotWhole, asked.Format(time.RFC3339)))
		}
		more := false
		for _, a := range page {
			if a.started.After(asked) {
				return nil, r.api.Misread(doing, fmt.Errorf("result %s began at %s, and those until %s were asked for", a.id, a.started.Format(time.RFC3339), asked.Format(time.RFC3339)))
			}
			if seen[a.id] {
				continue
			}
			seen[a.id], more = true, true
			all = append(all, a)
			if !a.finished.IsZero() && a.finished.Before(oldest) {
				oldest = a.finished
			}
		}
		// How many results make a page is not promised: the end is where a page
		// brings nothing new.
		if !more || oldest.Before(before) {
			return trialsOf(all), nil
		}
	}
	return nil, r.api.Misread(doing, fmt.Errorf("more than %d pages since %s", mostPages, before.Format(time.RFC3339)))
}

// kindOf looks up what a test is, once.
func (r *Runs) kindOf(ctx context.Context, test string) (testKind, *web.Error) {
	r.tests.mutex.Lock()
	defer r.tests.mutex.Unlock()
	kind, known := r.tests.known[test]
	if known {
		return kind, nil
	}
	doing := "look up the synthetic test " + test
	body, failure := r.get(ctx, doing, "/api/v1/synthetics/tests/"+test, nil)
	if failure != nil {
		return testKind{}, failure
	}
	kind, err := readTestKind(body, test)
	if err != nil {
		return testKind{}, r.api.Misread(doing, err)
	}
	if r.tests.known == nil {
		r.tests.known = map[string]testKind{}
	}
	r.tests.known[test] = kind
	return kind, nil
}

// resultsPath returns where the results of a test are.
func (r *Runs) resultsPath(ctx context.Context, test string) (string, *web.Error) {
	kind, failure := r.kindOf(ctx, test)
	if failure != nil {
		return "", failure
	}
	switch kind.kind {
	case "api":
		return "/api/v2/synthetics/tests/" + test + "/results", nil
	case "browser":
		return "/api/v2/synthetics/tests/browser/" + test + "/results", nil
	}
	return "", &web.Error{
		Class: web.BadQuery, Provider: api.Name, Doing: "read the results of the synthetic test " + test,
		Detail: "it is of the type " + r.api.Quote(kind.kind), Cure: "name API, multistep API and browser tests",
	}
}

// get asks the synthetics API for what is there.
func (r *Runs) get(ctx context.Context, doing, path string, parameters url.Values) ([]byte, *web.Error) {
	body, failure := r.api.Call(ctx, doing, http.MethodGet, path, parameters, nil)
	return body, api.CureForbidden(api.CureNotFound(failure, "the test's public id"), "permission synthetics_read")
}

// attempt is one result: a run, or its retry.
type attempt struct {
	id                string
	location, device  string
	started, finished time.Time // finished is zero while it runs
	status            string
	runType           string
	retry             bool
	unhealthy         bool
}

// trial is a run with its retries.
type trial struct {
	location, device string
	finished         time.Time // of its first attempt
	passed           bool      // its last attempt did
	ci               bool
	last             string // id of its last attempt
}

// trialsOf puts attempts together to trials. Runs in CI may be aimed elsewhere, so
// that they tell nothing of an arm; neither do runs that came to no result, or from
// a location that is in trouble itself. A retry belongs to the latest failed trial
// before it at its place; whether it passes decides for the trial, whose time stays
// that of the first attempt, so that a step that was judged keeps what it held.
func trialsOf(all []attempt) []trial {
	slices.SortStableFunc(all, func(a, b attempt) int {
		if c := a.started.Compare(b.started); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	type place struct{ location, device string }
	var trials []trial
	latest := map[place]int{} // its place in trials
	for _, a := range all {
		if a.finished.IsZero() || a.unhealthy || a.status != "passed" && a.status != "failed" {
			continue
		}
		at := place{a.location, a.device}
		again := a.retry || a.runType == "fast"
		if i, ok := latest[at]; again && ok && !trials[i].passed && a.started.Sub(trials[i].finished) <= longestRetry {
			trials[i].passed, trials[i].last = a.status == "passed", a.id
			continue
		}
		if a.runType == "fast" && !a.retry {
			continue // a retry of something that is not there, or a try-out
		}
		latest[at] = len(trials)
		trials = append(trials, trial{a.location, a.device, a.finished, a.status == "passed", a.runType == "ci", a.id})
	}
	return slices.DeleteFunc(trials, func(t trial) bool { return t.ci })
}
