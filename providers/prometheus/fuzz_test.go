package prometheus

import (
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// Whatever a server says, what is taken from it keeps the contract.
func FuzzRead(f *testing.F) {
	for _, seed := range [][]byte{
		matrixOf(`{"metric":{"a":"b"},"values":[[@0,"0"],[@1,"NaN"],[@3,"+Inf"]]}`),
		matrixOf(`{"metric":{},"values":[[@0.000,"1e-9"]]}`, `{"metric":{"x":"y"},"values":[[@1,"2"]]}`),
		matrixOf(le("0.1", "@0", "5"), le("+Inf", "@0", "9", "@1", "NaN")),
		matrixOf(native1(`[1,"-2","-1","5"],[3,"-0","0","7"],[0,"0.001","+Inf","1"]`)),
		matrixOf(le("1", "@0", "49"), le("1.0", "@0", "50"), le("+Inf", "@0", "100")),
		matrixOf(le("0.4", "@1", "88"), le("0.5", "@0", "94"), le("+Inf", "@0", "100", "@1", "100")),
		matrixOf(le("0.4", "@0", "94"), le("0.5", "@0", "49"), le("+Inf", "@0", "100")),
		matrixOf(seriesOf("0.5", "@0", "2"), le("0.5", "@0", "9"), seriesOf("+Inf", "@0", "1"), le("+Inf", "@0", "9")),
		[]byte(`{"status":"success","isPartial":true,"warnings":["PromQL info: x"],"data":{"resultType":"matrix","result":[]}}`),
		[]byte(`{"status":"error","errorType":"bad_data","error":"x"}`),
		[]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`),
		[]byte("<html>"),
	} {
		for part := range 4 {
			f.Add(seed, part, int64(30e9))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, part int, step int64) {
		parts := []providers.Part{providers.Value, providers.Bad, providers.Total, providers.Buckets}
		q := ask(parts[uint(part)%4])
		if d := time.Duration(step).Truncate(time.Millisecond); d > 0 && d <= time.Minute {
			q.Step = d
			q.End = q.Start.Add(4 * d)
		}
		series, err := read(body, q)
		if err != nil {
			return
		}
		for i := range series {
			// One at a time: they are ordered when all parts of the window are there.
			if err := providertest.Check(q, providers.Answer{Series: series[i : i+1]}); err != nil {
				t.Error(err)
			}
		}
	})
}

// A label's value stays inside its quotes, whatever it is.
func FuzzValue(f *testing.F) {
	for _, value := range nasty {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		text, err := Dialect{}.Filter([]providers.Label{{Name: "a", Value: value}}, providers.Around{})
		if err != nil {
			t.Fatal(err)
		}
		if in, rest := unquote(t, text[len("a="):]+"}"); in != value || rest != "}" {
			t.Errorf("%q became %s: %q, then %s", value, text, in, rest)
		}
		text, err = Dialect{}.Value(providers.Label{Name: "a", Value: value}, providers.Around{})
		if err != nil {
			t.Fatal(err)
		}
		for _, quote := range []string{`"`, `'`} {
			if in, rest := unquote(t, quote+text+quote+"}"); in != value || rest != "}" {
				t.Errorf("%q became %s: %q, then %s", value, text, in, rest)
			}
		}
	})
}

// Whatever stands in a query, reading it ends, and what it selects is selected again by
// what its scopes say.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`sum(increase(x{a="b"}[30s])) or vector(0)`, `WITH (q = {a="b"}) sum(increase(x{q}[30s]))`, `x{a="b" or c=~"d"} @ end() offset 5m`,
		`max_over_time(rate(x[30s])[5m:30s])`, `sum(x{a="b)`, "(x, 0)", `a:b:increase5m{}`, `-x ^ 2 >bool 1 default 0`, "summ(x", "",
	} {
		f.Add(seed, 0)
		f.Add(seed, 1)
	}
	parts := []providers.Part{providers.Value, providers.Bad, providers.Total, providers.Buckets}
	f.Fuzz(func(t *testing.T, expr string, part int) {
		if len(expr) > 500 {
			return // templates within templates take their time
		}
		r, err := Dialect{}.Check(expr, parts[uint(part)%4], 30*time.Second)
		if err != nil {
			return
		}
		for _, s := range r.Scopes {
			again, err := Dialect{}.Check(s.Text, providers.Value, 30*time.Second)
			if err != nil || len(again.Scopes) != 1 || again.Scopes[0] != s {
				t.Errorf("%s: %+v reads as %+v, %v", expr, s, again.Scopes, err)
			}
		}
	})
}
