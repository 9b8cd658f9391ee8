package datadogtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The ids, the total and the number of pages that a search finds.
func TestMonitorSearch(t *testing.T) {
	t.Parallel()
	s := &Server{World: Shop(Canary{Errors: 4}), APIKey: "key", AppKey: "app"}
	for _, tt := range []struct {
		query       url.Values
		ids         []int64
		total, page int
	}{
		{url.Values{}, []int64{101, 102}, 2, 1},
		{url.Values{"query": {`tag:"service:discounts" tag:"team:shop"`}}, []int64{101, 102}, 2, 1},
		{url.Values{"query": {"service:discounts status:Alert"}}, []int64{101}, 1, 1},
		{url.Values{"query": {"service:storefront"}}, []int64{}, 0, 0},
		{url.Values{"query": {"NOT muted:true"}, "per_page": {"1"}, "page": {"1"}}, []int64{102}, 2, 2},
		{url.Values{"page": {"7"}}, []int64{}, 2, 1},
	} {
		var got struct {
			Monitors []struct{ ID int64 }
			Metadata struct {
				Total int `json:"total_count"`
				Pages int `json:"page_count"`
			}
		}
		w := send(s, ten, "GET", "/api/v1/monitor/search?"+tt.query.Encode(), "")
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%v: %d %s", tt.query, w.Code, w.Body)
		}
		ids := []int64{}
		for _, m := range got.Monitors {
			ids = append(ids, m.ID)
		}
		if diff := cmp.Diff(tt.ids, ids); diff != "" || got.Metadata.Total != tt.total || got.Metadata.Pages != tt.page {
			t.Errorf("%v: %+v (-want +got)\n%s", tt.query, got.Metadata, diff)
		}
	}
	for path, want := range map[string]int{
		"/api/v1/monitor/101": 200, "/api/v1/monitor/103": 404, "/api/v1/monitor/search?query=errors": 400, "/api/v1/monitor/search?page=x": 400,
	} {
		if w := send(s, ten, "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
