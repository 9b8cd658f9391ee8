package recording_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func TestCSV(t *testing.T) {
	t.Parallel()
	// Columns in any order and case, spaces, quotes, times of all kinds, 1795428000
	// being 2026-11-23T10:00:00Z.
	r, err := read(lines(
		`Metric,arm,"TIME", value,total`,
		`errors,canary,2026-11-23T10:00:00Z,3,912`,
		`errors,baseline,1795428000,1,900`,
		`errors,canary,2026-11-23T11:00:30+01:00,0,0`,
		`errors,canary,1795428060.5,,850`, // no value is a gap, whatever the total
		`errors,canary,1795428090,,`,
		`"p95, ""all"" routes",canary,1795428000, 0.25 ,`,
		`"p95, ""all"" routes",canary,1795428030,,`,
		`"p95, ""all"" routes",canary,1795428060,0,`,
		`"p95, ""all"" routes",canary,1795428090,-1e-3,`,
		``,
		`"p95, ""all"" routes",canary,1795428120.9999,7,`,
	))
	if err != nil {
		t.Fatal(err)
	}
	half := at(60, nan)
	half.Time = half.Time.Add(500e6)
	for _, tt := range []struct {
		metric string
		part   providers.Part
		want   []analysis.Point
	}{
		{"errors", providers.Bad, []analysis.Point{at(0, 3), at(30, 0), half, at(90, nan)}},
		{"errors", providers.Total, []analysis.Point{at(0, 912), at(30, 0), half, at(90, nan)}},
		{`p95, "all" routes`, providers.Value, []analysis.Point{at(0, 0.25), at(30, nan), at(60, 0), at(90, -1e-3), at(121, 7)}},
	} {
		if diff := cmp.Diff(tt.want, held(t, r, tt.metric, tt.part), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s of %s (-want +got)\n%s", tt.part, tt.metric, diff)
		}
	}
	if r.Header.Format != recording.Format || !r.Judged.IsZero() || r.Header.Window != nil {
		t.Errorf("header %v, judged %s", r.Header, r.Judged)
	}
}

func TestCSVWithoutTotals(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no column":         "time,metric,arm,value\n1795428000,p95,canary,7\n",
		"byte order mark":   "\ufefftime,metric,arm,value\n1795428000,p95,canary,7\n",
		"quotes after it":   "\ufeff\"time\",\"metric\",\"arm\",\"value\"\n\"1795428000\",\"p95\",\"canary\",\"7\"\n",
		"Windows":           "time,metric,arm,value\r\n1795428000,p95,canary,7\r\n",
		"no end of a line":  "time,metric,arm,value\n1795428000,p95,canary,7",
		"compressed":        zip(t, "time,metric,arm,value\n1795428000,p95,canary,7\n"),
		"an empty column":   "time,metric,arm,value,total\n1795428000,p95,canary,7,\n",
		"a metric in lines": "time,metric,arm,value\n1795428000,\"p95\",canary,7\n1795428000,\"two\nlines\",canary,8\n",
	} {
		r, err := read(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]analysis.Point{at(0, 7)}, held(t, r, "p95", providers.Value)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestBadCSV(t *testing.T) {
	t.Parallel()
	const head = "time,metric,arm,value,total\n1795428000,p95,canary,7,\n"
	for _, tt := range []struct{ name, text, want string }{
		{"a missing column", "time,metric,value\n", "line 1: the column arm is missing; the columns are time, metric, arm, value, total"},
		{"several missing columns", "value\n", "line 1: the column time and metric and arm is missing"},
		{"an unknown column", "time,metric,arm,value,unit\n", `line 1: "unit" is no column of a recording; the columns are`},
		{"a column twice", "time,metric,arm,value,VALUE\n", "line 1: the column value is there twice"},
		{"totals twice", "time,metric,arm,value,total,total\n", "line 1: the column total is there twice"},
		{"semicolons", "time;metric;arm;value\n", `"time;metric;arm;value" is no column`},
		{"only a header", "time,metric,arm,value\n", "there is no row after the header"},
		{"a short row", head + "1795428030,p95,canary\n", "line 3: wrong number of fields"},
		{"a long row", head + "1795428030,p95,canary,1,2,3\n", "line 3: wrong number of fields"},
		{"a quote in the middle", head + "1795428030,p9\"5,canary,1,\n", "line 3, column 14: bare"},
		{"a quote without end", head + "\"1795428030,p95,canary,1,\n", "extraneous or missing"},
		{"no metric", head + "1795428030,,canary,1,\n", "line 3: metric is empty"},
		{"another arm", head + "1795428030,p95,Canary,1,\n", `line 3: arm is "Canary"; want baseline or canary`},
		{"no time", head + ",p95,canary,1,\n", `line 3: time is ""; want RFC 3339 (2026-11-23T10:00:00Z) or seconds since the epoch`},
		{"a time that is none", head + "noon,p95,canary,1,\n", `time is "noon"`},
		{"a local time", head + "2026-11-23 10:00:30,p95,canary,1,\n", `time is "2026-11-23 10:00:30"`},
		{"milliseconds", head + "1795428030000,p95,canary,1,\n", `time is "1795428030000"`},
		{"a number of steps", head + "17,p95,canary,1,\n", `time is "17"`},
		{"a time of NaN", head + "NaN,p95,canary,1,\n", `time is "NaN"`},
		{"an infinite time", head + "Inf,p95,canary,1,\n", `time is "Inf"`},
		{"a time of another millennium", head + "2600-01-01T00:00:00Z,p95,canary,1,\n", "line 3: metric \"p95\", canary: 2600-01-01T00:00:00Z is no time of a measurement"},
		{"a value that is none", head + "1795428030,p95,canary,fast,\n", `line 3: value is "fast"; want a finite number, or nothing for a gap`},
		{"a value of NaN", head + "1795428030,p95,canary,NaN,\n", `value is "NaN"; want a finite number, or nothing for a gap`},
		{"an infinite value", head + "1795428030,p95,canary,-Inf,\n", `value is "-Inf"; want a finite number`},
		{"a value beyond all", head + "1795428030,p95,canary,1e999,\n", `value is "1e999"; want a finite number`},
		{"a decimal comma", head + "1795428030,p95,canary,\"0,5\",\n", `value is "0,5"; want a finite number`},
		{"a total of NaN", head + "1795428030,errors,canary,1,nan\n", `total is "nan"; want a finite number`},
		{"a point twice", head + "1795428000,p95,canary,1,\n", `line 3: metric "p95", canary: a second point at 2026-11-23T10:00:00Z`},
		{"time backwards", head + "1795427970,p95,canary,1,\n", "line 3: metric \"p95\", canary: 2026-11-23T09:59:30Z comes after 2026-11-23T10:00:00Z: time goes backwards"},
		{"totals in some rows", head + "1795428030,p95,canary,1,2\n", `line 2: metric "p95" has totals in other rows; this one lacks it`},
		{"totals in one arm", head + "1795428000,p95,baseline,1,2\n", `line 2: metric "p95" has totals in other rows; this one lacks it`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := read(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %v; want an error with %q", r, err, tt.want)
			}
		})
	}
}
