// Package apitest has what the tests of the packages beside it share: a client with keys that
// an error must not show.
package apitest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
)

// The keys of the client.
const (
	APIKey = "hunter2-api"
	AppKey = "hunter2-app"
)

// Client returns a client with these keys, unless the options have others.
func Client(t testing.TB, o api.Options) *api.Client {
	t.Helper()
	if o.APIKey == "" {
		o.APIKey, o.AppKey = APIKey, AppKey
	}
	c, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ShowsKey reports whether an error shows a key, however it is written.
func ShowsKey(err error) bool {
	return strings.Contains(fmt.Sprintf("%v %+v %#v %#v", err, err, err, errors.Unwrap(err)), "hunter2")
}
