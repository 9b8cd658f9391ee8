package prometheus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"golang.org/x/sync/errgroup"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// queryLabel marks the series of each query of a batch by its place in it.
const queryLabel = "canary_judge_query"

const (
	// mostBytes is how long the expression of a batch may be. Prometheus has no limit,
	// VictoriaMetrics one of 16 KiB (-search.maxQueryLen), which is learnt by its refusal.
	mostBytes = 64 << 10
	// mostBatchPoints bounds what one batch answers for: queries times steps.
	mostBatchPoints = 50_000
)

// batches is what a server has taught about batches: several queries sent as one expression.
type batches struct {
	mu    sync.Mutex
	bytes int             // how long the next may be; what was too much once is not tried again
	alone map[string]bool // expressions that stand in no batch
	empty map[string]bool // expressions that had nothing in a batch, and nothing by themselves
}

func newBatches() *batches {
	return &batches{bytes: mostBytes, alone: map[string]bool{}, empty: map[string]bool{}}
}

// limit returns how long a batch may be now.
func (b *batches) limit() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// learn draws the lesson of a batch that the server refused and whose halves it answered: what
// failed by itself stands alone from now on; if nothing did, the batch was too long.
func (b *batches) learn(refused *batch, failed func(n int) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sound := true
	for n, expr := range refused.exprs {
		if failed(n) {
			b.alone[expr], sound = true, false
		}
	}
	switch {
	case !sound:
	case len(refused.exprs) == 2:
		b.alone[refused.exprs[0]], b.alone[refused.exprs[1]] = true, true
	default:
		b.bytes = min(b.bytes, refused.bytes/2)
	}
}

// shorten has batches be a part as long as one that the server did not answer.
func (b *batches) shorten(unanswered *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes = min(b.bytes, unanswered.bytes) / 4
}

// doubted reports whether it is to be seen yet that an expression without series has none by itself either.
func (b *batches) doubted(expr string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.empty[expr]
}

// seen notes what an expression that had nothing in a batch had by itself.
func (b *batches) seen(expr string, a providers.Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.Err == nil && len(a.Series) == 0 {
		b.empty[expr] = true
	} else {
		b.alone[expr] = true
	}
}

// isApart reports whether an expression is asked for by itself.
func (b *batches) isApart(expr string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alone[expr]
}

// expression is what a query is asked for by.
func expression(q providers.Query) string {
	if q.Part == providers.Buckets {
		return withSeriesCount(q.Expr)
	}
	return q.Expr
}

// batch is what is asked for by one request: queries that share a window.
type batch struct {
	exprs []string // what is asked for, each once
	at    [][]int  // the places of the queries that ask for it
	bytes int      // of the expression, about
}

// overhead is what an expression is longer by in a batch.
const overhead = len("(label_replace((\n),\"\",\"999\",\"\",\"\")\nor\n)") + len(queryLabel)

// add adds an expression that is asked for at some places.
func (b *batch) add(expr string, at []int) {
	b.exprs, b.at, b.bytes = append(b.exprs, expr), append(b.at, at), b.bytes+len(expr)+overhead
}

// query returns the expression of the batch: each one's series, marked by its place.
func (b *batch) query() string {
	if len(b.exprs) == 1 {
		return b.exprs[0]
	}
	marked := make([]string, len(b.exprs))
	for i, expr := range b.exprs {
		// A line of its own ends a comment.
		marked[i] = fmt.Sprintf("label_replace((%s\n), %q, \"%d\", \"\", \"\")", expr, queryLabel, i)
	}
	return alternatives(marked)
}

// alternatives joins expressions by or, so that none stands deep within others.
func alternatives(exprs []string) string {
	switch n := len(exprs); n {
	case 1:
		return exprs[0]
	case 2:
		return exprs[0] + "\nor\n" + exprs[1]
	default:
		return "(" + alternatives(exprs[:n/2]) + ")\nor\n(" + alternatives(exprs[n/2:]) + ")"
	}
}

// halves divides a batch of several expressions.
func (b *batch) halves() []*batch {
	var both []*batch
	for _, part := range [][2]int{{0, len(b.exprs) / 2}, {len(b.exprs) / 2, len(b.exprs)}} {
		half := &batch{}
		for i := part[0]; i < part[1]; i++ {
			half.add(b.exprs[i], b.at[i])
		}
		both = append(both, half)
	}
	return both
}

// singles divides a batch into its expressions.
func (b *batch) singles() []*batch {
	all := make([]*batch, len(b.exprs))
	for i := range b.exprs {
		all[i] = &batch{}
		all[i].add(b.exprs[i], b.at[i])
	}
	return all
}

// asked is what queries of one batch share.
type asked struct {
	start, end time.Time
	step       time.Duration
}

// batched divides queries into as few batches as can be.
func (p *Provider) batched(queries []providers.Query) []*batch {
	var all []*batch
	open, known := map[asked]*batch{}, map[asked]map[string]int{}
	for i, q := range queries {
		expr, window := expression(q), asked{q.Start, q.End, q.Step}
		if e, err := parse(expr); err != nil || isScalar(e) || p.batches.isApart(expr) {
			one := &batch{}
			one.add(expr, []int{i})
			all = append(all, one)
			continue
		}
		b := open[window]
		if b != nil {
			if n, there := known[window][expr]; there {
				b.at[n] = append(b.at[n], i)
				continue
			}
		}
		if b == nil || b.bytes+len(expr)+overhead > p.batches.limit() || (len(b.exprs)+1)*q.Steps() > mostBatchPoints {
			b = &batch{}
			open[window], known[window] = b, map[string]int{}
			all = append(all, b)
		}
		known[window][expr] = len(b.exprs)
		b.add(expr, []int{i})
	}
	return all
}

