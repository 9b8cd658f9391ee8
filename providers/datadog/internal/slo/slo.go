package slo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

// The events that an SLO counts are asked for in a language of our own:
//
//	slo("0123456789abcdef0123456789abcdef","service:shop,version:v2").bad()
//	slo("0123456789abcdef0123456789abcdef","service:shop,version:v2").total()
//
// with the tags of the arm, which narrow every scope of the SLO's own queries. These
// travel in the request of all other queries of a look; the SLO is looked up once.

// eventsQuery says which events of an SLO to count.
type eventsQuery struct {
	id      string
	tags    []string
	counted string // bad or total
}

// syntax is a query for the events of an SLO, whose id is 32 hexadecimal digits, as in
// the examples of
// https://docs.datadoghq.com/api/latest/service-level-objectives/get-an-slos-details/
var syntax = regexp.MustCompile(`^slo\("([0-9a-f]{32})",\s*"([^"]*)"\)\.(bad|total)\(\)$`)

func parse(expr string) (eventsQuery, error) {
	m := syntax.FindStringSubmatch(strings.TrimSpace(expr))
	if m == nil {
		return eventsQuery{}, errors.New(`want the events of an SLO as slo("ID","$arm").bad() or .total(), with the 32 hexadecimal digits of its id`)
	}
	q := eventsQuery{m[1], strings.Split(m[2], ","), m[3]}
	for _, tag := range q.tags {
		if !query.IsTag(tag) {
			return eventsQuery{}, fmt.Errorf("%q is no tag of an arm; want tags as key:value, with commas between", tag)
		}
	}
	return q, nil
}

// Check returns what is wrong with a query for the events of an SLO, as the part of a metric.
func Check(expr string, part providers.Part) error {
	q, err := parse(expr)
	switch {
	case err != nil:
		return err
	case string(part) != q.counted:
		return fmt.Errorf("%s counts the %s events of an SLO; write ratio: {slo: %s}", expr, q.counted, q.id)
	}
	return nil
}

// Queries implements providers.Type.SLO.
func Queries(id string) (bad, total string) {
	q := "slo(" + strconv.Quote(id) + `,"$arm")`
	return q + ".bad()", q + ".total()"
}

// Indicators looks up what SLOs count. It remembers it, so that a change of one in the middle
// of a run changes nothing of it. It may be used by several goroutines at once.
type Indicators struct {
	api   *api.Client
	mutex sync.Mutex
	known map[string]*indicator // by the SLO's id
}

// New returns indicators that are looked up by a client.
func New(c *api.Client) *Indicators { return &Indicators{api: c} }

// indicator returns what an SLO counts.
func (s *Indicators) indicator(ctx context.Context, id string) (*indicator, *web.Error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known := s.known[id]; known != nil {
		return known, nil
	}
	doing := "look up the SLO " + id
	body, failure := s.api.Call(ctx, doing, http.MethodGet, "/api/v1/slo/"+id, nil, nil)
	if failure != nil {
		return nil, api.CureForbidden(api.CureNotFound(failure, "the SLO's id"), "permission slos_read")
	}
	o, err := readSLO(body, id)
	if err != nil {
		return nil, s.api.Misread(doing, err)
	}
	i, err := o.indicator()
	if err != nil {
		return nil, s.unfit(id, err)
	}
	if s.known == nil {
		s.known = map[string]*indicator{}
	}
	s.known[id] = i
	return i, nil
}

// unfit returns the error of an SLO that arms cannot be judged by.
func (s *Indicators) unfit(id string, err error) *web.Error {
	e := &web.Error{
		Class: web.BadQuery, Provider: api.Name, Doing: "judge by the SLO " + id, Detail: s.api.Quote(err.Error()),
		Cure: "write queries for its events instead: ratio: {bad: …, total: …}",
	}
	var u unfit
	if errors.As(err, &u) {
		e.Cure = u.cure
	}
	return e
}

// tally returns what a query for the events of an SLO adds up.
func (s *Indicators) tally(ctx context.Context, expr string) (tally, *web.Error) {
	q, err := parse(expr)
	if err != nil {
		return tally{}, &web.Error{
			Class: web.BadQuery, Provider: api.Name, Doing: "read the query", Err: err, Cure: "correct the query",
		}
	}
	i, failure := s.indicator(ctx, q.id)
	if failure != nil {
		return tally{}, failure
	}
	t, err := i.tally(q.counted).narrowed(q.tags)
	if err != nil {
		return tally{}, s.unfit(q.id, err)
	}
	return t, nil
}

