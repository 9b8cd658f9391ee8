package exports_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/providers/recording/exports"
)

// fuzz reads whatever text in a format: it must not panic, and what it reads must be fit
// for a recording.
func fuzz(f *testing.F, format exports.Format, o exports.Options, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		exports.Recognize(strings.NewReader(text))
		r, err := one(format, text, o)
		if err != nil {
			return
		}
		arms := map[providers.Arm]bool{}
		for p := range r.Points() {
			arms[p.Arm] = true
			if p.Kind == recording.Histograms && !p.Sample.Gap() {
				if err := recording.CheckBuckets(p.Sample.Buckets()); err != nil {
					t.Errorf("%s: %v", p.Metric, err)
				}
			}
			for _, v := range []float64{p.Sample.Value(), p.Sample.Bad(), p.Sample.Total()} {
				if math.IsInf(v, 0) {
					t.Errorf("%s at %s is infinite", p.Metric, p.Time)
				}
			}
			if p.Time.Before(time.Unix(0, 0)) {
				t.Errorf("%s at %s", p.Metric, p.Time)
			}
		}
		if len(arms) != 2 {
			t.Errorf("read only %v", arms)
		}
	})
}

func FuzzCSV(f *testing.F) {
	fuzz(f, exports.CSV, exports.Options{},
		"time;metric;arm;value;total\n1795622400;e;baseline;1,5;\n1795622400;e;canary;1.000,5;\n",
		"time,metric,arm,value,total\n2026-11-25 16:00,e,Baseline,1,20\n2026-11-25 16:00,e,canary,1,20\n")
}

func FuzzGrafana(f *testing.F) {
	fuzz(f, exports.Grafana, byName,
		"sep=,\n\"Time\",\"a baseline\",\"a canary\"\n2026-11-25 16:00:00,\"1,23 ms\",2 s\n",
		"Series;Time;Value\na baseline;2026-11-25T16:00:00.000Z;1.1\na canary;2026-11-25T16:00:00.000Z;null\n")
}

func FuzzPrometheus(f *testing.F) {
	fuzz(f, exports.Prometheus, exports.Options{Baseline: "a=b", Canary: "a=c"},
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1795622400,"1"]]},{"metric":{"a":"c"},"values":[[1795622400.5,"NaN"]]}]}}`)
}

func FuzzDatadog(f *testing.F) {
	fuzz(f, exports.Datadog, exports.Options{Baseline: "a=b", Canary: "a=c"},
		`{"status":"ok","series":[{"metric":"m","scope":"a:b","pointlist":[[1795622400000,1.0],[1795622460000,null]]},{"metric":"m","tag_set":["a:c"],"pointlist":[[1795622400000,1.0]]}]}`,
		`{"data":{"attributes":{"series":[{"group_tags":["a:b"]},{"group_tags":["a:c"],"query_index":1}],"times":[1795622400000],"values":[[1],[null]]}}}`)
}

func FuzzK6(f *testing.F) {
	fuzz(f, exports.K6, exports.Options{Baseline: "a=b", Canary: "a=c"},
		k6Head+k6Row("http_req_duration", "1795622400", "1", "200", "a=b")+k6Row("http_req_duration", "1795622400", "0", "0", "a=c"),
		`{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-25T16:00:00Z","value":1,"tags":{"a":"b"}}}`+"\n"+
			`{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-25T16:00:00Z","value":1,"tags":{"a":"c"}}}`)
}

func FuzzJMeter(f *testing.F) {
	fuzz(f, exports.JMeter, exports.Options{Baseline: "label=b", Canary: "label=c"},
		jtlHead+jtlRow("1795622400000", "1", "b", "true")+jtlRow("2026/11/25 16:00:00.123", "1", "c", "false"))
}

func FuzzLocust(f *testing.F) {
	fuzz(f, exports.Locust, exports.Options{Baseline: "Name=b", Canary: "Name=c"},
		locHead+"1795622400,1,GET,b,0,0,1,1,1,10,0\n1795622410,1,GET,b,0,0,1,1,1,14,1\n1795622400,1,GET,c,0,0,1,1,1,10,0\n1795622410,1,GET,c,0,0,N/A,N/A,1,14,1\n")
}
