package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// End says how a run ended, when it ended by itself.
type End struct {
	Why    string `json:"end"`              // "verdict", "window", "interrupted" or "error"
	Detail string `json:"detail,omitempty"` // the error's text
	// Verdict is what is acted on; "" when nothing is, and in recordings of versions that
	// did not say what they did about it.
	Verdict string `json:"verdict,omitempty"`
}

// Action is something that a run does at its verdict, such as a revert. It is written
// before it begins and after it has ended, so that after a crash it is known what was
// done.
type Action struct {
	Name string
	// Done is whether it ended; else nobody knows how far it came.
	Done bool
	// Outcome is what came of it, in the words of who did it.
	Outcome json.RawMessage
}

// Process says who writes a recording.
type Process struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func (p Process) String() string {
	return fmt.Sprintf("process %d on %s, since %s", p.PID, p.Host, p.Since.UTC().Format(time.RFC3339))
}

// after is a line that follows the end of a run. It holds the end's word, too: versions
// that know nothing of such lines read it as the end once more.
type after struct {
	Why       string          `json:"end"`
	Acting    string          `json:"acting,omitempty"`
	Acted     string          `json:"acted,omitempty"`
	Outcome   json.RawMessage `json:"outcome,omitempty"`
	Concluded bool            `json:"concluded,omitempty"`
	Resumed   *Process        `json:"resumed,omitempty"`
}

// ended takes a line about the end of the run, or about what follows it.
func (r *Recording) ended(l line) error {
	switch {
	case l.Resumed != nil:
		r.Writer = l.Resumed
		if r.End == nil {
			r.End = &End{Why: *l.Why}
		}
	case l.Acting != nil:
		r.Actions = append(r.Actions, Action{Name: *l.Acting})
	case l.Acted != nil:
		at := -1
		for i, a := range r.Actions {
			if a.Name == *l.Acted {
				at = i
			}
		}
		if at < 0 {
			return errors.New("an action has ended that never began")
		}
		r.Actions[at].Done, r.Actions[at].Outcome = true, l.Outcome
	case l.Concluded:
		r.Concluded = true
	default:
		r.End = &End{Why: *l.Why, Detail: l.Detail, Verdict: l.Verdict}
	}
	return nil
}

// Action returns what is known of an action, and false when it was never begun.
func (r *Recording) Action(name string) (Action, bool) {
	for i := len(r.Actions) - 1; i >= 0; i-- {
		if r.Actions[i].Name == name {
			return r.Actions[i], true
		}
	}
	return Action{}, false
}

// End marks how the run ended, safe on disk. What is done about it may follow.
func (w *Writer) End(e End) error {
	w.why = e.Why
	return w.mark(e)
}

// Resumed marks who goes on with a recording.
func (w *Writer) Resumed(by Process) error { return w.mark(after{Why: w.why, Resumed: &by}) }

// Acting marks that an action begins, safe on disk: without that, a crash would have it
// done twice.
func (w *Writer) Acting(name string) error { return w.mark(after{Why: w.why, Acting: name}) }

// Acted marks that an action has ended, and what came of it.
func (w *Writer) Acted(name string, outcome json.RawMessage) error {
	return w.mark(after{Why: w.why, Acted: name, Outcome: outcome})
}

// Conclude marks that everything is done and closes the file: there is nothing left to
// resume.
func (w *Writer) Conclude() error {
	return errors.Join(w.mark(after{Why: w.why, Concluded: true}), w.Abandon())
}

// mark writes a line, safe on disk.
func (w *Writer) mark(line any) error {
	if err := w.write(line); err != nil {
		return err
	}
	return w.Flush()
}
