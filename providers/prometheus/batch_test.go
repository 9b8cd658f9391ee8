package prometheus_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

// picky answers each query with its number, and refuses batches as it is told to.
type picky struct {
	refuse   func(query string, exprs []string) (status int, body string) // 0: it answers
	requests []int                                                        // how many expressions each had
}

func (s *picky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	exprs := expressions(query)
	s.requests = append(s.requests, len(exprs))
	if status, body := s.refuse(query, slices.Collect(maps.Values(exprs))); status != 0 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return
	}
	var rows []string
	for mark, expr := range exprs {
		label := ""
		if mark != "" {
			label = fmt.Sprintf(`"canary_judge_query":%q`, mark)
		}
		rows = append(rows, fmt.Sprintf(`{"metric":{%s},"values":[[%s,"%s"]]}`, label, r.FormValue("end"), strings.TrimLeft(expr, "load_")))
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(rows, ","))
}

// look asks for the queries load_1 to load_n, and returns how many requests of how many expressions that took.
func look(t *testing.T, p *prometheus.Provider, s *picky, n int) ([]int, []providers.Answer, error) {
	t.Helper()
	s.requests = nil
	var queries []providers.Query
	for i := range n {
		queries = append(queries, one(fmt.Sprintf("load_%d", i+1)))
	}
	answers, err := p.Fetch(t.Context(), queries)
	return s.requests, answers, err
}

// numbered checks that each query has its own number, but for those that fail.
func numbered(t *testing.T, answers []providers.Answer, fail ...int) {
	t.Helper()
	for i, a := range answers {
		if slices.Contains(fail, i+1) {
			if a.Err == nil {
				t.Errorf("load_%d has an answer", i+1)
			}
			continue
		}
		if a.Err != nil || len(a.Series) != 1 || len(a.Series[0].Labels) > 0 || a.Series[0].Points[0].Value() != float64(i+1) {
			t.Errorf("load_%d: %+v", i+1, a)
		}
	}
}

// What a server refuses is learnt: the looks after the first cost what they must.
func TestBatchesLearn(t *testing.T) {
	t.Parallel()
	timedOut := `{"status":"error","errorType":"timeout","error":"query timed out"}`
	for _, tt := range []struct {
		name          string
		refuse        func(query string, exprs []string) (int, string)
		fail          []int
		first, second int // requests, at most
	}{
		{"nothing", func(string, []string) (int, string) { return 0, "" }, nil, 1, 1},
		{"long queries, as VictoriaMetrics", func(query string, _ []string) (int, string) {
			if len(query) > 2500 {
				return 422, `{"status":"error","errorType":"422","error":"too long query"}`
			}
			return 0, ""
		}, nil, 9, 4},
		{"one query", func(_ string, exprs []string) (int, string) {
			if slices.Contains(exprs, "load_17") {
				return 422, `{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}`
			}
			return 0, ""
		}, []int{17}, 15, 2},
		{"batches, by a page", func(_ string, exprs []string) (int, string) {
			if len(exprs) > 1 {
				return 200, "<html>blocked</html>"
			}
			return 0, ""
		}, nil, 80, 60},
		{"batches, as not allowed", func(_ string, exprs []string) (int, string) {
			if len(exprs) > 1 {
				return 403, "blocked by the firewall"
			}
			return 0, ""
		}, nil, 41, 45},
		{"what takes too long", func(_ string, exprs []string) (int, string) {
			if len(exprs) > 30 {
				return 503, timedOut
			}
			return 0, ""
		}, nil, 45, 5},
		{"a part of the data, for many", func(_ string, exprs []string) (int, string) {
			if len(exprs) > 30 {
				return 200, `{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]}}`
			}
			return 0, ""
		}, nil, 41, 5},
		{"a warning about one query", func(_ string, exprs []string) (int, string) {
			if slices.Contains(exprs, "load_3") {
				return 200, `{"status":"success","warnings":["PromQL warning: bucket label \"le\" is missing"],"data":{"resultType":"matrix","result":[]}}`
			}
			return 0, ""
		}, []int{3}, 15, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &picky{refuse: tt.refuse}
				p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, inOrder(s)))
				for look1, most := range []int{tt.first, tt.second} {
					requests, answers, err := look(t, p, s, 40)
					if err != nil {
						t.Fatal(err)
					}
					numbered(t, answers, tt.fail...)
					if len(requests) > most {
						t.Errorf("look %d took %d requests %v, want %d at most", look1+1, len(requests), requests, most)
					}
				}
			})
		})
	}
}

