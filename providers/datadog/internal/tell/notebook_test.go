package tell

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

// begin is the start of the window of these tests: 2026-11-23T10:00:00Z is 1795428000.
var begin = time.UnixMilli(1795428000000).UTC()

// written returns a notebook as it is sent.
func written(t *testing.T, n providers.Notebook) map[string]any {
	t.Helper()
	text, err := json.Marshal(notebookOf(n))
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	if err := json.Unmarshal(text, &sent); err != nil {
		t.Fatal(err)
	}
	return sent
}

// What is sent has the fields of
// https://docs.datadoghq.com/api/latest/notebooks/create-a-notebook/
func TestNotebook(t *testing.T) {
	t.Parallel()
	end := begin.Add(30 * time.Minute)
	ask := func(metric string, arm providers.Arm, part providers.Part, expr string) providers.Query {
		return providers.Query{Metric: metric, Arm: arm, Part: part, Expr: expr, Start: begin, End: end, Step: 30 * time.Second}
	}
	var queries [2][]providers.Query
	for i, arm := range providers.Arms {
		v := string(arm[:1])
		good := ask("availability", arm, providers.Bad, "sum:good{v:"+v+"}.as_count()")
		good.Complement = true
		p95 := ask("latency", arm, providers.Value, "p95:x{v:"+v+"}")
		if arm == providers.Baseline {
			p95.Start, p95.End = p95.Start.Add(-time.Hour), p95.End.Add(-time.Hour)
		}
		queries[i] = []providers.Query{
			good, ask("availability", arm, providers.Total, "sum:all{v:"+v+"}.as_count()"), p95,
			ask("lines", arm, providers.Bad, `logs("status:error v:`+v+`").index("main").rollup("count")`), ask("lines", arm, providers.Total, `logs("v:`+v+`").rollup("count")`),
			ask("journey", arm, providers.Bad, `synthetics("abc-def-ghi").failed()`),
		}
	}
	both := func(from, to int) []providers.Query {
		return append(append([]providers.Query(nil), queries[0][from:to]...), queries[1][from:to]...)
	}
	got := written(t, providers.Notebook{
		Title: "FAIL: shop " + strings.Repeat("x", 100), Text: "@everyone look: ``` # no title", Start: begin, End: end,
		Metrics: []providers.NotebookMetric{{Name: "availability", Queries: both(0, 2)}, {Name: "latency", Queries: both(2, 3)}, {Name: "lines", Queries: both(3, 5)}, {Name: "journey", Queries: both(5, 6)}},
	})
	graph := func(title, queries, baseline, canary string) string {
		return `{"type":"notebook_cells","attributes":{"graph_size":"m","definition":{"type":"timeseries","title":"` + title + `","show_legend":true,"requests":[
			{"response_format":"timeseries","display_type":"line","queries":[` + queries + `],"formulas":[{"formula":"` + baseline + `","alias":"baseline"},{"formula":"` + canary + `","alias":"canary"}]}]}}}`
	}
	metric := func(name, query string) string {
		return `{"name":"` + name + `","data_source":"metrics","query":"` + query + `"}`
	}
	events := func(name, search, index string) string {
		return `{"name":"` + name + `","data_source":"logs","search":{"query":"` + search + `"}` + index + `,"compute":{"aggregation":"count","interval":30000}}`
	}
	const main = `,"indexes":["main"]`
	cells := []string{
		`{"type":"notebook_cells","attributes":{"definition":{"type":"markdown","text":"` + "```" + `\n(at)everyone look: ''' # no title Without a graph here: journey.\n` + "```" + `"}}}`,
		graph("availability, %", strings.Join([]string{
			metric("baseline_bad", "sum:good{v:b}.as_count()"), metric("baseline_total", "sum:all{v:b}.as_count()"),
			metric("canary_bad", "sum:good{v:c}.as_count()"), metric("canary_total", "sum:all{v:c}.as_count()"),
		}, ","), "100 * (1 - baseline_bad / baseline_total)", "100 * (1 - canary_bad / canary_total)"),
		graph("latency", metric("baseline_value", "p95:x{v:b}")+","+metric("canary_value", "p95:x{v:c}"), "timeshift(baseline_value, -3600)", "canary_value"),
		graph("lines, %", strings.Join([]string{
			events("baseline_bad", "status:error v:b", main), events("baseline_total", "v:b", ""),
			events("canary_bad", "status:error v:c", main), events("canary_total", "v:c", ""),
		}, ","), "100 * baseline_bad / baseline_total", "100 * canary_bad / canary_total"),
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(`{"data":{"type":"notebooks","attributes":{
		"name":"FAIL: shop `+strings.Repeat("x", 68)+`…",
		"time":{"start":"`+begin.Format(time.RFC3339)+`","end":"`+end.Format(time.RFC3339)+`","live":false},
		"cells":[`+strings.Join(cells, ",")+`]}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Whatever a server says, a notebook is there only if it has an id; and whatever a run says,
// nothing in its text ends the block that it stands in, and its name is not too long.
func FuzzNotebook(f *testing.F) {
	f.Add([]byte(`{"data":{"id":123456,"type":"notebooks"}}`), "FAIL ``` @you")
	f.Add([]byte(`{"data":{"id":"7"}}`), "")
	f.Add([]byte(`{"data":{"id":-1}}`), "\n```\n# x")
	f.Fuzz(func(t *testing.T, body []byte, said string) {
		if id, err := readNotebook(body); (err == nil) != (id != "") {
			t.Errorf("%q, %v", id, err)
		}
		a := written(t, providers.Notebook{Title: said, Text: said})["data"].(map[string]any)["attributes"].(map[string]any)
		if name := a["name"].(string); len([]rune(name)) > 80 || strings.Contains(name, "@") {
			t.Errorf("the name %q", name)
		}
		text := a["cells"].([]any)[0].(map[string]any)["attributes"].(map[string]any)["definition"].(map[string]any)["text"].(string)
		inside := strings.TrimSuffix(strings.TrimPrefix(text, "```\n"), "\n```")
		if len(inside) != len(text)-8 || strings.ContainsAny(inside, "`@\n\r") {
			t.Errorf("the text %q", text)
		}
	})
}
