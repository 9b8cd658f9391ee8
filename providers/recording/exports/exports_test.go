package exports_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/providers/recording/exports"
)

// one reads one file with both arms.
func one(format exports.Format, text string, o exports.Options) (*recording.Recording, error) {
	return exports.Read(format, []exports.File{{Name: "file", Content: strings.NewReader(text)}}, o)
}

// two reads a file for each arm.
func two(format exports.Format, baseline, canary string, o exports.Options) (*recording.Recording, error) {
	return exports.Read(format, []exports.File{
		{Name: "old", Content: strings.NewReader(baseline), Arm: providers.Baseline},
		{Name: "new", Content: strings.NewReader(canary), Arm: providers.Canary},
	}, o)
}

// shown lists points as texts, a gap as "gap".
func shown(r *recording.Recording) []string {
	var all []string
	for p := range r.Points() {
		text := fmt.Sprintf("%s %s %s ", p.Time.Format("15:04:05"), p.Metric, p.Arm)
		switch h := p.Sample.Buckets(); {
		case p.Sample.Gap():
			text += "gap"
		case p.Kind == recording.Histograms:
			for i, n := range h.Counts {
				if n > 0 {
					text += fmt.Sprintf("[%g to %g]x%g", h.Bounds[i-1], h.Bounds[i], n)
				}
			}
		case p.Kind == recording.Counts:
			text += fmt.Sprintf("%g of %g", p.Sample.Bad(), p.Sample.Total())
		default:
			text += fmt.Sprint(p.Sample.Value())
		}
		all = append(all, text)
	}
	return all
}

// 1795622400 is 2026-11-25T16:00:00Z.
var byName = exports.Options{Baseline: "* baseline", Canary: "* canary"}

const (
	k6Head  = "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata\n"
	jtlHead = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"
	locHead = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,100%,Total Request Count,Total Failure Count\n"
)

func k6Row(metric, at, value, status, tags string) string {
	return metric + "," + at + "," + value + ",,,,true,,GET,http://a/,HTTP/1.1,default,," + status + ",,,http://a/," + tags + ",\n"
}

func jtlRow(at, elapsed, label, success string) string {
	return at + "," + elapsed + "," + label + ",200,OK,tg 1-1,text," + success + ",,1200,120,1,1,http://a/,44,0,2\n"
}

