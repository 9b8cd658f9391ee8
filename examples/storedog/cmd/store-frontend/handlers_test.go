package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"storedog/internal/service"
)

// fakeDiscounts has one discount, or an error.
type fakeDiscounts struct {
	only discount
	err  error
}

func (f fakeDiscounts) today(*http.Request) (discount, error) { return f.only, f.err }

func (f fakeDiscounts) byCode(_ *http.Request, code string) (discount, error) {
	if f.err == nil && code != f.only.Code {
		return discount{}, errNoDiscount
	}
	return f.only, f.err
}

func TestHandler(t *testing.T) {
	t.Parallel()
	const get, post = http.MethodGet, http.MethodPost
	usual := fakeDiscounts{only: discount{Code: "STOREDOG20", Percent: 20}}
	broken := fakeDiscounts{err: errors.New("the discount has no code")}
	for _, c := range []struct {
		name, method, path string
		discounts          fakeDiscounts
		flagShare          float64
		code               int
		text               string // that is in the answer
	}{
		{"home", get, "/", usual, 0, 200, "Discount of the day: 20 % off with the code STOREDOG20"},
		{"home with the flag", get, "/", usual, 100, 200, "Woof! Dog Bowl for 20.00 instead of 25.00, and 20 % off all else: STOREDOG20"},
		{"home without a discount today", get, "/", fakeDiscounts{err: errNoDiscount}, 0, 200, "Squeaky Bone"},
		{"home without discounts", get, "/", broken, 0, 500, "Please try again"},
		{"a product", get, "/products/2", broken, 0, 200, "<h2>Squeaky Bone</h2>"},
		{"an unknown product", get, "/products/7", usual, 0, 404, "no such product"},
		{"checkout", post, "/checkout?product=1&code=STOREDOG20", usual, 0, 200,
			`{"product":"Dog Bowl","price":"25.00","code":"STOREDOG20","percent":20,"total":"20.00"}`},
		{"checkout without a code", post, "/checkout?product=1", broken, 0, 200, `{"product":"Dog Bowl","price":"25.00","percent":0,"total":"25.00"}`},
		{"checkout with an unknown code", post, "/checkout?product=1&code=CAT100", usual, 0, 400, "no such discount"},
		{"checkout of an unknown product", post, "/checkout?product=7", usual, 0, 400, "no such product"},
		{"checkout without discounts", post, "/checkout?product=1&code=STOREDOG20", broken, 0, 500, "Please try again"},
		{"no such page", get, "/cats", usual, 0, 404, "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			handler := newHandler(c.discounts, featureFlag{newBannerFlag, c.flagShare}, service.NewMetrics(service.Identity{}))
			w := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, c.path, http.NoBody)
			r.Header.Set(service.UserHeader, "user-1")
			handler.ServeHTTP(w, r)
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) {
				t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, c.code, c.text)
			}
		})
	}
}

func TestCheckoutTakesForms(t *testing.T) {
	t.Parallel()
	handler := newHandler(fakeDiscounts{only: discount{"GOODBOY10", 10}}, featureFlag{}, service.NewMetrics(service.Identity{}))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/checkout", strings.NewReader("product=2&code=GOODBOY10"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	handler.ServeHTTP(w, r)
	// 90 % of 7.99 are 7.191.
	if !strings.Contains(w.Body.String(), `"total":"7.19"`) {
		t.Errorf("got %d %s, want a total of 7.19", w.Code, w.Body)
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price   cents
		percent int
		want    string
	}{
		{2500, 20, "20.00"},
		{999, 20, "7.99"}, // 7.992
		{50, 1, "0.50"},   // 0.495
		{2500, 0, "25.00"},
		{2500, 100, "0.00"},
	} {
		if got := c.price.after(discount{Percent: c.percent}).String(); got != c.want {
			t.Errorf("%s less %d %% is %s, want %s", c.price, c.percent, got, c.want)
		}
	}
}
