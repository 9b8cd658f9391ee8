package tell

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

// notebook is the request of
// https://docs.datadoghq.com/api/latest/notebooks/create-a-notebook/
type notebook struct {
	Data struct {
		Type       string `json:"type"`
		Attributes struct {
			Name  string         `json:"name"`
			Time  notebookTime   `json:"time"`
			Cells []notebookCell `json:"cells"`
		} `json:"attributes"`
	} `json:"data"`
}

type notebookTime struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Live  bool      `json:"live"`
}

type notebookCell struct {
	Type       string `json:"type"`
	Attributes struct {
		Definition any    `json:"definition"`
		GraphSize  string `json:"graph_size,omitempty"`
	} `json:"attributes"`
}

type markdownDefinition struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type timeseriesDefinition struct {
	Type     string            `json:"type"`
	Title    string            `json:"title"`
	Legend   bool              `json:"show_legend"`
	Requests []timeseriesGraph `json:"requests"`
}

type timeseriesGraph struct {
	ResponseFormat string         `json:"response_format"`
	DisplayType    string         `json:"display_type"`
	Queries        []query.Spec   `json:"queries"`
	Formulas       []namedFormula `json:"formulas"`
}

type namedFormula struct {
	Formula string `json:"formula"`
	Alias   string `json:"alias"`
}

// What a notebook can hold, in characters: its name's limit is the API's.
const (
	longestName      = 80
	longestNoteText  = 4000
	longestCellTitle = 120
)

// WritesNotebooks implements providers.NotebookWriter.
func (t *Teller) WritesNotebooks() bool { return t.options.Notebook }

// WriteNotebook implements providers.NotebookWriter.
func (t *Teller) WriteNotebook(ctx context.Context, n providers.Notebook) (string, error) {
	const doing = "write a notebook"
	body, failure := t.api.Call(ctx, doing, http.MethodPost, "/api/v1/notebooks", nil, notebookOf(n))
	if failure = api.CureForbidden(failure, "permission notebooks_write"); failure != nil {
		if failure.Class == web.BadQuery {
			failure.Cure = "please report this"
		}
		return "", failure
	}
	id, err := readNotebook(body)
	if err != nil {
		return "", t.api.Misread(doing, err)
	}
	return t.api.App() + "/notebook/" + id, nil
}

// notebookOf returns the request for a notebook: a text, and a graph for each metric whose
// queries a graph can have.
func notebookOf(n providers.Notebook) *notebook {
	var note notebook
	note.Data.Type = "notebooks"
	a := &note.Data.Attributes
	a.Name = plain(n.Title, longestName)
	a.Time = notebookTime{n.Start.UTC(), n.End.UTC(), false}
	var graphs []notebookCell
	text := n.Text
	for _, m := range n.Metrics {
		graph, ok := graphOf(m, n.Start)
		if !ok {
			text += " Without a graph here: " + m.Name + "."
			continue
		}
		cell := notebookCell{Type: "notebook_cells"}
		cell.Attributes.Definition, cell.Attributes.GraphSize = graph, "m"
		graphs = append(graphs, cell)
	}
	first := notebookCell{Type: "notebook_cells"}
	// In a block of code nothing means anything, but for what ends it.
	first.Attributes.Definition = markdownDefinition{"markdown", "```\n" + strings.ReplaceAll(plain(text, longestNoteText), "`", "'") + "\n```"}
	a.Cells = append([]notebookCell{first}, graphs...)
	return &note
}

// graphOf returns the graph of a metric, a line for each arm: its value, or its rate of bad
// events in percent. It reports false where a graph cannot have the queries: of synthetic
// tests, SLOs and APM's statistics, which are not in the graph's language.
func graphOf(m providers.NotebookMetric, start time.Time) (timeseriesDefinition, bool) {
	graph := timeseriesGraph{ResponseFormat: "timeseries", DisplayType: "line"}
	names := map[providers.Key]string{}
	complement := false
	for _, q := range m.Queries {
		language := query.LanguageOf(q.Expr)
		if language != query.Metrics && language != query.Events || q.Part == providers.Buckets {
			return timeseriesDefinition{}, false
		}
		name := string(q.Arm) + "_" + string(q.Part)
		graph.Queries = append(graph.Queries, query.SpecOf(name, q))
		// https://docs.datadoghq.com/dashboards/functions/timeshift/
		if earlier := start.Sub(q.Start); earlier > 0 {
			name = fmt.Sprintf("timeshift(%s, -%.0f)", name, earlier.Seconds())
		}
		names[q.Key()] = name
		complement = complement || q.Complement
	}
	title := m.Name
	for _, arm := range providers.Arms {
		of := func(part providers.Part) string { return names[providers.Key{Metric: m.Name, Arm: arm, Part: part}] }
		value, bad, total := of(providers.Value), of(providers.Bad), of(providers.Total)
		switch {
		case value != "":
		case bad == "" || total == "":
			return timeseriesDefinition{}, false
		case complement:
			value, title = fmt.Sprintf("100 * (1 - %s / %s)", bad, total), m.Name+", %"
		default:
			value, title = fmt.Sprintf("100 * %s / %s", bad, total), m.Name+", %"
		}
		graph.Formulas = append(graph.Formulas, namedFormula{value, string(arm)})
	}
	return timeseriesDefinition{"timeseries", plain(title, longestCellTitle), true, []timeseriesGraph{graph}}, true
}

// readNotebook reads the id of a notebook that was written.
func readNotebook(body []byte) (string, error) {
	var a struct{ Data *struct{ ID json.Number } }
	if err := json.Unmarshal(body, &a); err != nil {
		return "", fmt.Errorf("not JSON as the notebooks API answers it: %w: %s", err, body)
	}
	if a.Data == nil {
		return "", fmt.Errorf("the answer does not say that the notebook was written: %s", body)
	}
	id, err := a.Data.ID.Int64()
	if err != nil || id <= 0 {
		return "", fmt.Errorf("the answer has no id of a notebook: %s", body)
	}
	return a.Data.ID.String(), nil
}