// inOrder serves one request after another.
func inOrder(h http.Handler) http.Handler {
	turn := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn <- struct{}{}
		defer func() { <-turn }()
		h.ServeHTTP(w, r)
	})
}

// A server in trouble is not asked once more for each query, and its trouble is told as that
// of one query.
func TestBatchesOfAServerInTrouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		class  web.Class
		most   int
	}{{401, web.Auth, 2}, {403, web.Auth, 2}, {404, web.Settings, 1}, {429, web.Limit, 5}, {500, web.Unreachable, 10}} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &picky{refuse: func(string, []string) (int, string) { return tt.status, "no" }}
				p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, inOrder(s)))
				requests, _, err := look(t, p, s, 40)
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || len(requests) > tt.most {
					t.Errorf("%v after %d requests, want class %q after %d at most", err, len(requests), tt.class, tt.most)
				}
			})
		})
	}
}

// A batch never mixes windows, and what has no mark is not taken for anybody's.
func TestBatchesKeepApart(t *testing.T) {
	t.Parallel()
	s := &picky{refuse: func(string, []string) (int, string) { return 0, "" }}
	p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, inOrder(s)))
	queries := []providers.Query{one("load_1"), one("load_2"), one("load_3"), one("load_1")}
	queries[1].End = queries[1].End.Add(time.Minute)
	answers, err := p.Fetch(t.Context(), queries)
	if err != nil || len(s.requests) != 2 {
		t.Fatalf("%v, %v; want two requests", err, s.requests)
	}
	for i, want := range []float64{1, 2, 3, 1} {
		if a := answers[i]; a.Err != nil || a.Series[0].Points[0].Value() != want {
			t.Errorf("query %d: %+v", i, a)
		}
	}
	blind := providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[%s,"1"]]}]}}`, r.FormValue("end"))
	}))
	p = open(t, prometheus.Settings{URL: "http://prometheus:9090"}, blind)
	_, answers, err = look(t, p, &picky{}, 3)
	for i, a := range answers {
		if err != nil || a.Err != nil || len(a.Series) != 1 {
			t.Errorf("query %d of a server that loses marks: %+v, %v", i, a, err)
		}
	}
}

// A server that loses a part of a batch is found out; one that has nothing of it is asked once more, once.
func TestBatchesThatLoseSeries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		alone    string // what the lost query has by itself
		series   int
		requests []int
	}{
		{"lost", "", 1, []int{2, 2}},
		{"nothing there", empty, 0, []int{2, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &picky{refuse: func(query string, _ []string) (int, string) {
				if query == "load_3" && tt.alone != "" {
					return http.StatusOK, tt.alone
				}
				return 0, ""
			}}
			p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, inOrder(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Form = url.Values{"end": {r.FormValue("end")}, "query": {strings.ReplaceAll(r.FormValue("query"), "label_replace((load_3\n)", "lost((load_3\n)")}}
				s.ServeHTTP(w, r)
			}))))
			for i, want := range tt.requests {
				requests, answers, err := look(t, p, s, 5)
				if err != nil || len(requests) != want {
					t.Errorf("look %d: %d requests %v, want %d; %v", i+1, len(requests), requests, want, err)
				}
				if got := answers[2]; got.Err != nil || len(got.Series) != tt.series {
					t.Errorf("look %d: %+v", i+1, got)
				}
			}
		})
	}
}
