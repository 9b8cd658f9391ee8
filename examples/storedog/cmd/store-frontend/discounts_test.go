package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"storedog/internal/service"
)

func TestDiscountsService(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		code int
		text string
		want discount
		err  string // that is in the error
	}{
		{"a discount", 200, `{"code":"STOREDOG20","percent":20}`, discount{"STOREDOG20", 20}, ""},
		{"no such discount", 404, "no such discount", discount{}, errNoDiscount.Error()},
		{"no code", 200, `{"coupon":"STOREDOG20","percent":20}`, discount{}, `/discount: the discount has no code: {"coupon":"STOREDOG20"`},
		{"no JSON", 200, "<html>", discount{}, "read the discount"},
		{"an error", 500, "", discount{}, "500 Internal Server Error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.text)
			}))
			defer server.Close()
			got, err := newDiscountsService(server.URL, "canary").today(httptest.NewRequest(http.MethodGet, "/", http.NoBody))
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v (%v), want %v (%s)", got, err, c.want, c.err)
			}
			if c.code == http.StatusNotFound && !errors.Is(err, errNoDiscount) {
				t.Errorf("the error is %v, want %v", err, errNoDiscount)
			}
		})
	}
}

// TestDiscountsServiceIsTold checks what the discounts service gets to know.
func TestDiscountsServiceIsTold(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r
		_, _ = io.WriteString(w, `{"code":"A/B","percent":5}`)
	}))
	defer server.Close()
	asked := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	asked.Header = http.Header{
		service.UserHeader: {"user-7"}, service.FlagHeader: {newBannerFlag}, service.SyntheticHeader: {"true"},
		service.FlavourHeader: {"production"}, "Cookie": {"secret"},
	}
	if _, err := newDiscountsService(server.URL, "canary").byCode(asked, "A/B"); err != nil {
		t.Fatal(err)
	}
	r := <-got
	for name, want := range map[string]string{
		service.UserHeader: "user-7", service.FlagHeader: newBannerFlag, service.SyntheticHeader: "true",
		service.FlavourHeader: "canary", // the one that asks, whatever it was asked as
		"Cookie":              "",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got, want := r.URL.EscapedPath(), "/discounts/A%2FB"; got != want {
		t.Errorf("the path is %s, want %s", got, want)
	}
}
