package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Instance is what one instance of an arm showed of a metric before a run, step by step.
type Instance struct {
	Metric string
	Arm    providers.Arm
	Name   string // the value of the label that tells it from others; untrusted text
	Kind   Kind
	Start  time.Time         // of the first step
	Step   time.Duration     // > 0
	Steps  []analysis.Sample // one each, gaps too
}

// noInstance is what Datadog calls the group of all that has no such tag.
const noInstance = "N/A"

// mostLineSteps is how many steps of an instance stand in one line of a file, so that it is none of
// those that are too long to be read.
const mostLineSteps = 2000

// lines divides an instance into what stands in a line each.
func (i Instance) lines() []Instance {
	var all []Instance
	for steps := range slices.Chunk(i.Steps, mostLineSteps) {
		one := i
		one.Start, one.Steps = i.Start.Add(time.Duration(len(all)*mostLineSteps)*i.Step), steps
		all = append(all, one)
	}
	return all
}

// goesOn reports whether an instance of a line goes on with that of the line before.
func (i Instance) goesOn(before Instance) bool {
	return i.Metric == before.Metric && i.Arm == before.Arm && i.Name == before.Name && i.Kind == before.Kind &&
		i.Step == before.Step && i.Start.Equal(before.Start.Add(time.Duration(len(before.Steps))*before.Step))
}

