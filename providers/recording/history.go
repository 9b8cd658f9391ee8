package recording

import (
	"errors"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/web"
)

// History is what a run looked at before its first step. Its points stand in the recording
// as all others do, before those of the run.
type History struct {
	// Start is the beginning of the first step of the run, warm-up included.
	Start time.Time
	// From (inclusive) and To (exclusive) are what was asked for, and Since is where what
	// counts of it begins. They are zero in a history of earlier windows.
	From, Since, To time.Time
	// Back is how far before the run each earlier window lies, the nearest first.
	Back []time.Duration
	// By is the label that Instances are told apart by; "" in a history of the arms.
	By string
	// Instances are what each instance of an arm showed, metric by metric.
	Instances []Instance
	// Warmup and Steps are the window of the run: the warm-up may be longer for the history.
	Warmup, Steps int
	// Notes are what is to be known of it, such as why it is cut.
	Notes []string
}

// history is how a History stands in a file: in the mark of a look, so that readers of this
// format that know nothing of histories see the mark alone.
type history struct {
	From  string   `json:"from,omitempty"`
	Since string   `json:"since,omitempty"`
	To    string   `json:"to,omitempty"`
	Back  []string `json:"back,omitempty"` // as Go writes durations
	By    string   `json:"by,omitempty"`
	// Instances is how many of the lines before this one are its instances.
	Instances int      `json:"instances,omitempty"`
	Warmup    int      `json:"warmup"`
	Steps     int      `json:"steps"`
	Notes     []string `json:"notes,omitempty"`
}

// read reads a history of a run that starts then.
func (h history) read(start time.Time) (*History, error) {
	all := &History{Start: start.UTC(), By: h.By, Warmup: h.Warmup, Steps: h.Steps, Notes: h.Notes}
	if h.Warmup < 0 || h.Steps < 1 {
		return nil, fmt.Errorf("a history is of a window with %d steps after a warm-up of %d", h.Steps, h.Warmup)
	}
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"from", h.From, &all.From}, {"since", h.Since, &all.Since}, {"to", h.To, &all.To}} {
		if t.text == "" && len(h.Back) > 0 {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil || at.Before(earliest) || !at.Before(latest) {
			return nil, fmt.Errorf("%s of a history is %q; want a time such as 2026-11-23T10:00:00Z", t.name, web.Quote(t.text))
		}
		*t.into = at.UTC()
	}
	if all.Since.Before(all.From) || all.To.Before(all.Since) || all.To.After(all.Start) {
		return nil, errors.New("the times of a history do not follow each other")
	}
	for _, text := range h.Back {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("a window of a history lies %q back; want a length of time such as 24h0m0s", web.Quote(text))
		}
		all.Back = append(all.Back, d)
	}
	return all, nil
}

// History marks that all of a history has been written, and makes it safe on disk.
func (w *Writer) History(h History) error {
	lines := 0
	for _, i := range h.Instances {
		for _, part := range i.lines() {
			if err := w.instance(h.Start, part); err != nil {
				return err
			}
			lines++
		}
	}
	line := history{By: h.By, Instances: lines, Warmup: h.Warmup, Steps: h.Steps, Notes: h.Notes}
	if len(h.Back) == 0 {
		line.From, line.Since, line.To = h.From.UTC().Format(time.RFC3339), h.Since.UTC().Format(time.RFC3339), h.To.UTC().Format(time.RFC3339)
	}
	for _, d := range h.Back {
		line.Back = append(line.Back, d.String())
	}
	err := w.write(struct {
		Look    int       `json:"look"`
		Time    time.Time `json:"t"`
		History history   `json:"history"`
	}{0, h.Start.UTC(), line})
	if err != nil {
		return err
	}
	return w.Flush()
}
