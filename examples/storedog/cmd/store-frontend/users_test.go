package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"storedog/internal/service"
)

func TestVisitors(t *testing.T) {
	t.Parallel()
	metrics := service.NewMetrics(service.Identity{Service: "store-frontend", Version: "abc1234", Flavour: "canary"})
	handler := newHandler(fakeDiscounts{only: discount{"STOREDOG20", 20}}, featureFlag{newBannerFlag, 20}, metrics)
	visit := func(header http.Header) {
		r := httptest.NewRequest(http.MethodGet, "/products/1", http.NoBody)
		r.Header = header
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	for range 2 { // who comes twice counts once
		for i := 1; i <= 20; i++ { // 3 of them have the flag, see TestFlagIsStable
			visit(http.Header{service.UserHeader: {fmt.Sprintf("user-%d", i)}})
		}
	}
	visit(http.Header{})
	visit(http.Header{service.UserHeader: {"check-1"}, service.SyntheticHeader: {"true"}})

	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{
		`shop_users{flag="off",flavour="canary",service="store-frontend",version="abc1234"} 17`,
		`shop_users{flag="on",flavour="canary",service="store-frontend",version="abc1234"} 3`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestUserCounterIsBounded(t *testing.T) {
	t.Parallel()
	c := newUserCounter(10)
	for i := range 100 {
		c.see(fmt.Sprint(i))
	}
	if got := c.count(); got != 10 {
		t.Errorf("the count is %v, want 10", got)
	}
}
