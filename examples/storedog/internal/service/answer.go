package service

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// clientGone is nginx's status code for a client that left before the answer.
const clientGone = 499

// answer remembers the status code of an answer; 0 is none yet.
type answer struct {
	http.ResponseWriter
	code int
}

func (a *answer) WriteHeader(code int) {
	if a.code == 0 {
		a.code = code
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(text []byte) (int, error) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	return a.ResponseWriter.Write(text)
}

// serve has a handler answer a request, and returns the status code of the outcome.
func serve(handler http.Handler, w http.ResponseWriter, r *http.Request) (code int) {
	a := &answer{ResponseWriter: w}
	defer func() {
		fault := recover()
		switch {
		case fault != nil:
			// Left to net/http, a panic closes the connection, and is counted nowhere.
			slog.Error("panic", "path", r.URL.Path, "fault", fault, "stack", string(debug.Stack()))
			if a.code == 0 {
				http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			}
			code = http.StatusInternalServerError
		case errors.Is(r.Context().Err(), context.Canceled):
			code = clientGone // whatever failed then, failed for it
		case a.code == 0:
			code = http.StatusOK
		default:
			code = a.code
		}
	}()
	handler.ServeHTTP(a, r)
	return code
}
