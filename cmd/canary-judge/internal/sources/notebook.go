package sources

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// notebookTime bounds the writing of a notebook.
const notebookTime = 20 * time.Second

// writeNotebooks writes a notebook of a run where the settings of a source ask for one, and
// links it in the report.
func (s Sources) writeNotebooks(ctx context.Context, r *report.Report) {
	if s.DryRun {
		return
	}
	for _, name := range s.names() {
		to, ok := providers.AsNotebookWriter(s.Providers[name])
		if !ok {
			continue
		}
		var address string
		written := s.write(ctx, notebookTime, "the notebook could not be written", func(ctx context.Context) (err error) {
			address, err = to.WriteNotebook(ctx, s.notebook(name, r))
			return err
		})
		if written {
			r.Generated.Notebooks = append(r.Generated.Notebooks, report.Page{Name: "Notebook of this run in " + name, URL: address})
		}
	}
}

// notebook is what a notebook in a source says: the verdict, and the queries of each metric
// that come from there.
func (s Sources) notebook(source string, r *report.Report) providers.Notebook {
	n := providers.Notebook{
		Title: fmt.Sprintf("%s: %s, %s", strings.ToUpper(r.Verdict), s.service(), r.Window.End.UTC().Format("2006-01-02 15:04 UTC")),
		Text:  r.Reason, Start: r.Window.Start, End: r.Window.End,
	}
	for _, q := range job.Queries(s.Config, n.Start, n.End)[source] {
		at := slices.IndexFunc(n.Metrics, func(m providers.NotebookMetric) bool { return m.Name == q.Metric })
		if at < 0 {
			at = len(n.Metrics)
			n.Metrics = append(n.Metrics, providers.NotebookMetric{Name: q.Metric})
		}
		n.Metrics[at].Queries = append(n.Metrics[at].Queries, q)
	}
	return n
}
