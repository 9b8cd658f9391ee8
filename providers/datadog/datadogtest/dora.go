package datadogtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Mark is a deployment that was marked, by its id or by the rest.
type Mark struct{ ID, Service, Env, Version string }

// Marks returns the deployments that were marked as failed, in order.
func (s *Server) Marks() []Mark {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.marks)
}

// dora answers the routes of deployments, and reports whether it was one:
//
// PATCH /api/v2/dora/deployments/ID, and by service, env and version
// /api/v2/dora/deployments: 202 with {"data":null} [cassette, of the first]; a type that is
// none, or an attribute that is missing, is a 400 whose errors are objects with status,
// title and detail [cassette, of another attribute]. What is marked need not exist: the
// recorded API takes the id of a remediation that does not [cassette]; whether it does so
// for the deployment itself is a [guess].
func (s *Server) dora(w http.ResponseWriter, r *http.Request) bool {
	rest, ours := strings.CutPrefix(r.URL.Path, "/api/v2/dora/deployments")
	if !ours || rest != "" && rest[0] != '/' || r.Method != http.MethodPatch {
		return false
	}
	id := strings.TrimPrefix(rest, "/")
	var asked struct {
		Data struct {
			ID, Type   string
			Attributes struct {
				ChangeFailure         *bool `json:"change_failure"`
				Service, Env, Version string
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		detailed(w, err.Error())
		return true
	}
	a := asked.Data.Attributes
	switch {
	case asked.Data.Type != "dora_deployment_patch_request":
		detailed(w, `attribute "type" must be one of "dora_deployment_patch_request"`)
	case asked.Data.ID != id:
		detailed(w, fmt.Sprintf("the id %q is not that of the path", asked.Data.ID))
	case id == "" && (a.Service == "" || a.Env == "" || a.Version == ""), a.ChangeFailure == nil:
		detailed(w, "an attribute is missing")
	default:
		if *a.ChangeFailure {
			s.lock.Lock()
			s.marks = append(s.marks, Mark{id, a.Service, a.Env, a.Version})
			s.lock.Unlock()
		}
		w.WriteHeader(http.StatusAccepted)
		answer(w, map[string]any{"data": nil})
	}
	return true
}

// detailed sends the error of a newer route.
func detailed(w http.ResponseWriter, detail string) {
	w.WriteHeader(http.StatusBadRequest)
	answer(w, map[string]any{"errors": []map[string]string{{"status": "400", "title": "Bad Request", "detail": detail}}})
}