// InstancesOf makes instances of the answers to queries that were divided by a label, which share
// a window: of each metric and arm in the order of the queries, by name. A series without the label, as
// vector(0) makes one, stands for whatever an instance has nothing else of. Several series of one
// instance are an error, and so is an error in an answer.
func InstancesOf(label string, queries []providers.Query, answers []providers.Answer) ([]Instance, error) {
	var all []Instance
	groups, order := grouped(queries)
	for _, key := range order {
		group := groups[key]
		var names []string
		for _, i := range group {
			if err := answers[i].Err; err != nil {
				return nil, err
			}
			for _, s := range answers[i].Series {
				if name := s.Labels[label]; name != "" && !strings.EqualFold(name, noInstance) && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		slices.Sort(names)
		for _, name := range names {
			one, err := instanceOf(label, name, key, queries, answers, group)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// instanceOf puts the parts of one instance together.
func instanceOf(label, name string, key trackKey, queries []providers.Query, answers []providers.Answer, group []int) (Instance, error) {
	own := make([]providers.Answer, len(answers))
	for _, i := range group {
		for _, value := range []string{name, ""} {
			if len(own[i].Series) > 0 {
				break
			}
			for _, s := range answers[i].Series {
				if s.Labels[label] == value {
					own[i].Series = append(own[i].Series, s)
				}
			}
		}
		if n := len(own[i].Series); n > 1 {
			return Instance{}, providers.Place(queries[i], &web.Error{
				Class: web.BadQuery, Doing: fmt.Sprintf("%d series have %s=%s", n, label, web.Quote(name)),
				Cure: "aggregate them, such as with sum(…): one series of each instance is compared",
			})
		}
	}
	q := queries[group[0]]
	one := Instance{Metric: key.metric, Arm: key.arm, Name: name, Kind: kindOf(q.Part), Start: q.Start, Step: q.Step}
	made := steps(key, queries, own, group)
	for at := range times(queries, group) {
		one.Steps = append(one.Steps, made.at(key, one.Kind, at).Sample)
	}
	return one, nil
}

// instance is how an Instance stands in a file: in the mark of a look, as a history does. What its kind
// does not have is left out, and a gap is null.
type instance struct {
	Metric  string        `json:"metric"`
	Arm     providers.Arm `json:"arm"`
	Name    string        `json:"name"`
	From    string        `json:"from"`
	Step    string        `json:"step"` // as Go writes durations
	Value   []*float64    `json:"value,omitempty"`
	Count   []*float64    `json:"count,omitempty"` // behind each value
	Bad     []*float64    `json:"bad,omitempty"`
	Total   []*float64    `json:"total,omitempty"`
	Buckets []buckets     `json:"buckets,omitempty"`
}

// buckets are a histogram; without counts a gap.
type buckets struct {
	Bounds []*float64 `json:"bounds,omitempty"`
	Counts []*float64 `json:"counts,omitempty"`
	Gap    string     `json:"gap,omitempty"` // why it is one
}

// instance appends an instance of the history of a run that starts then.
func (w *Writer) instance(start time.Time, i Instance) error {
	return w.write(struct {
		Look     int       `json:"look"`
		Time     time.Time `json:"t"`
		Instance Instance  `json:"instance"`
	}{0, start.UTC(), i})
}

// MarshalJSON writes an instance as it stands in a recording.
func (i Instance) MarshalJSON() ([]byte, error) {
	line := instance{Metric: i.Metric, Arm: i.Arm, Name: i.Name, From: i.Start.UTC().Format(time.RFC3339), Step: i.Step.String()}
	counted := slices.ContainsFunc(i.Steps, func(s analysis.Sample) bool { return !math.IsNaN(s.Count()) })
	for _, s := range i.Steps {
		switch i.Kind {
		case Values:
			line.Value = append(line.Value, orNull(s.Value()))
			if counted {
				line.Count = append(line.Count, orNull(s.Count()))
			}
		case Counts:
			line.Bad, line.Total = append(line.Bad, orNull(s.Bad())), append(line.Total, orNull(s.Total()))
		default:
			h := s.Buckets()
			line.Buckets = append(line.Buckets, buckets{pointers(h.Bounds), pointers(h.Counts), s.Why()})
		}
	}
	return json.Marshal(line)
}

func pointers(values []float64) []*float64 {
	all := make([]*float64, len(values))
	for i, v := range values {
		all[i] = orNull(v)
	}
	return all
}

// read reads an instance.
func (i instance) read() (Instance, error) {
	one := Instance{Metric: i.Metric, Arm: i.Arm, Name: i.Name}
	if i.Metric == "" || i.Name == "" {
		return one, errors.New("an instance of a history has no metric, or no name")
	}
	if !slices.Contains(providers.Arms, i.Arm) {
		return one, fmt.Errorf("arm is %q; want baseline or canary", web.Quote(string(i.Arm)))
	}
	at, err := time.Parse(time.RFC3339, i.From)
	if err != nil || at.Before(earliest) || !at.Before(latest) {
		return one, fmt.Errorf("from of an instance is %q; want a time such as 2026-11-23T10:00:00Z", web.Quote(i.From))
	}
	one.Start = at.UTC()
	if one.Step, err = time.ParseDuration(i.Step); err != nil || one.Step <= 0 {
		return one, fmt.Errorf("step of an instance is %q; want a length of time such as 30s", web.Quote(i.Step))
	}
	switch {
	case len(i.Value) > 0:
		if len(i.Count) > 0 && len(i.Count) != len(i.Value) {
			return one, fmt.Errorf("an instance has %d values and %d counts behind them", len(i.Value), len(i.Count))
		}
		counts := orNaN(i.Count)
		for n, v := range orNaN(i.Value) {
			s := analysis.ValueSample(v)
			if len(counts) > 0 {
				s = analysis.QuantileSample(v, counts[n])
			}
			one.Steps = append(one.Steps, s)
		}
	case len(i.Total) > 0:
		if len(i.Bad) != len(i.Total) {
			return one, fmt.Errorf("an instance has %d totals and %d counts of bad ones", len(i.Total), len(i.Bad))
		}
		one.Kind = Counts
		bad := orNaN(i.Bad)
		for n, total := range orNaN(i.Total) {
			one.Steps = append(one.Steps, analysis.CountSample(bad[n], total))
		}
	case len(i.Buckets) > 0:
		one.Kind = Histograms
		for _, b := range i.Buckets {
			s := analysis.GapSample(b.Gap)
			if len(b.Counts) > 0 {
				h := stats.Histogram{Bounds: orNaN(b.Bounds), Counts: orNaN(b.Counts)}
				if err := CheckBuckets(h); err != nil {
					return one, err
				}
				s = analysis.BucketSample(h)
			}
			one.Steps = append(one.Steps, s)
		}
	default:
		return one, errors.New("an instance of a history has no steps")
	}
	return one, nil
}
