package datadogtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The issues that searches find, with the errors that match.
func TestIssues(t *testing.T) {
	t.Parallel()
	two := func(time.Time) float64 { return 2 }
	world := Script{Late: 20 * time.Second, Errors: []TrackedIssue{
		{Track: "trace", Issue: Issue{ID: "a", Version: "v1", FirstSeen: ten}, Errors: []Stream{{Tags: []string{"version:v1"}, Count: two}}},
		{Track: "trace", Issue: Issue{ID: "b"}, Errors: []Stream{{Tags: []string{"version:v1"}, Count: two}, {Tags: []string{"version:v2"}, Count: two}}},
		{Track: "trace", Issue: Issue{ID: "c", State: "IGNORED"}, Errors: []Stream{{Tags: []string{"version:v1"}, Count: two}}},
		{Track: "logs", Issue: Issue{ID: "d"}, Errors: []Stream{{Tags: []string{"version:v1"}, Count: two}}},
	}}
	for i := range 101 {
		world.Errors = append(world.Errors, TrackedIssue{Track: "rum", Issue: Issue{ID: fmt.Sprint("r", i)}, Errors: []Stream{{Tags: []string{"version:v1"}, Count: two}}})
	}
	s := &Server{World: world, APIKey: "key", AppKey: "app"}
	body := func(query, track, more string) string {
		return fmt.Sprintf(`{"data":{"type":"search_request","attributes":{"from":%d,"to":%d,"query":%q,"track":%q,"order_by":"TOTAL_COUNT"%s}}}`,
			ten.UnixMilli(), ten.Add(time.Minute).UnixMilli(), query, track, more)
	}
	// At 10:00:50 there is what happened before 10:00:30.
	for asked, want := range map[string]map[string]int{
		body("*", "trace", ""):                                        {"b": 12, "a": 6},
		body("version:v1", "trace", ""):                               {"a": 6, "b": 6},
		body(`(version:v1 OR version:v2) -version:"v1"`, "trace", ""): {"b": 6},
		body("*", "trace", `,"states":["IGNORED"]`):                   {"c": 6},
		body("*", "logs", ""):                                         {"d": 6},
		body("version:v9", "logs", ""):                                {},
	} {
		w := send(s, ten.Add(50*time.Second), "POST", "/api/v2/error-tracking/issues/search?include=issue", asked)
		var got struct {
			Data []struct {
				ID         string
				Attributes struct {
					Count int `json:"total_count"`
				}
			}
			Included []struct{ ID string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Included) != len(got.Data) {
			t.Fatalf("%s: %d %s", asked, w.Code, w.Body)
		}
		counts := map[string]int{}
		for i, one := range got.Data {
			counts[one.ID] = one.Attributes.Count
			if i > 0 && one.Attributes.Count > got.Data[i-1].Attributes.Count {
				t.Errorf("%s: the largest is not first", asked)
			}
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("%s (-want +got)\n%s", asked, diff)
		}
	}
	const path = "/api/v2/error-tracking/issues/search"
	if w := send(s, ten.Add(time.Hour), "POST", path, body("*", "logs", "")); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "included") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(s, ten.Add(time.Hour), "POST", path, body("version:v9", "logs", "")); strings.TrimSpace(w.Body.String()) != `{"data":[]}` {
		t.Errorf("nothing is %s", w.Body)
	}
	if w := send(s, ten.Add(time.Hour), "POST", path, body("*", "rum", "")); strings.Count(w.Body.String(), "error_tracking_search_result") != 100 {
		t.Errorf("not a hundred: %s", w.Body)
	}
	for _, refused := range []string{
		"{", body("", "trace", ""), body("*", "apm", ""), body("(", "trace", ""), body("*", "", ""),
		strings.Replace(body("*", "trace", ""), "search_request", "x", 1), strings.Replace(body("*", "trace", ""), "TOTAL_COUNT", "PRIORITY", 1),
	} {
		if w := send(s, ten.Add(time.Hour), "POST", path, refused); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", refused, w.Code, w.Body)
		}
	}
}
