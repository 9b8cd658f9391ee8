package report

import (
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
)

// LookedAt is what the run looked at before its first step. What came of it stands with each
// metric.
type LookedAt struct {
	Since *time.Time `json:"since,omitempty" doc:"Beginning of what counts, of both arms before the run"`
	To    *time.Time `json:"to,omitempty" doc:"Its end"`
	// Windows are of a baseline that lies back in time.
	Windows []time.Time `json:"windows,omitempty" doc:"Where the earlier windows begin, warm-up included, the latest first"`
	Hash    string      `json:"sha256" doc:"Hash of the numbers: equal ones are the same history"`
	Notes   []string    `json:"notes,omitempty" doc:"What is to be known of it, such as why it is cut"`
}

// lookedAt says what an outcome's run looked at; nil = nothing.
func lookedAt(h *job.History) *LookedAt {
	if h == nil {
		return nil
	}
	l := &LookedAt{Hash: h.Hash, Notes: slices.Clone(h.Notes)}
	for _, back := range h.Back {
		l.Windows = append(l.Windows, h.Start.Add(-back))
	}
	if len(h.Back) == 0 {
		l.Since, l.To = &h.Since, &h.To
	}
	return l
}