// paired reports whether a query for the events of an SLO has the one for the other part of
// its metric beside it. What is known of an SLO's good events decides for both.
func paired(q providers.Query, among []providers.Query) bool {
	other, bad := strings.CutSuffix(strings.TrimSpace(q.Expr), ".bad()")
	if bad {
		other += ".total()"
	} else {
		other = strings.TrimSuffix(other, ".total()") + ".bad()"
	}
	return slices.ContainsFunc(among, func(o providers.Query) bool {
		return o.Metric == q.Metric && o.Arm == q.Arm && o.Start.Equal(q.Start) && o.End.Equal(q.End) && strings.TrimSpace(o.Expr) == other
	})
}

// Fetch answers queries of which some may be for the events of SLOs: it has fetch answer the
// others and, instead of one for an SLO, those that this adds up, all of them at once.
func (s *Indicators) Fetch(ctx context.Context, queries []providers.Query, fetch func(context.Context, []providers.Query) ([]providers.Answer, error)) ([]providers.Answer, error) {
	sent, sources, err := s.spread(ctx, queries)
	if err != nil {
		return nil, err
	}
	got, err := fetch(ctx, sent)
	if err != nil {
		return nil, err
	}
	answers := make([]providers.Answer, len(queries))
	for i, from := range sources {
		answers[i] = from.answer(queries[i], got)
	}
	return answers, nil
}

// Formula returns a query for the events of an SLO as one of metrics that has all that it adds
// up, to find out why nothing matches it.
func (s *Indicators) Formula(ctx context.Context, q providers.Query) (providers.Query, error) {
	t, failure := s.tally(ctx, q.Expr)
	if failure != nil {
		return providers.Query{}, failure
	}
	q.Expr = strings.Join(t.exprs(), " + ")
	if len(t.known) > 1 { // silent are the good events, or all
		q.Part = providers.Total
	}
	return q, nil
}

// source is where the answer to a query comes from.
type source struct {
	at    int            // place among the queries that are sent
	tally *tally         // of an SLO; nil for a query that is sent as it is
	terms map[string]int // places of the SLO's queries
	err   error
}

// spread returns the queries to send, and where the answers to the given ones come from:
// instead of one for the events of an SLO those stand that it adds up.
func (s *Indicators) spread(ctx context.Context, queries []providers.Query) ([]providers.Query, []source, error) {
	type key struct {
		providers.Key
		start, end int64
		expr       string
	}
	var sent []providers.Query
	sources := make([]source, len(queries))
	shared := map[key]int{} // between the parts of a metric
	for i, q := range queries {
		if query.LanguageOf(q.Expr) != query.SLO {
			sources[i].at = len(sent)
			sent = append(sent, q)
			continue
		}
		t, err := s.tally(ctx, q.Expr)
		switch {
		case err == nil && !paired(q, queries):
			sources[i].err = providers.Place(q, &web.Error{
				Class: web.BadQuery, Provider: api.Name, Doing: "read the query",
				Err: errors.New("the bad events of an SLO and all of them are judged together"), Cure: "write ratio: {slo: ID}",
			})
			continue
		case err == nil:
			sources[i] = source{tally: &t, terms: map[string]int{}}
		case err.Class == web.BadQuery:
			sources[i].err = providers.Place(q, err)
			continue
		default:
			return nil, nil, err
		}
		for _, expr := range t.exprs() {
			k := key{providers.Key{Metric: q.Metric, Arm: q.Arm}, q.Start.UnixNano(), q.End.UnixNano(), expr}
			if _, there := shared[k]; !there {
				shared[k] = len(sent)
				one := q
				one.Expr = expr
				sent = append(sent, one)
			}
			sources[i].terms[expr] = shared[k]
		}
	}
	return sent, sources, nil
}

// answer returns the answer to a query from those to what was sent.
func (s source) answer(q providers.Query, got []providers.Answer) providers.Answer {
	switch {
	case s.err != nil:
		return providers.Answer{Err: s.err}
	case s.tally == nil:
		return got[s.at]
	}
	points := map[string]map[time.Time]float64{}
	times := map[time.Time]bool{}
	for expr, at := range s.terms {
		if got[at].Err != nil || len(got[at].Series) > 1 {
			return got[at]
		}
		points[expr] = map[time.Time]float64{}
		for _, series := range got[at].Series {
			for _, point := range series.Points {
				if !point.Gap() {
					points[expr][point.Time], times[point.Time] = point.Value(), true
				}
			}
		}
	}
	series := analysis.Series{Step: q.Step}
	for at := range times {
		if value, known := s.tally.at(at, points); known {
			series.Points = append(series.Points, analysis.ValuePoint(at, value))
		}
	}
	if series.Points == nil {
		return providers.Answer{}
	}
	slices.SortFunc(series.Points, func(a, b analysis.Point) int { return a.Time.Compare(b.Time) })
	return providers.Answer{Series: []analysis.Series{series}}
}
