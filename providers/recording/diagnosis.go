package recording

import (
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// Diagnosis is what a source told about a query that it answered with nothing, or with
// zeros alone. Nothing is judged by it.
type Diagnosis struct {
	Metric string         `json:"metric"`
	Arm    providers.Arm  `json:"arm"`
	Part   providers.Part `json:"part"`
	Text   string         `json:"text"`
}

// Diagnosis appends a diagnosis, in the mark of the latest look, where readers of this
// format that know nothing of diagnoses see the mark alone.
func (w *Writer) Diagnosis(look int, end time.Time, d Diagnosis) error {
	return w.write(struct {
		Look      int       `json:"look"`
		Time      time.Time `json:"t"`
		Diagnosis Diagnosis `json:"diagnosis"`
	}{look, end.UTC(), d})
}
