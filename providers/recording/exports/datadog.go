package exports

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// datadogAnswer is the answer of /api/v1/query, or of /api/v2/query/timeseries. Source:
// https://docs.datadoghq.com/api/latest/metrics/
type datadogAnswer struct {
	Status   string          `json:"status"`
	Error    string          `json:"error"`
	Message  string          `json:"message"`
	Errors   json.RawMessage `json:"errors"`
	Warnings json.RawMessage `json:"warnings"`
	Series   []struct {
		Metric    string               `json:"metric"`
		Scope     string               `json:"scope"`
		TagSet    []string             `json:"tag_set"`
		Pointlist [][2]json.RawMessage `json:"pointlist"`
		Unit      json.RawMessage      `json:"unit"`
	} `json:"series"`
	Data *struct {
		Attributes struct {
			Series []struct {
				GroupTags  []string        `json:"group_tags"`
				QueryIndex int             `json:"query_index"`
				Unit       json.RawMessage `json:"unit"`
			} `json:"series"`
			Times  []json.RawMessage   `json:"times"`
			Values [][]json.RawMessage `json:"values"`
		} `json:"attributes"`
	} `json:"data"`
	Meta struct {
		Responses []struct {
			Status string `json:"status"`
		} `json:"responses"`
		Status string `json:"status"`
	} `json:"meta"`
}

// readDatadog reads one answer, or several one after the other.
func readDatadog(im *importer, in *input) error {
	return documents(in, func(a datadogAnswer) error {
		said := func(raw json.RawMessage) bool {
			return len(raw) > 0 && string(raw) != "null" && string(raw) != "[]" && string(raw) != `""`
		}
		switch {
		case a.Error != "" || said(a.Errors):
			return fmt.Errorf("it is an error: %s", web.Quote(a.Error+string(a.Errors)))
		case said(a.Warnings) || a.Meta.Status == "timeout":
			return fmt.Errorf("the answer is not whole: %s; ask again", web.Quote(string(a.Warnings)+a.Meta.Status))
		case a.Data != nil:
			return im.datadogV2(a)
		case a.Status != "ok":
			return fmt.Errorf("its status is %q; want an answer of /api/v1/query or /api/v2/query/timeseries", web.Quote(a.Status))
		}
		return im.datadogV1(a)
	})
}

func (im *importer) datadogV1(a datadogAnswer) error {
	for _, from := range a.Series {
		tags := from.TagSet
		if len(tags) == 0 {
			tags = strings.Split(from.Scope, ",")
		}
		s := series{name: from.Metric, measures: true, labels: tagLabels(tags), arm: im.file.Arm}
		s.title = metricName(s.name, s.labels)
		unit := datadogUnit(from.Unit)
		for _, pair := range from.Pointlist {
			r, err := im.jsonReading(pair)
			if err != nil {
				return fmt.Errorf("the series %q: %w", web.Quote(s.title), err)
			}
			r.value.unit = unit
			s.readings = append(s.readings, r)
		}
		im.series = append(im.series, s)
	}
	return nil
}

func (im *importer) datadogV2(a datadogAnswer) error {
	from := a.Data.Attributes
	if len(from.Values) != len(from.Series) {
		return errors.New("the answer has not as many rows of values as series")
	}
	several := false
	for _, head := range from.Series {
		several = several || head.QueryIndex > 0
	}
	for i, head := range from.Series {
		s := series{labels: tagLabels(head.GroupTags), arm: im.file.Arm}
		if several {
			s.name = fmt.Sprintf("query %d", head.QueryIndex+1)
		}
		s.title = metricName(s.name, s.labels)
		if len(from.Values[i]) != len(from.Times) {
			return fmt.Errorf("the series %q has %d values at %d times", web.Quote(s.title), len(from.Values[i]), len(from.Times))
		}
		unit := datadogUnit(head.Unit)
		for n, value := range from.Values[i] {
			r, err := im.jsonReading([2]json.RawMessage{from.Times[n], value})
			if err != nil {
				return fmt.Errorf("the series %q: %w", web.Quote(s.title), err)
			}
			r.value.unit = unit
			s.readings = append(s.readings, r)
		}
		im.series = append(im.series, s)
	}
	return nil
}

// tagLabels reads tags: key:value, or a tag without a value.
func tagLabels(tags []string) map[string]string {
	labels := map[string]string{}
	for _, tag := range tags {
		if tag == "" || tag == "*" {
			continue
		}
		key, value, _ := strings.Cut(tag, ":")
		labels[key] = value
	}
	return labels
}

// datadogUnit returns the short name of a unit without "per"; "" when there is none, or
// it is a quotient.
func datadogUnit(raw json.RawMessage) string {
	var units []*struct {
		ShortName string `json:"short_name"`
	}
	if json.Unmarshal(raw, &units) != nil || len(units) == 0 || units[0] == nil || len(units) > 1 && units[1] != nil {
		return ""
	}
	return units[0].ShortName
}
