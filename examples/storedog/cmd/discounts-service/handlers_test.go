package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"storedog/internal/service"
)

// fakeShelf has one discount, or an error.
type fakeShelf struct {
	only discount
	err  error
}

func (s fakeShelf) today(context.Context) (discount, error) { return s.only, s.err }

func (s fakeShelf) byCode(_ context.Context, code string) (discount, error) {
	if s.err == nil && code != s.only.Code {
		return discount{}, errNoDiscount
	}
	return s.only, s.err
}

func TestHandler(t *testing.T) {
	t.Parallel()
	shelf := fakeShelf{only: discount{Code: "STOREDOG20", Percent: 20}}
	broken := fakeShelf{err: errors.New("the database is on fire, its password is secret")}
	for _, c := range []struct {
		name, path string
		shelf      fakeShelf
		code       int
		text       string
	}{
		{"today's", "/discount", shelf, http.StatusOK, `{"code":"STOREDOG20","percent":20}`},
		{"none today", "/discount", fakeShelf{err: errNoDiscount}, http.StatusNotFound, "no such discount"},
		{"by code", "/discounts/STOREDOG20", shelf, http.StatusOK, `{"code":"STOREDOG20","percent":20}`},
		{"an unknown code", "/discounts/CAT100", shelf, http.StatusNotFound, "no such discount"},
		{"no database", "/discount", broken, http.StatusInternalServerError, "the discounts cannot be read"},
		{"no database by code", "/discounts/STOREDOG20", broken, http.StatusInternalServerError, "the discounts cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			handler := newHandler(c.shelf, service.NewMetrics(service.Identity{}))
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, http.NoBody))
			if got := strings.TrimSpace(w.Body.String()); w.Code != c.code || got != c.text {
				t.Errorf("got %d %s, want %d %s", w.Code, got, c.code, c.text)
			}
		})
	}
}

// TestDatabase needs a PostgreSQL: STOREDOG_TEST_DATABASE_URL says which.
func TestDatabase(t *testing.T) {
	t.Parallel()
	url := os.Getenv("STOREDOG_TEST_DATABASE_URL")
	if url == "" {
		t.Skip("STOREDOG_TEST_DATABASE_URL is not set")
	}
	db, err := openDatabase(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.pool.Close()
	if err := db.applySchema(t.Context()); err != nil {
		t.Errorf("the schema cannot be applied twice: %v", err)
	}
	want := discount{Code: "STOREDOG20", Percent: 20}
	if got, err := db.today(t.Context()); err != nil || got != want {
		t.Errorf("today's discount is %v (%v), want %v", got, err, want)
	}
	if got, err := db.byCode(t.Context(), "STOREDOG20"); err != nil || got != want {
		t.Errorf("by its code it is %v (%v), want %v", got, err, want)
	}
	if _, err := db.byCode(t.Context(), "CAT100"); !errors.Is(err, errNoDiscount) {
		t.Errorf("an unknown code is %v, want %v", err, errNoDiscount)
	}
}
