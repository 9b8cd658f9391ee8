package datadogtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Notebook is a notebook that was written.
type Notebook struct {
	Name  string
	Text  string   // of its first cell
	Lines []string // formulas of the graphs, in order
}

// Notebooks returns the notebooks that were written, in order.
func (s *Server) Notebooks() []Notebook {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.notebooks)
}

// notebook answers the route of new notebooks, and reports whether it was one:
//
// POST /api/v1/notebooks: data of the type notebooks with a name of at most 80 characters,
// a time and cells of the type notebook_cells, whose definitions are markdown or
// timeseries [code]; data with an id, which is a number [code, cassette]. Of a graph only
// the names in its formulas are looked at.
func (s *Server) notebook(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/notebooks" {
		return false
	}
	var asked struct {
		Data struct {
			Type       string
			Attributes struct {
				Name  string
				Time  struct{ Start, End string }
				Cells []struct {
					Type       string
					Attributes struct {
						Definition struct {
							Type, Text string
							Requests   []struct {
								Queries  []struct{ Name, Query string }
								Formulas []struct{ Formula string }
							}
						}
					}
				}
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		complain(w, http.StatusBadRequest, err.Error())
		return true
	}
	a := asked.Data.Attributes
	if asked.Data.Type != "notebooks" || a.Name == "" || len([]rune(a.Name)) > 80 || a.Time.Start == "" || a.Time.End == "" || len(a.Cells) == 0 {
		complain(w, http.StatusBadRequest, "Invalid notebook")
		return true
	}
	n := Notebook{Name: a.Name}
	for _, c := range a.Cells {
		d := c.Attributes.Definition
		if c.Type != "notebook_cells" || d.Type != "markdown" && d.Type != "timeseries" {
			complain(w, http.StatusBadRequest, "Invalid cell")
			return true
		}
		n.Text += d.Text
		for _, request := range d.Requests {
			for _, f := range request.Formulas {
				n.Lines = append(n.Lines, f.Formula)
			}
		}
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.notebooks = append(s.notebooks, n)
	answer(w, map[string]any{"data": map[string]any{"id": 123455 + len(s.notebooks), "type": "notebooks", "attributes": map[string]any{"name": a.Name}}})
	return true
}
