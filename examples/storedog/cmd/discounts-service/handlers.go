package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"storedog/internal/service"
)

// newHandler answers requests for discounts.
func newHandler(shelf shelf, metrics *service.Metrics) http.Handler {
	mux := http.NewServeMux()
	metrics.Handle(mux, "GET /discount", func(w http.ResponseWriter, r *http.Request) {
		d, err := shelf.today(r.Context())
		reply(w, d, err)
	})
	metrics.Handle(mux, "GET /discounts/{code}", func(w http.ResponseWriter, r *http.Request) {
		d, err := shelf.byCode(r.Context(), r.PathValue("code"))
		reply(w, d, err)
	})
	return mux
}

// reply answers with a discount, or with why there is none.
func reply(w http.ResponseWriter, d discount, err error) {
	switch {
	case errors.Is(err, errNoDiscount):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		slog.Error("look up a discount", "err", err)
		http.Error(w, "the discounts cannot be read", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(d); err != nil {
			slog.Warn("send a discount", "err", err)
		}
	}
}
