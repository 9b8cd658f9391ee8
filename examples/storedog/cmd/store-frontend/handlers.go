package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"storedog/internal/service"
)

//go:embed pages.html
var pagesText string

var pages = template.Must(template.New("pages").Parse(pagesText))

// store is the shop as its users see it.
type store struct {
	discounts discounts
}

// newHandler answers the requests of the store's users.
func newHandler(discounts discounts, flag featureFlag, metrics *service.Metrics) http.Handler {
	s := store{discounts}
	mux := http.NewServeMux()
	metrics.Handle(mux, "GET /{$}", s.home)
	metrics.Handle(mux, "GET /products/{id}", s.product)
	metrics.Handle(mux, "POST /checkout", s.checkout)
	return flag.mark(newVisitors(metrics).watch(mux))
}

// home shows the products and the discount of the day.
func (s store) home(w http.ResponseWriter, r *http.Request) {
	text, err := s.banner(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	show(w, r, "home", struct {
		Banner   string
		Products []product
	}{text, catalogue})
}

func (s store) product(w http.ResponseWriter, r *http.Request) {
	p, ok := productByID(r.PathValue("id"))
	if !ok {
		http.Error(w, "there is no such product", http.StatusNotFound)
		return
	}
	show(w, r, "product", p)
}

// receipt is the answer to a checkout.
type receipt struct {
	Product string `json:"product"`
	Price   string `json:"price"`
	Code    string `json:"code,omitempty"`
	Percent int    `json:"percent"`
	Total   string `json:"total"`
}

// checkout sells a product, for less with a code.
func (s store) checkout(w http.ResponseWriter, r *http.Request) {
	p, ok := productByID(r.FormValue("product"))
	if !ok {
		http.Error(w, "there is no such product", http.StatusBadRequest)
		return
	}
	var d discount
	if code := r.FormValue("code"); code != "" {
		var err error
		d, err = s.discounts.byCode(r, code)
		switch {
		case errors.Is(err, errNoDiscount):
			http.Error(w, "there is no such discount", http.StatusBadRequest)
			return
		case err != nil:
			fail(w, r, err)
			return
		}
	}
	total := p.Price.after(d)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(receipt{ // fails only if the user has left
		Product: p.Name, Price: p.Price.String(), Code: d.Code, Percent: d.Percent, Total: total.String(),
	})
}

// show answers with a page.
func show(w http.ResponseWriter, r *http.Request, page string, data any) {
	var b bytes.Buffer // an error must not follow half a page
	if err := pages.ExecuteTemplate(&b, page, data); err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // fails only if the user has left
}

// fail answers that the store cannot, and logs why.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	slog.Error("answer a request", "path", r.URL.Path, "user", r.Header.Get(service.UserHeader), "err", err)
	http.Error(w, "Storedog is chasing its tail. Please try again.", http.StatusInternalServerError)
}
