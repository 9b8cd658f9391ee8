package synthetics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
)

const (
	// testsOnPage is how many tests are asked for at once, which is the API's own default.
	testsOnPage = 100
	// mostTests bounds the tests that are read through.
	mostTests = 20000
)

// TestsTagged implements providers.TestFinder by reading the list of all tests: what a
// search finds is not told in full when there are very many.
func (r *Runs) TestsTagged(ctx context.Context, tag string) ([]providers.TaggedTest, error) {
	doing := "look up the synthetic tests with the tag " + tag
	var found []providers.TaggedTest
	seen := map[string]bool{}
	for page := 0; page*testsOnPage < mostTests; page++ {
		body, failure := r.api.Call(ctx, doing, http.MethodGet, "/api/v1/synthetics/tests",
			url.Values{"page_size": {strconv.Itoa(testsOnPage)}, "page_number": {strconv.Itoa(page)}}, nil)
		if failure != nil {
			return nil, api.CureForbidden(failure, "permission synthetics_read")
		}
		tests, err := readTests(body)
		if err != nil {
			return nil, r.api.Misread(doing, err)
		}
		more := false
		for _, t := range tests {
			if seen[t.ID] {
				continue
			}
			seen[t.ID], more = true, true
			if slices.ContainsFunc(t.tags, func(other string) bool { return strings.EqualFold(other, tag) }) {
				found = append(found, t.TaggedTest)
			}
		}
		// How many make a page is the server's to say: the end is where one brings nothing new.
		if !more {
			return found, nil
		}
	}
	return nil, r.api.Misread(doing, fmt.Errorf("there are more than %d tests; name them by their ids", mostTests))
}

// listedTest is a test of the list.
type listedTest struct {
	providers.TaggedTest
	tags []string
}

// readTests reads a page of
// https://docs.datadoghq.com/api/latest/synthetics/get-the-list-of-all-synthetic-tests/
func readTests(body []byte) ([]listedTest, error) {
	var a struct {
		Tests *[]struct {
			PublicID     string `json:"public_id"`
			Name, Status string
			Tags         []string
		}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("not JSON as the synthetics API answers it: %w: %s", err, body)
	}
	if a.Tests == nil {
		return nil, fmt.Errorf("the answer has no tests: %s", body)
	}
	var all []listedTest
	for _, t := range *a.Tests {
		switch {
		case t.PublicID == "":
			return nil, errors.New("a test has no public_id")
		case t.Status != "live" && t.Status != "paused":
			return nil, fmt.Errorf("the test %s has the status %q, which is neither live nor paused", t.PublicID, t.Status)
		}
		all = append(all, listedTest{providers.TaggedTest{ID: t.PublicID, Name: t.Name, Paused: t.Status == "paused"}, t.Tags})
	}
	return all, nil
}
