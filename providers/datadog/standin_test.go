package datadog_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Test(t, providertest.Suite{
		Open: func(t *testing.T, w *providertest.World) providers.Provider {
			server := httptest.NewServer(&standIn{world: w})
			t.Cleanup(server.Close)
			return open(t, datadog.Settings{URL: server.URL + "/dd/", APIKey: providers.Secret(w.Secret), AppKey: providers.Secret(w.Secret + "-app")}, nil)
		},
		// Datadog hands out no buckets.
		Parts: []providers.Part{providers.Value, providers.Bad, providers.Total},
		// All queries in one request, 1,500 points at most.
		Requests: func(_, steps int) int { return 1 + (steps-1)/1500 },
	})
}

func open(t *testing.T, s datadog.Settings, transport http.RoundTripper) *datadog.Provider {
	t.Helper()
	p, err := datadog.New(s, transport)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// standIn answers timeseries queries as Datadog does:
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
type standIn struct{ world *providertest.World }

// asked is what a request says.
type asked struct {
	Data struct {
		Type       string
		Attributes struct {
			From, To, Interval int64
			Formulas           []struct{ Formula string }
			Queries            []struct {
				Name, Query string
				DataSource  string `json:"data_source"`
			}
		}
	}
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var a asked
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || r.Method != http.MethodPost || r.URL.Path != "/dd/api/v2/query/timeseries" {
		http.NotFound(w, r)
		return
	}
	if !s.world.Request(r.Context()) || r.Header.Get("DD-API-KEY") != s.world.Secret || r.Header.Get("DD-APPLICATION-KEY") != s.world.Secret+"-app" {
		complain(w, http.StatusForbidden, "Forbidden for "+r.Header.Get("DD-API-KEY"))
		return
	}
	at := a.Data.Attributes
	switch {
	case a.Data.Type != "timeseries_request":
		complain(w, http.StatusBadRequest, `API input validation failed: Invalid type. Expected "timeseries_request".`)
		return
	case at.To <= at.From || at.Interval <= 0 || (at.To-at.From)/at.Interval > 1500:
		complain(w, http.StatusBadRequest, "the stand-in does not widen intervals")
		return
	}
	exprs := map[string]string{}
	for _, q := range at.Queries {
		exprs[q.Name] = q.Query
		if q.DataSource != "metrics" {
			complain(w, http.StatusBadRequest, "unknown data source")
			return
		}
	}
	from, to := time.UnixMilli(at.From).UTC(), time.UnixMilli(at.To).UTC()
	interval := time.Duration(at.Interval) * time.Millisecond
	var rows []row
	for index, f := range at.Formulas {
		reply := s.world.Reply(exprs[f.Formula])
		if reply.Refused != "" {
			complain(w, http.StatusBadRequest, reply.Refused)
			return
		}
		for _, one := range reply.Series {
			// The oldest bucket is whole, and the newest the one that holds the end.
			points := providertest.Within(one.Points, from, to.Add(interval))
			rows = append(rows, row{tags(one.Labels), index, points})
		}
	}
	_ = json.NewEncoder(w).Encode(rowsAnswer(rows))
}

func complain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{text}})
}

type row struct {
	tags   []string
	index  int
	points []analysis.Point
}

func tags(labels map[string]string) []string {
	all := []string{}
	for name, value := range labels {
		all = append(all, name+":"+value)
	}
	return all
}

// rowsAnswer lays rows on one time axis, which has the times at which any of them
// has a value.
func rowsAnswer(rows []row) map[string]any {
	axis := []int64{}
	for _, r := range rows {
		for _, p := range r.points {
			if !p.Gap() {
				axis = append(axis, p.Time.UnixMilli())
			}
		}
	}
	slices.Sort(axis)
	axis = slices.Compact(axis)
	series, values := []map[string]any{}, [][]*float64{}
	for _, r := range rows {
		line := make([]*float64, len(axis))
		empty := true
		for _, p := range r.points {
			if i, ok := slices.BinarySearch(axis, p.Time.UnixMilli()); ok && !math.IsNaN(p.Value) {
				line[i] = &p.Value
				empty = false
			}
		}
		if empty && len(r.points) == 0 {
			continue
		}
		series = append(series, map[string]any{"group_tags": r.tags, "query_index": r.index, "unit": nil})
		values = append(values, line)
	}
	return map[string]any{"data": map[string]any{
		"id": "0", "type": "timeseries_response",
		"attributes": map[string]any{"times": axis, "series": series, "values": values},
	}}
}