// TestFormats reads made-up files in the formats that the package's sources describe.
// The expected points were worked out by hand.
func TestFormats(t *testing.T) {
	t.Parallel()
	both := func(format exports.Format, text string, o exports.Options) func() (*recording.Recording, error) {
		return func() (*recording.Recording, error) { return one(format, text, o) }
	}
	each := func(format exports.Format, baseline, canary string, o exports.Options) func() (*recording.Recording, error) {
		return func() (*recording.Recording, error) { return two(format, baseline, canary, o) }
	}
	for _, tt := range []struct {
		name  string
		read  func() (*recording.Recording, error)
		want  []string
		notes []string // parts of all notes
	}{
		{
			"Grafana, a column a series", both(exports.Grafana,
				"\"Time\",\"errors baseline\",\"errors canary\",\"cpu\"\r\n2026-11-25 16:00:00,0.0123,0.0131,3\r\n2026-11-25 16:01:00,,No data,4\r\n", byName),
			[]string{"16:00:00 errors baseline 0.0123", "16:01:00 errors baseline gap", "16:00:00 errors canary 0.0131", "16:01:00 errors canary gap"},
			[]string{"taken for UTC", `"No data" were taken for gaps`, `neither arm, left out: "cpu"`},
		},
		{
			"Grafana, a column a series with labels", both(exports.Grafana,
				"\"Time\",\"{service=\"\"discounts\"\", code=\"\"500\"\"}\",\"{service=\"\"discounts-canary\"\", code=\"\"500\"\"}\"\n1795622400000,12,13\n1795622460000,11,14\n",
				exports.Options{Baseline: "service=discounts", Canary: "service=discounts-canary"}),
			[]string{
				`16:00:00 {code="500"} baseline 12`, `16:01:00 {code="500"} baseline 11`,
				`16:00:00 {code="500"} canary 13`, `16:01:00 {code="500"} canary 14`,
			},
			[]string{"milliseconds since the epoch"},
		},
		{
			"Grafana 6, a row a value, with decimal commas", both(exports.Grafana,
				"Series;Time;Value\nerrors baseline;2026-11-25T16:00:00.000Z;1,5\nerrors baseline;2026-11-25T16:01:00.000Z;null\nerrors canary;2026-11-25T17:00:00.000+01:00;1.200,25\n", byName),
			[]string{"16:00:00 errors baseline 1.5", "16:01:00 errors baseline gap", "16:00:00 errors canary 1200.25"},
			[]string{"taken for the decimal one", `"null" were taken for gaps`, "1 of 2 times in common"},
		},
		{
			"Grafana, for Excel, a file for each arm, with units", each(exports.Grafana,
				"sep=,\n\"Time\",\"Value\"\n2026-11-25 17:00:00,\"980 ms\"\n2026-11-25 17:01:00,\"1.25 s\"\n",
				"\"Time\",\"Value\"\n2026-11-25 17:00:00,2 s\n2026-11-25 17:01:00,500 µs\n",
				exports.Options{Zone: berlin(t)}),
			[]string{"16:00:00 value baseline 0.98", "16:01:00 value baseline 1.25", "16:00:00 value canary 2", "16:01:00 value canary 0.0005"},
			[]string{"carry units"},
		},
		{
			"Grafana, a table of labels and values", both(exports.Grafana,
				"Time,__name__,app,code,Value\n1795622400000,errors,a,500,1\n1795622400000,errors,b,500,2\n1795622460000,errors,a,500,3\n1795622460000,errors,b,500,1\n",
				exports.Options{Baseline: "app=a", Canary: "app=b"}),
			[]string{`16:00:00 errors{code="500"} baseline 1`, `16:01:00 errors{code="500"} baseline 3`, `16:00:00 errors{code="500"} canary 2`, `16:01:00 errors{code="500"} canary 1`},
			[]string{"milliseconds"},
		},
		{
			"Prometheus", both(exports.Prometheus,
				`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a"},"values":[[1795622400,"1"],[1795622460.5,"NaN"]]},{"metric":{"__name__":"up","job":"b"},"values":[[1795622400,"2.5e-1"],[1795622460.5,"2"]]}]}}`,
				exports.Options{Baseline: "job=a", Canary: `{job="b"}`}),
			[]string{"16:00:00 up baseline 1", "16:01:00 up baseline gap", "16:00:00 up canary 0.25", "16:01:00 up canary 2"},
			nil,
		},
		{
			"Datadog v1", both(exports.Datadog,
				`{"status":"ok","series":[{"metric":"lat","pointlist":[[1795622400000,1.0],[1795622460000,null]],"scope":"env:prod,service:a","unit":[{"short_name":"ms"},null]},{"metric":"lat","pointlist":[[1795622400000,2],[1795622460000,3]],"scope":"env:prod,service:b","unit":[{"short_name":"ms"},null]}]}`,
				exports.Options{Baseline: "service=a", Canary: "service=b"}),
			[]string{`16:00:00 lat{env="prod"} baseline 1`, `16:01:00 lat{env="prod"} baseline gap`, `16:00:00 lat{env="prod"} canary 2`, `16:01:00 lat{env="prod"} canary 3`},
			[]string{"milliseconds"},
		},
		{
			"Datadog v2", both(exports.Datadog,
				`{"data":{"type":"timeseries_response","attributes":{"series":[{"group_tags":["service:a"],"query_index":0,"unit":null},{"group_tags":["service:b"],"query_index":0}],"times":[1795622400000,1795622460000],"values":[[1,null],[2,3]]}}}`,
				exports.Options{Baseline: "service=a", Canary: "service=b"}),
			[]string{`16:00:00 value baseline 1`, `16:01:00 value baseline gap`, `16:00:00 value canary 2`, `16:01:00 value canary 3`},
			[]string{"milliseconds"},
		},
		{
			"k6, CSV", both(exports.K6, k6Head+
				k6Row("http_reqs", "1795622400", "1.000000", "200", "arm=old")+
				k6Row("http_req_duration", "1795622400", "12.345000", "200", "arm=old")+
				k6Row("http_req_failed", "1795622400", "0.000000", "200", "arm=old")+
				k6Row("http_req_duration", "1795622409", "250", "500", "arm=old")+
				k6Row("http_req_failed", "1795622409", "1", "500", "arm=old")+
				k6Row("checks", "1795622409", "0", "", "arm=old")+
				k6Row("http_req_duration", "1795622410", "100", "200", "arm=new&x=y")+
				k6Row("http_req_failed", "1795622410", "0", "200", "arm=new&x=y")+
				k6Row("http_req_duration", "1795622400", "100", "200", "arm=new&x=y")+
				k6Row("http_req_failed", "1795622400", "0", "200", "arm=new&x=y")+
				k6Row("http_req_duration", "1795622410", "100", "200", "")+
				k6Row("http_req_failed", "1795622410", "0", "200", ""),
				exports.Options{Baseline: "arm=old", Canary: "arm=new"}),
			[]string{
				"16:00:00 errors baseline 1 of 2", "16:00:00 errors canary 0 of 1", "16:00:10 errors canary 0 of 1",
				"16:00:00 latency baseline [0.012 to 0.0125]x1[0.24 to 0.25]x1", "16:00:00 latency canary [0.099 to 0.1]x1", "16:00:10 latency canary [0.099 to 0.1]x1",
				"16:00:00 checks baseline 1 of 1",
			},
			[]string{"steps of 10s", "of 5 requests, 1 are of neither arm"},
		},
		{
			"k6, JSON, without http_req_failed", each(exports.K6,
				`{"type":"Metric","data":{"name":"http_req_duration","type":"trend"},"metric":"http_req_duration"}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-25T16:00:29.999Z","value":10,"tags":{"status":"200"}}}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-25T17:00:30+01:00","value":10,"tags":{"status":"0"}}}
`, `{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-25T16:00:00Z","value":10,"tags":{"status":"404"}}}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-25T16:00:35Z","value":20,"tags":{"status":"200"}}}
{"metric":"http_req_du`, exports.Options{Step: 30 * time.Second}),
			[]string{
				"16:00:00 errors baseline 0 of 1", "16:00:30 errors baseline 1 of 1", "16:00:00 errors canary 1 of 1", "16:00:30 errors canary 0 of 1",
				"16:00:00 latency baseline [0.0099 to 0.01]x1", "16:00:30 latency baseline [0.0099 to 0.01]x1", "16:00:00 latency canary [0.0099 to 0.01]x1", "16:00:30 latency canary [0.0195 to 0.02]x1",
			},
			[]string{"no http_req_failed", "line 3, the last, is torn off"},
		},
		{
			"JMeter, the arms one after the other", each(exports.JMeter,
				jtlHead+jtlRow("1795622400123", "45", "home", "true")+jtlRow("1795622405123", "45", "home", "false")+
					"1795622400123,90,all,200,\"Number of samples in transaction : 2, number of failing samples : 1\",tg 1-1,,false,,0,0,1,1,null,0,0,0\n",
				jtlHead+jtlRow("1795626000123", "20", "home", "true")+jtlRow("1795626012000", "21", "home", "true"),
				exports.Options{Align: true}),
			[]string{
				"16:00:00 errors baseline 1 of 2", "16:00:00 errors canary 0 of 1", "16:00:10 errors canary 0 of 1",
				"16:00:00 latency baseline [0.044 to 0.045]x2", "16:00:00 latency canary [0.0195 to 0.02]x1", "16:00:10 latency canary [0.02 to 0.021]x1",
			},
			[]string{"steps of 10s", "milliseconds", "1 rows of transaction controllers", "moved by -1h0m0s"},
		},
		{
			"Locust", each(exports.Locust,
				locHead+"1795622400,10,,Aggregated,0,0,N/A,N/A,N/A,0,0\n1795622401,10,GET,/,0,0,1,1,1,7,7\n1795622401,10,,Aggregated,0,0,10,100,120,5,1\n1795622409,10,,Aggregated,0,0,10,200,220,25,1\n1795622410,10,,Aggregated,0,0,10,300,320,30,2\n",
				locHead+"1795622400,10,,Aggregated,0,0,N/A,N/A,N/A,3,0\n1795622409,10,,Aggregated,0,0,10,150,220,13,2\n",
				exports.Options{}),
			[]string{
				"16:00:00 errors baseline 1 of 25", "16:00:10 errors baseline 1 of 5", "16:00:00 errors canary 2 of 10",
				"16:00:00 latency p95 baseline 0.2", "16:00:10 latency p95 baseline 0.3", "16:00:00 latency p95 canary 0.15",
			},
			[]string{"steps of 10s", "latency p95 is Locust's", "the canary's first row counts 3 requests"},
		},
		{
			"five columns, otherwise", both(exports.CSV,
				"Time;Metric;Arm;Value;Total\n1795622460000;errors;Control;1;1.000\n1795622400000;errors;Control;2;900\n1795622400000;errors;New;0;10\n1795622400000;size;Control;1,5 kB;\n1795622400000;size;New;2,5 kB;\n",
				exports.Options{Baseline: "arm=Control", Canary: "arm=New"}),
			[]string{"16:00:00 errors baseline 2 of 900", "16:01:00 errors baseline 1 of 1000", "16:00:00 errors canary 0 of 10", "16:00:00 size baseline 1.5", "16:00:00 size canary 2.5"},
			[]string{"decimal one", "milliseconds", "carry units", "1 of 2 times in common"},
		},
		{
			"five columns with jitter", both(exports.CSV,
				"time,metric,arm,value\n2026-11-25T16:00:03Z,p95,baseline,1\n2026-11-25T16:01:02Z,p95,baseline,2\n2026-11-25T16:00:00Z,p95,canary,3\n2026-11-25T16:01:29Z,p95,canary,4\n",
				exports.Options{Step: time.Minute}),
			[]string{"16:00:00 p95 baseline 1", "16:01:00 p95 baseline 2", "16:00:00 p95 canary 3", "16:01:00 p95 canary 4"},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := tt.read()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, shown(r)); diff != "" {
				t.Errorf("points (-want +got)\n%s", diff)
			}
			if len(r.Header.Notes) != len(tt.notes) {
				t.Errorf("%d notes, want %d: %q", len(r.Header.Notes), len(tt.notes), r.Header.Notes)
			}
			all := strings.Join(r.Header.Notes, "\n")
			for _, n := range tt.notes {
				if !strings.Contains(all, n) {
					t.Errorf("notes lack %q:\n%s", n, all)
				}
			}
		})
	}
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	return zone
}

