package timeseries

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// Whatever is searched for, its page is that of its source, and searches for that.
func FuzzPage(f *testing.F) {
	fetcher := New(apitest.Client(f, api.Options{}))
	for _, search := range []string{"service:shop", `a&b=c#d?e/../f`, "a+b %20 é\x00\xff", `"x\\" OR *`, "https://evil.example/"} {
		f.Add(search)
	}
	f.Fuzz(func(t *testing.T, search string) {
		if strings.TrimSpace(search) == "" {
			return
		}
		page := fetcher.Page(providers.Query{Expr: "logs(" + query.QuoteText(search) + `).rollup("count")`, Start: begin, End: begin.Add(time.Hour)})
		got, err := url.Parse(page)
		if err != nil {
			t.Fatalf("%q: %v", search, err)
		}
		q := got.Query()
		if got.Scheme+"://"+got.Host+got.Path != "https://app.datadoghq.com/logs" || got.Fragment != "" || len(q) != 4 || q.Get("query") != search {
			t.Errorf("%q became %s", search, page)
		}
	})
}
