package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// notebookTime bounds the writing of a notebook.
const notebookTime = 20 * time.Second

// writeNotebooks writes a notebook of a run where its settings ask for one, and links it in
// the report. What goes wrong with that is a warning; it changes nothing about the run.
func (a *app) writeNotebooks(ctx context.Context, j judged, r *report.Report) {
	for _, name := range slices.Sorted(maps.Keys(j.sources)) {
		to, ok := providers.AsNotebookWriter(j.sources[name])
		if !ok {
			continue
		}
		service := j.config.Service
		if service == "" {
			service = "the canary"
		}
		n := providers.Notebook{
			Title: fmt.Sprintf("%s: %s, %s", strings.ToUpper(r.Verdict), service, r.Window.End.UTC().Format("2006-01-02 15:04 UTC")),
			Text:  r.Reason, Start: r.Window.Start, End: r.Window.End,
		}
		for _, q := range job.Queries(j.config, n.Start, n.End)[name] {
			at := slices.IndexFunc(n.Metrics, func(m providers.NotebookMetric) bool { return m.Name == q.Metric })
			if at < 0 {
				at = len(n.Metrics)
				n.Metrics = append(n.Metrics, providers.NotebookMetric{Name: q.Metric})
			}
			n.Metrics[at].Queries = append(n.Metrics[at].Queries, q)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notebookTime)
		address, err := to.WriteNotebook(ctx, n)
		cancel()
		if err != nil {
			a.complain(fmt.Errorf("the notebook could not be written: %w", err))
			continue
		}
		r.Generated.Notebooks = append(r.Generated.Notebooks, report.Page{Name: "Notebook of this run in " + name, URL: address})
	}
}
