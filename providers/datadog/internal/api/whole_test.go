package api

import (
	"strings"
	"testing"
)

// What an answer says of itself, at each place where one may say it, beside data or not.
func TestMissing(t *testing.T) {
	t.Parallel()
	const series = `"attributes":{"times":[1],"series":[{"query_index":0}],"values":[[1]]`
	for body, want := range map[string]string{
		`{"data":{` + series + `}}}`: "",
		`{"data":{` + series + `}},"meta":{"status":"done","elapsed":132,"request_id":"x"}}`:                                                                  "",
		`{"data":{` + series + `}},"meta":{"status":"DONE","warnings":[]}}`:                                                                                   "",
		`{"data":{` + series + `}},"warnings":null,"errors":[],"infos":["note"]}`:                                                                             "",
		`{"data":{` + series + `}},"meta":{"status":"timeout"}}`:                                                                                              `its status is "timeout"`,
		`{"data":{` + series + `}},"meta":{"status":"running"}}`:                                                                                              `its status is "running"`,
		`{"data":{"meta":{"status":"timeout"},` + series + `}}}`:                                                                                              `its status is "timeout"`,
		`{"data":{` + series + `,"meta":{"status":"timeout"}}}}`:                                                                                              `its status is "timeout"`,
		`{"data":{` + series + `}},"meta":{"timed_out":true}}`:                                                                                                "it timed out",
		`{"data":{` + series + `}},"warnings":["some shards did not answer"]}`:                                                                                "some shards did not answer",
		`{"data":{` + series + `}},"meta":{"warnings":[{"code":"unknown_index","detail":"indexes: foo, bar","title":"One or several indexes are missing"}]}}`: "One or several indexes are missing indexes: foo, bar",
		`{"data":{"warnings":"half",` + series + `}}}`:                                                                                                        "it comes with a warning: half",
		`{"data":{` + series + `,"warnings":["half"]}}}`:                                                                                                      "it comes with a warning: half",
		`{"data":{` + series + `,"is_partial":true}}}`:                                                                                                        "it says that it is partial",
		`{"data":{` + series + `}},"isPartial":true}`:                                                                                                         "it says that it is partial",
		`{"data":{` + series + `}},"partial":false}`:                                                                                                          "",
		`{"data":{` + series + `}},"errors":"half of it timed out"}`:                                                                                          "it comes with an error: half of it timed out",
		`{"data":{` + series + `}},"errors":["half"]}`:                                                                                                        "it comes with an error: half",
		`{"data":[{"id":"x"}],"errors":["half"]}`:                                                                                                             "it comes with an error: half",
		`{"data":{"attributes":{"times":[],"series":[],"values":[]}},"errors":"bad query"}`:                                                                   "", // no part of it
		`{"data":null,"error":"x"}`:                                                                                                                           "",
		`{"errors":["x"]}`:                                                                                                                                    "",
		`{"public_id":"abc-def-ghi","status":"paused"}`:                                                                                                       "", // of a test, not of the answer
		`{"data":{"status":"in_progress","timed_out":true}}`:                                                                                                  "", // of a batch
		`{"overall_state":"OK","options":{"silenced":{}}}`:                                                                                                    "",
		`[]`: "", ``: "", `<html>`: "", `{"data":5,"meta":"x"}`: "",
	} {
		if got := missing([]byte(body), false); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
