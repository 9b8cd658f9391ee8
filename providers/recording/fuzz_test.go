package recording_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// everything asks a recording for all it holds, in steps of a nanosecond.
func everything(t *testing.T, r *recording.Recording) ([]providers.Query, []providers.Answer) {
	t.Helper()
	var queries []providers.Query
	for _, m := range r.Metrics() {
		for _, arm := range providers.Arms {
			for _, part := range map[recording.Kind][]providers.Part{
				recording.Values: {providers.Value}, recording.Counts: {providers.Bad, providers.Total}, recording.Histograms: {providers.Buckets},
			}[m.Kind] {
				queries = append(queries, providers.Query{
					Metric: m.Name, Arm: arm, Part: part, Step: 1,
					Start: time.Unix(0, 0).UTC(), End: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
				})
			}
		}
	}
	answers, err := r.Fetch(context.Background(), queries)
	must(t, err)
	return queries, answers
}

// check reports how what a recording holds breaks the contract.
func check(t *testing.T, r *recording.Recording) {
	t.Helper()
	points := 0
	queries, answers := everything(t, r)
	for i, a := range answers {
		if a.Err != nil {
			t.Error(a.Err)
		}
		if err := providertest.Check(queries[i], a); err != nil {
			t.Error(err)
		}
		for _, s := range a.Series {
			if queries[i].Part != providers.Bad {
				points += len(s.Points)
			}
			for _, p := range s.Points {
				if math.IsInf(p.Value(), 0) {
					t.Errorf("%s of %q is infinite at %s", queries[i].Part, queries[i].Metric, p.Time)
				}
			}
		}
	}
	for _, m := range r.Metrics() {
		for _, n := range m.Points {
			points -= n
		}
	}
	if points != 0 {
		t.Errorf("Metrics and Fetch differ by %d points", points)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		lines(header, point),
		lines(header, `{"t":"2026-11-23T10:00:00.5+01:00","metric":"e","arm":"baseline","bad":3,"total":912}`, `{"t":"2026-11-23T10:00:00Z","metric":"e","arm":"baseline","bad":null,"total":null}`),
		lines(header, `{"t":"2026-11-23T10:00:00Z","metric":"h","arm":"canary","bounds":[0.1,1],"counts":[1,2,3]}`, `{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","counts":null}`),
		lines(header, `{"look":1,"t":"2026-11-23T10:00:30Z"}`, `{"end":"verdict","detail":"x"}`, point),
		lines(header, point, `{"look":0,"t":"2026-11-23T11:00:00Z","history":{"from":"2026-11-23T09:00:00Z","since":"2026-11-23T09:30:00Z","to":"2026-11-23T11:00:00Z","warmup":3,"steps":20,"notes":["cut"]}}`),
		lines(header, `{"look":0,"t":"2026-11-23T11:00:00Z","history":{"back":["24h0m0s","48h0m0s"],"warmup":3,"steps":20}}`),
		lines(header, `{"look":0,"t":"2026-11-23T11:00:00Z","instance":{"metric":"e","arm":"baseline","name":"a","from":"2026-11-23T10:00:00Z","step":"30s","bad":[1,null],"total":[9,null]}}`,
			`{"look":0,"t":"2026-11-23T11:00:00Z","instance":{"metric":"h","arm":"canary","name":"b","from":"2026-11-23T10:00:00Z","step":"30s","buckets":[{"bounds":[1],"counts":[2,3]},{"gap":"x"},{}]}}`,
			`{"look":0,"t":"2026-11-23T11:00:00Z","history":{"from":"2026-11-23T09:00:00Z","since":"2026-11-23T09:30:00Z","to":"2026-11-23T11:00:00Z","by":"pod","instances":2,"warmup":3,"steps":20}}`),
		lines(header, `{"look":0,"t":"2026-11-23T11:00:00Z","stage":{"number":1,"share":0.05,"began":"2026-11-23T11:00:00Z"}}`,
			`{"look":3,"t":"2026-11-23T11:02:00Z","stage":{"number":1,"share":0.05,"began":"2026-11-23T11:00:00Z","done":"2026-11-23T11:00:04.5Z"}}`),
		lines(header) + point[:20], header, "", "\ufeff" + lines(header, point),
		lines(header, `{"t":"9999-12-31T23:59:59Z","metric":"p95","arm":"canary","value":1e308}`),
		lines(header, `{"t":"2026-11-23T10:00:00Z","guard":"monitor 1","state":"alert","detail":"x","link":"https://x/1"}`, point),
	} {
		f.Add([]byte(text), uint(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, cut uint) {
		r, err := recording.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		check(t, r)
		if h := r.History; h != nil {
			for _, one := range h.Instances {
				if _, err := json.Marshal(one); err != nil || len(one.Steps) == 0 {
					t.Errorf("an instance with %d steps: %v", len(one.Steps), err)
				}
			}
		}
		// A crash anywhere after the header leaves a recording.
		first := bytes.IndexByte(text, '\n')
		if first < 0 || len(r.Warnings) > 0 || !bytes.HasPrefix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("{")) {
			return
		}
		torn := text[:first+1+int(cut%uint(len(text)-first))]
		left, err := recording.Read(bytes.NewReader(torn))
		if err != nil || len(left.Warnings) > 1 {
			t.Fatalf("torn to %q: %v", torn, err)
		}
		check(t, left)
	})
}

func FuzzReadCSV(f *testing.F) {
	for _, text := range []string{
		"time,metric,arm,value,total\n1795428000,errors,canary,3,912\n2026-11-23T10:00:30Z,errors,canary,,\n",
		"\ufeff\"value\",\"arm\",\"metric\",\"time\"\r\n\"0.5\",\"baseline\",\"a \"\"b\"\", c\",\"1795428000.5\"\r\n",
		"time,metric,arm,value\nNaN,p95,canary,1\n", "time,metric,arm,value\n1795428000,p95,canary,Inf\n",
		"time,metric,arm,value,total\n1795428000,p95,canary,1,\n1795428030,p95,canary,1,2\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.HasPrefix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("{")) {
			return // JSON lines, which FuzzRead reads
		}
		if r, err := recording.Read(bytes.NewReader(text)); err == nil {
			check(t, r)
		}
	})
}

// Whatever a crash left, what is in memory after resuming is what the file holds
// once the run has gone on.
func FuzzResume(f *testing.F) {
	for _, text := range []string{lines(header, point), lines(header, point) + point[:20], header, lines(header) + point, lines(header) + "\x00", lines(header) + "\r\n\r"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		must(t, os.WriteFile(path, text, 0o600))
		w, r, err := recording.Resume(path)
		if err != nil {
			if got := content(t, path); got != string(text) {
				t.Fatalf("%v, and the file changed to %q", err, got)
			}
			return
		}
		must(t, w.Close(recording.End{Why: "window"}))
		again, err := recording.Open(path)
		must(t, err)
		_, before := everything(t, r)
		_, after := everything(t, again)
		if diff := cmp.Diff(before, after, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" || len(again.Warnings) > 0 {
			t.Errorf("warnings %q (-in memory +in the file)\n%s", again.Warnings, diff)
		}
	})
}
