package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// What a guard said stands in every format that people read, and breaks out of none.
func TestGuardsAreTold(t *testing.T) {
	t.Parallel()
	r := &Report{
		Verdict: "fail", Reason: "FAIL after 6 of 30 min: a guard alerts", Window: Window{Looks: 12, Steps: 60, Step: 30},
		Guards: []Guard{{Name: "monitor 12345", State: "alert", Detail: "<b>disk</b> is full", Link: "https://app.datadoghq.com/monitors/12345"}},
	}
	for format, c := range map[string]struct {
		write func(io.Writer) error
		want  string
	}{
		"text":     {func(w io.Writer) error { return r.Text(w, false, 0) }, "monitor 12345 <b>disk</b> is full: https://app.datadoghq.com/monitors/12345"},
		"markdown": {r.Markdown, "monitor 12345 &lt;b&gt;disk&lt;/b&gt; is full"},
		"html":     {r.HTML, "monitor 12345 &lt;b&gt;disk&lt;/b&gt; is full"},
		"json":     {r.JSON, `"name": "monitor 12345"`},
	} {
		var b bytes.Buffer
		if err := c.write(&b); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s (%v) lacks %q:\n%.2000s", format, err, c.want, b.String())
		}
	}
}
