package exports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// prometheusAnswer is the answer of /api/v1/query_range. Source:
// https://prometheus.io/docs/prometheus/latest/querying/api/
type prometheusAnswer struct {
	Status    string   `json:"status"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	IsPartial bool     `json:"isPartial"` // VictoriaMetrics
	Data      *struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Metric     map[string]string    `json:"metric"`
			Values     [][2]json.RawMessage `json:"values"`
			Histograms json.RawMessage      `json:"histograms"`
		} `json:"result"`
	} `json:"data"`
}

// readPrometheus reads one answer, or several one after the other.
func readPrometheus(im *importer, in *input) error {
	return documents(in, func(a prometheusAnswer) error { return im.prometheusSeries(a) })
}

// documents decodes the JSON documents of a file.
func documents[T any](in *input, take func(T) error) error {
	for d, n := json.NewDecoder(in), 1; ; n++ {
		var doc T
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) && n > 1 {
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the JSON is cut off; fetch it again")
		}
		if err == nil {
			err = take(doc)
		}
		if err != nil {
			return fmt.Errorf("answer %d: %w", n, err)
		}
	}
}

func (im *importer) prometheusSeries(a prometheusAnswer) error {
	switch {
	case a.Status != "success":
		return fmt.Errorf("its status is %q %s; want an answer that succeeded", web.Quote(a.Status), web.Quote(a.Error))
	case a.IsPartial || len(a.Warnings) > 0:
		return fmt.Errorf("the answer is not whole (%s); ask again when all stores answer", web.Quote(strings.Join(a.Warnings, "; ")))
	case a.Data == nil || a.Data.ResultType != "matrix":
		return errors.New("it holds no series over time; ask /api/v1/query_range with start, end and step")
	}
	for _, result := range a.Data.Result {
		if len(result.Histograms) > 0 {
			return errors.New("it holds native histograms; put histogram_quantile or histogram_fraction around the query")
		}
		if _, ok := result.Metric["le"]; ok {
			return errors.New("it holds buckets (the label le); put histogram_quantile around the query, or export the requests above a bound and all as the five columns")
		}
		s := series{title: metricName(result.Metric["__name__"], without(result.Metric, "__name__")), name: result.Metric["__name__"], labels: without(result.Metric, "__name__"), arm: im.file.Arm}
		s.measures = s.name != ""
		for _, pair := range result.Values {
			r, err := im.jsonReading(pair)
			if err != nil {
				return fmt.Errorf("the series %q: %w", web.Quote(s.title), err)
			}
			s.readings = append(s.readings, r)
		}
		im.series = append(im.series, s)
	}
	return nil
}

func without(labels map[string]string, name string) map[string]string {
	rest := maps.Clone(labels)
	if rest == nil {
		rest = map[string]string{}
	}
	delete(rest, name)
	return rest
}

// jsonReading reads [time, value]; the value may be a text, and null is a gap.
func (im *importer) jsonReading(pair [2]json.RawMessage) (reading, error) {
	at, err := im.clock.read(string(pair[0]))
	if err != nil {
		return reading{}, err
	}
	text := string(pair[1])
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(pair[1], &text); err != nil {
			return reading{}, err
		}
	}
	v, err := number(text)
	if err != nil {
		return reading{}, fmt.Errorf("at %s: %w", at.Format("2006-01-02T15:04:05Z"), err)
	}
	return reading{at: at, value: quantity{v, ""}, total: math.NaN()}, nil
}