// isScalar reports whether an expression is a number, which has no labels that could mark it.
func isScalar(e metricsql.Expr) bool {
	switch e := e.(type) {
	case *metricsql.NumberExpr, *metricsql.StringExpr:
		return true
	case *metricsql.FuncExpr:
		return slices.Contains([]string{"scalar", "time", "pi"}, strings.ToLower(e.Name))
	case *metricsql.BinaryOpExpr:
		return isScalar(e.Left) && isScalar(e.Right)
	}
	return false
}

// fetchBatch answers the queries of a batch at their places. Where the server does not answer a batch as it
// should, its queries are asked for in smaller ones and at last by themselves, so that each
// has the answer, and the error, that it has alone.
func (p *Provider) fetchBatch(ctx context.Context, b *batch, queries []providers.Query, answers []providers.Answer) error {
	if len(b.exprs) == 1 {
		return p.fetchSingle(ctx, b, queries, answers)
	}
	err := p.fetchTogether(ctx, b, queries, answers)
	if err == nil {
		return nil
	}
	var e *web.Error
	switch {
	case ctx.Err() != nil, !errors.As(err, &e):
		return err
	case e.Class == web.Limit, e.Class == web.Settings:
		return err
	case !own(err):
		// The server is in trouble, or a batch is too much for it. The first query tells
		// which; were it asked for with all others, a server in trouble would be asked by each.
		p.batches.shorten(b)
		singles := b.singles()
		if err := p.fetchSingle(ctx, singles[0], queries, answers); err != nil {
			return err
		}
		return p.fetchSingles(ctx, singles[1:], queries, answers, func(*batch) {})
	}
	for _, half := range b.halves() {
		if err := p.fetchBatch(ctx, half, queries, answers); err != nil {
			return err
		}
	}
	p.batches.learn(b, func(n int) bool { return answers[b.at[n][0]].Err != nil })
	return nil
}

// fetchSingles answers the queries of expressions by a request each, some at once, and calls done after each.
func (p *Provider) fetchSingles(ctx context.Context, singles []*batch, queries []providers.Query, answers []providers.Answer, done func(*batch)) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(concurrent)
	for _, one := range singles {
		group.Go(func() error {
			err := p.fetchSingle(groupCtx, one, queries, answers)
			if err == nil {
				done(one)
			}
			return err
		})
	}
	return group.Wait()
}

// fetchSingle answers the queries of one expression.
func (p *Provider) fetchSingle(ctx context.Context, b *batch, queries []providers.Query, answers []providers.Answer) error {
	for _, i := range b.at[0] {
		series, err := p.fetch(ctx, queries[i])
		if err != nil && !own(err) {
			return err
		}
		answers[i] = answer(queries[i], series, err)
	}
	return nil
}

// own reports whether an error concerns one query alone, and not the server or the
// credentials.
func own(err error) bool {
	var e *web.Error
	return errors.As(err, &e) && (e.Class == web.BadQuery || e.Class == web.Shape)
}

// answer returns the answer to a query; an error says of which.
func answer(q providers.Query, series []analysis.Series, err error) providers.Answer {
	if err != nil {
		return providers.Answer{Err: providers.Place(q, err)}
	}
	return providers.Answer{Series: series}
}

// fetchTogether answers a batch by one request for each part of its window.
func (p *Provider) fetchTogether(ctx context.Context, b *batch, queries []providers.Query, answers []providers.Answer) error {
	first := queries[b.at[0][0]]
	collected := map[int][]analysis.Series{}
	failed := map[int]error{}
	for from, to := range first.Windows(mostPoints) {
		body, err := p.request(ctx, b.query(), first.Step, from.Add(first.Step), to)
		if err != nil {
			return err
		}
		rows, err := readRows(body)
		if err != nil {
			return p.misread(err)
		}
		shares, err := shared(rows, len(b.exprs))
		if err != nil {
			return p.misread(err)
		}
		for n, rows := range shares {
			for _, i := range b.at[n] {
				series, err := rowSeries(rows, queries[i])
				if err != nil && failed[i] == nil {
					failed[i] = p.misread(err)
				}
				collected[i] = join(collected[i], series)
			}
		}
	}
	var doubted []*batch
	for n, one := range b.singles() {
		for _, i := range b.at[n] {
			sortSeries(collected[i])
			answers[i] = answer(queries[i], collected[i], failed[i])
		}
		if a := answers[b.at[n][0]]; a.Err == nil && len(a.Series) == 0 && p.batches.doubted(one.exprs[0]) {
			doubted = append(doubted, one)
		}
	}
	return p.confirm(ctx, doubted, queries, answers)
}

// confirm asks for expressions that had nothing in a batch by themselves, once: no errors may mean that all is
// well, so that a server which loses a part of a batch must not be taken for one that has none.
func (p *Provider) confirm(ctx context.Context, doubted []*batch, queries []providers.Query, answers []providers.Answer) error {
	return p.fetchSingles(ctx, doubted, queries, answers, func(one *batch) { p.batches.seen(one.exprs[0], answers[one.at[0][0]]) })
}

// shared divides the rows of an answer among the expressions of its batch, and takes their
// marks off.
func shared(rows []row, exprs int) ([][]row, error) {
	shares := make([][]row, exprs)
	for _, r := range rows {
		text, marked := r.Metric[queryLabel]
		n, err := strconv.Atoi(text)
		if !marked || err != nil || n < 0 || n >= exprs {
			return nil, fmt.Errorf("a series of a batch has %s=%q, which marks none of its queries", queryLabel, text)
		}
		delete(r.Metric, queryLabel)
		shares[n] = append(shares[n], r)
	}
	return shares, nil
}
