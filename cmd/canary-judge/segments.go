package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// segmentsTime is how far back the segments of a run are looked for: what has had no request
// for so long has hardly any in the run.
const segmentsTime = time.Hour

// segments returns the values of a label that are to be judged each by itself, those with the most requests
// first, and says which they are. A run that is resumed goes on with those that it has.
func (a *app) segments(ctx context.Context, o *options, provider string, settings any, label string, queries []providers.Query) ([]string, error) {
	if o.resume {
		values, err := recordedSegments(o.record, label, queries)
		if err != nil || len(values) > 0 {
			return values, err
		}
	}
	p, err := a.openOne(provider, settings)
	if err != nil {
		return nil, err
	}
	end := time.Now()
	if o.end != "" {
		if end, err = moment("--end", o.end, end); err != nil {
			return nil, err
		}
	}
	for i := range queries {
		queries[i].End = end.UTC().Truncate(queries[i].Step)
		queries[i].Start = queries[i].End.Add(-max(segmentsTime, queries[i].Step).Truncate(queries[i].Step))
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	found, err := providers.Segments(ctx, p, label, queries)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("%s does not tell the values of %s; write those that are segments", provider, label)
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b providers.Segment) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.Value, b.Value))
	})
	values := make([]string, len(found))
	for i, s := range found {
		values[i] = s.Value
	}
	if len(values) > 0 {
		fmt.Fprintln(a.stderr, report.Clean(fmt.Sprintf("segments of %s: %s", label, strings.Join(values, ", "))))
	}
	return values, nil
}

// recordedSegments returns the values of a label that a recording has metrics of queries in; none without
// a recording.
func recordedSegments(path, label string, queries []providers.Query) ([]string, error) {
	r, err := recording.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // told where it is resumed
	}
	if err != nil {
		return nil, err
	}
	c, err := config.Parse("the recording's config", r.Header.Config, config.Options{Types: types(), Literal: true})
	if err != nil {
		return nil, fmt.Errorf("the config in the recording is not valid here:\n%w", err)
	}
	var values []string
	for _, m := range c.Metrics {
		asked := slices.ContainsFunc(queries, func(q providers.Query) bool { return q.Metric == m.Of })
		if asked && m.Segment.Name == label && !slices.Contains(values, m.Segment.Value) {
			values = append(values, m.Segment.Value)
		}
	}
	return values, nil
}
