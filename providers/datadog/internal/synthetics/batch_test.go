package synthetics

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// inBatch are results as
// https://github.com/DataDog/datadog-ci/blob/master/packages/plugin-synthetics/src/interfaces.ts
// has them.
func inBatch(status string, results ...string) []byte {
	return []byte(`{"data":{"metadata":null,"status":"` + status + `","results":[` + strings.Join(results, ",") + `]}}`)
}

func resultOf(test, id, status, more string) string {
	return `{"duration":1000,"execution_rule":"blocking","location":"aws:a","result_id":"` + id + `","retries":null,"max_retries":0,
		"status":"` + status + `","test_name":"x","test_public_id":"` + test + `","test_type":"browser","timed_out":null` + more + `}`
}

// What an answer means is said here by hand.
func TestReadBatch(t *testing.T) {
	t.Parallel()
	const one, two = "abc-def-ghi", "jkl-mno-pqr"
	passed, failed := resultOf(one, "1", "passed", ""), resultOf(two, "2", "failed", "")
	started := []batchTest{{PublicID: one}, {PublicID: two}}
	run := func(test, id string, passed bool) batchRun { return batchRun{test, id, "aws:a", passed} }
	for _, tt := range []struct {
		name string
		body []byte
		runs []batchRun
		lost []string
	}{
		{"one of each", inBatch("failed", passed, failed), []batchRun{run(one, "1", true), run(two, "2", false)}, nil},
		{"that does not block the pipeline", inBatch("passed", strings.Replace(failed, `"blocking"`, `"non_blocking"`, 1)), []batchRun{run(two, "2", false)}, nil},
		{"a retry that passed, in place of the first attempt",
			inBatch("passed", resultOf(one, "3", "passed", `,"retries":1,"initial_result_id":"1"`)), []batchRun{run(one, "3", true)}, nil},
		{"a retry beside its first attempt",
			inBatch("failed", resultOf(one, "1", "failed", ""), resultOf(one, "3", "failed", `,"retries":1,"initial_result_id":"1"`)), []batchRun{run(one, "3", false)}, nil},
		{"the first attempt names itself", inBatch("failed", resultOf(one, "1", "failed", `,"initial_result_id":"1"`)), []batchRun{run(one, "1", false)}, nil},
		{"out of time", inBatch("failed", passed, resultOf(two, "2", "failed", `,"timed_out":true`)), []batchRun{run(one, "1", true)}, []string{two}},
		{"over, with one that is not", inBatch("failed", passed, resultOf(two, "2", "in_progress", "")), []batchRun{run(one, "1", true)}, []string{two}},
		{"out of time after the others of its test", inBatch("failed", passed, resultOf(one, "4", "failed", `,"timed_out":true`)), []batchRun{run(one, "1", true)}, []string{one}},
		{"skipped by its own settings", inBatch("passed", passed, `{"status":"skipped","execution_rule":"skipped","test_public_id":"`+two+`","retries":null,"timed_out":null}`), []batchRun{run(one, "1", true)}, nil},
		{"passed on an earlier commit", inBatch("passed", passed, resultOf(two, "2", "passed", `,"selective_rerun":{"decision":"skip","reason":"passed","linked_result_id":"9"}`)), []batchRun{run(one, "1", true)}, nil},
		{"run again all the same", inBatch("passed", resultOf(one, "1", "passed", `,"selective_rerun":{"decision":"run","reason":"edited"}`)), []batchRun{run(one, "1", true)}, nil},
	} {
		state, err := readBatch(tt.body, started)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.runs, state.runs, cmp.AllowUnexported(batchRun{})); diff != "" || state.running {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
		if lost := slices.Sorted(maps.Keys(state.lost)); !slices.Equal(lost, tt.lost) {
			t.Errorf("%s: lost %v, want %v", tt.name, lost, tt.lost)
		}
	}
	// A run of a location that is not told of might have failed.
	from := func(locations ...string) []batchTest { return []batchTest{{PublicID: one, Locations: locations}} }
	for _, tt := range []struct {
		tests []batchTest
		lost  bool
	}{{from(), false}, {from("aws:a"), false}, {from("aws:a", "aws:b"), true}} {
		state, err := readBatch(inBatch("passed", passed), tt.tests)
		if err != nil || state.lost[one] != tt.lost {
			t.Errorf("from %v: lost %v, %v", tt.tests[0].Locations, state.lost, err)
		}
	}
	// While it is under way nothing of it counts, and nothing in it is looked at.
	state, err := readBatch(inBatch("in_progress", passed, resultOf(two, "2", "in_progress", `,"retries":0`)), started)
	if err != nil || !state.running || len(state.runs) > 0 {
		t.Errorf("under way: %+v, %v", state, err)
	}
}

// Whatever a server says of a batch, what is counted are runs of tests that were started,
// each once.
func FuzzReadBatch(f *testing.F) {
	f.Add(inBatch("failed", resultOf("abc-def-ghi", "1", "passed", ""), resultOf("abc-def-ghi", "2", "failed", `,"initial_result_id":"3"`)))
	f.Add(inBatch("passed", resultOf("abc-def-ghi", "1", "skipped", `,"selective_rerun":{"decision":"skip"}`)))
	f.Add(inBatch("in_progress"))
	f.Add([]byte(`{"batch_id":"1","triggered_check_ids":["abc-def-ghi"]}`))
	f.Add([]byte(`{"tests":[{"public_id":"abc-def-ghi","status":"live","tags":["a:b"]}]}`))
	f.Add([]byte(`{"data":[{"id":"1","attributes":{"result":{"unhealthy":true}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if id, err := readStarted(body, []batchTest{{PublicID: "abc-def-ghi"}}); (err == nil) != (id != "") {
			t.Errorf("started %q, %v", id, err)
		}
		_ = readUnhealthy(body, map[string]bool{}) // panics at nothing
		if tests, err := readTests(body); err == nil {
			for _, test := range tests {
				if test.ID == "" {
					t.Error("a test without an id")
				}
			}
		}
		state, err := readBatch(body, []batchTest{{PublicID: "abc-def-ghi"}})
		if err != nil || state.running {
			return
		}
		seen := map[string]bool{}
		for _, r := range state.runs {
			if r.test != "abc-def-ghi" || r.id == "" || seen[r.id] {
				t.Errorf("run %+v", r)
			}
			seen[r.id] = true
		}
	})
}

// Whatever a query for runs says, it is refused, or the same again when it is written out.
func FuzzParseRuns(f *testing.F) {
	f.Add(`synthetics("abc-def-ghi").failed()`)
	f.Add(`synthetics("abc-def-ghi").location("aws:a").runs()`)
	f.Add(`synthetics("abc-def-ghi").triggered({"start_url":"https://a","variables":{"A":"\")"},"locations":["aws:a"]}).runs()`)
	f.Fuzz(func(t *testing.T, expr string) {
		q, err := parseRuns(expr)
		if err != nil {
			return
		}
		failed, runs := Queries(q.Check)
		for _, again := range []string{failed, runs} {
			got, err := parseRuns(again)
			if diff := cmp.Diff(q.Check, got.Check, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%q, written out as %q: %v\n%s", expr, again, err, diff)
			}
		}
	})
}