// TestRefusals: what would become a wrong verdict is an error that says what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const head = "Time,a baseline,a canary\n"
	named := exports.Options{Baseline: "* baseline", Canary: "* canary"}
	var growing strings.Builder
	growing.WriteString(head)
	for i := range 12 { // of one process for long, of the other since its start
		fmt.Fprintf(&growing, "%d,%d,%d\n", 1795622400+60*i, 100000+10*i, 50*i)
	}
	in := berlin(t)
	for _, tt := range []struct {
		name   string
		format exports.Format
		text   string
		o      exports.Options
		want   string
	}{
		{"no arms", exports.Grafana, head + "1795622400,1,2\n", exports.Options{}, `which series are of which arm? tell them with --baseline and --canary, by LABEL=VALUE or by name, where * stands for the metric's name; the file holds "a baseline", "a canary"`},
		{"arms by a wrong label", exports.Grafana, head + "1795622400,1,2\n", exports.Options{Baseline: "x=y", Canary: "x=z"}, "which series are of which arm"},
		{"swapped arms", exports.Grafana, head + "1795622400,1,2\n", exports.Options{Baseline: "* canary", Canary: "* baseline"}, "the arms seem to be swapped"},
		{"one series for both arms", exports.Grafana, head + "1795622400,1,2\n", exports.Options{Baseline: "a *", Canary: "a *"}, "the arms would be the same series"},
		{"a series of both arms", exports.Grafana, head + "1795622400,1,2\n", exports.Options{Baseline: "a baseline", Canary: "a *"}, `the series "a baseline" is of both arms`},
		{"labels that differ", exports.Prometheus, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a","v":"1"},"values":[[1795622400,"1"]]},{"metric":{"job":"b","v":"2"},"values":[[1795622400,"1"]]}]}}`, exports.Options{Baseline: "job=a", Canary: "job=b"}, "no metric has both arms"},
		{"two series of an arm", exports.Grafana, "Time,a baseline,a baseline,a canary\n1795622400,1,2,3\n", named, "are both the baseline's a"},
		{"a value that is none", exports.Grafana, head + "1795622400,1,2\n1795622460,fast,2\n", named, `line 3: "a baseline": "fast" is no number`},
		{"an infinite value", exports.Prometheus, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[1795622400,"+Inf"]]}]}}`, exports.Options{Baseline: "job=a", Canary: "job=b"}, "the value is infinite"},
		{"a comma that means two things", exports.Grafana, head + "1795622400,\"1,234\",\"2,345\"\n", named, "may be 2.345 or 2345; say which with --decimal comma or --decimal point"},
		{"commas of both kinds", exports.Grafana, head + "1795622400,\"1,234.5\",\"2,3\"\n", named, "the comma is a decimal one"},
		{"units of two kinds", exports.Grafana, head + "1795622400,12 ms,3 MB\n", named, "one is not a multiple of the other"},
		{"a number without the unit", exports.Grafana, head + "1795622400,12 ms,12\n", named, "one is not a multiple of the other"},
		{"a time of two meanings", exports.Grafana, head + "03/04/2026 10:00,1,2\n", named, `line 2: time is "03/04/2026 10:00"; want RFC 3339`},
		{"seconds and milliseconds", exports.Grafana, head + "1795622400,1,2\n1795622460000,1,2\n", named, "line 3: time is 1795622460000, which are milliseconds since the epoch, and before it there were seconds"},
		{"an hour that comes twice", exports.Grafana, head + "2026-10-25 02:30:00,1,2\n", exports.Options{Baseline: "* baseline", Canary: "* canary", Zone: in}, "line 2: time is \"2026-10-25 02:30:00\", which the clocks of Europe/Berlin showed twice"},
		{"an hour that is skipped", exports.Grafana, head + "2026-03-29 02:30:00,1,2\n", exports.Options{Baseline: "* baseline", Canary: "* canary", Zone: in}, "skipped"},
		{"a time twice", exports.Grafana, head + "1795622400,1,2\n1795622400,1,2\n", named, "lines 2 and 3: two values at 2026-11-25T16:00:00Z"},
		{"two exports in one", exports.Grafana, head + "1795622400,1,2\n1795622460,1,2\n1795622400,1,2\n", named, "lines 3 and 4: the time goes back and forth"},
		{"a header again", exports.Grafana, head + "1795622400,1,2\n" + head, named, "line 3 is a header again: there are two files in one"},
		{"a row cut off", exports.Grafana, head + "1795622400,1,2\n17956224", named, "line 3: there are 1 cells, and 3 in the header"},
		{"counters since the start", exports.Grafana, growing.String(), named, "it grows and never falls, as a counter since the start of a process does"},
		{"times that never meet", exports.Grafana, "Series,Time,Value\na baseline,1795622400,1\na baseline,1795622460,1\na canary,1795622403,1\na canary,1795622463,2\n", named, "the arms have 0 of 2 times in common; --step 1m puts them on one grid"},
		{"arms one after the other", exports.Grafana, "Series,Time,Value\na baseline,1795622400,1\na canary,1795622460,1\n", named, "not measured at the same time; --align"},
		{"two values in a step", exports.Grafana, head + "1795622400,1,2\n1795622410,1,2\n", exports.Options{Baseline: "* baseline", Canary: "* canary", Step: time.Minute}, "lines 2 and 3: two values in the step of 1m0s"},
		{"a part of an answer", exports.Prometheus, `{"status":"success","warnings":["a store is down"],"data":{"resultType":"matrix","result":[]}}`, named, "the answer is not whole (a store is down)"},
		{"a failed answer", exports.Prometheus, `{"status":"error","error":"parse error"}`, named, `"error" parse error`},
		{"an instant answer", exports.Prometheus, `{"status":"success","data":{"resultType":"vector","result":[]}}`, named, "ask /api/v1/query_range"},
		{"buckets", exports.Prometheus, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"le":"1"},"values":[]}]}}`, named, "histogram_quantile"},
		{"an answer cut off", exports.Prometheus, `{"status":"success","data":{"resul`, named, "the JSON is cut off"},
		{"an error of Datadog", exports.Datadog, `{"errors":["Forbidden"]}`, named, "Forbidden"},
		{"k6 without requests", exports.K6, k6Head + k6Row("vus", "1795622400", "1", "", ""), exports.Options{Baseline: "a=b", Canary: "a=c"}, `no HTTP requests, but "vus"`},
		{"k6 with one arm", exports.K6, k6Head + k6Row("http_req_duration", "1795622400", "1", "200", "a=b"), exports.Options{Baseline: "a=b", Canary: "a=c"}, `no request is of the canary, which is "a=c"`},
		{"k6 with a negative duration", exports.K6, k6Head + k6Row("http_req_duration", "1795622400", "-1", "200", "a=b"), exports.Options{Baseline: "a=b", Canary: "a=c"}, "line 2: a duration of -1 ms is none"},
		{"k6 without failures or a status", exports.K6, k6Head + k6Row("http_req_duration", "1795622400", "1", "", "a=b") + k6Row("http_req_duration", "1795622400", "1", "200", "a=c"), exports.Options{Baseline: "a=b", Canary: "a=c"}, "neither http_req_failed nor the tag status"},
		{"JMeter without a header", exports.JMeter, jtlRow("1795622400123", "45", "home", "true"), exports.Options{Baseline: "label=home", Canary: "label=b"}, "the column timeStamp and elapsed and success is missing"},
		{"JMeter with another success", exports.JMeter, jtlHead + jtlRow("1795622400123", "45", "home", "TRUE!"), exports.Options{Baseline: "label=home", Canary: "label=b"}, `line 2: success is "TRUE!"; want true or false`},
		{"JMeter in XML", exports.JMeter, "<?xml version=\"1.0\"?><testResults/>", named, "output_format=csv"},
		{"Locust of two tests", exports.Locust, locHead + "1795622400,1,GET,/a,0,0,1,1,1,10,0\n1795622410,1,GET,/a,0,0,1,1,1,4,0\n", exports.Options{Baseline: "Name=/a", Canary: "Name=/b"}, "line 3: its counts are less than the row's before it"},
		{"Locust's totals", exports.Locust, "Type,Name,Request Count,Failure Count\nGET,/,1,1\n", named, "PREFIX_stats_history.csv"},
		{"an arm of another name", exports.CSV, "time,metric,arm,value\n1795622400,p95,control,1\n", exports.Options{}, `line 2: arm is "control"; want baseline or canary, or say whose it is`},
		{"totals in some rows", exports.CSV, "time,metric,arm,value,total\n1795622400,e,baseline,1,2\n1795622460,e,baseline,1,\n1795622400,e,canary,1,2\n", exports.Options{}, "line 3: the series"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := one(tt.format, tt.text, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("read %v, error %v\nwant an error with %q", r, err, tt.want)
			}
		})
	}
	answer := func(name string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"` + name + `"},"values":[[1795622400,"1"]]}]}}`
	}
	if _, err := two(exports.Prometheus, answer("cpu"), answer("latency"), exports.Options{}); err == nil || !strings.Contains(err.Error(), "no metric has both arms") {
		t.Errorf("two things: %v", err)
	}
	if _, err := two(exports.K6, k6Head+k6Row("http_req_duration", "1795622400", "1", "200", ""), k6Head+k6Row("http_req_duration", "1795629400", "1", "200", ""), exports.Options{}); err == nil || !strings.Contains(err.Error(), "--align") {
		t.Errorf("tests one after the other: %v", err)
	}
}

// TestEncodings: the same text whatever a program on Windows makes of it.
func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "Time\ta baseline\ta canary\r\n2026-11-25 16:00:00\t1\t2\r\n"
	want := []string{"16:00:00 a baseline 1", "16:00:00 a canary 2"}
	sixteen := func(big bool) string {
		var b []byte
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			if big {
				b = append(b, byte(u>>8), byte(u))
			} else {
				b = append(b, byte(u), byte(u>>8))
			}
		}
		return string(b)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	for name, file := range map[string]string{
		"UTF-8": text, "with its mark": "\ufeff" + text, "UTF-16": sixteen(false), "UTF-16, big endian": sixteen(true), "gzip": zipped.String(),
		"semicolons": strings.ReplaceAll(text, "\t", ";"), "sep": "sep=;\r\n" + strings.ReplaceAll(text, "\t", ";"),
	} {
		r, err := one(exports.Grafana, file, byName)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, shown(r)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	for name, file := range map[string]string{"cut off": zipped.String()[:zipped.Len()/2], "empty": "", "UTF-16 cut off": sixteen(false)[:31], "no text": "a\x00b\x00"} {
		if r, err := one(exports.Grafana, file, byName); err == nil {
			t.Errorf("%s: read %v", name, shown(r))
		}
	}
}

// TestUnit: a config that names another unit than the file's is an error of the job, so
// the recording must tell.
func TestUnit(t *testing.T) {
	t.Parallel()
	r, err := one(exports.Grafana, "Time,a baseline,a canary\n1795622400,12 ms,13 ms\n", byName)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := r.Fetch(context.Background(), []providers.Query{{Metric: "a", Arm: providers.Canary, Part: providers.Value, Start: time.Unix(1795622400, 0), End: time.Unix(1795622460, 0)}})
	if err != nil || len(answers[0].Series) != 1 || answers[0].Series[0].Unit != "ms" {
		t.Errorf("%+v, %v; want the unit ms", answers, err)
	}
}
