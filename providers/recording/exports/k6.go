package exports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// k6's results, one sample a line. http_req_failed is 1 for a failed request,
// http_req_duration is in milliseconds, checks is 1 for a check that held. Source:
// https://grafana.com/docs/k6/latest/results-output/real-time/csv/ and …/json/, and
// grafana/k6, internal/output/csv.
type k6Sample struct {
	metric string
	at     time.Time
	value  string
	tag    func(string) (string, bool)
	tags   map[string]string // what is worth showing
}

// readK6 reads either kind of results.
func readK6(im *importer, in *input) error {
	q := im.requests()
	before := q.read
	seen := map[string]bool{}
	failed := &fallback{}
	head, _ := in.Peek(1)
	var err error
	if bytes.Equal(head, []byte("{")) {
		err = k6Lines(im, in, seen, failed)
	} else {
		err = k6Rows(im, in, seen, failed)
	}
	if err != nil {
		return err
	}
	if q.read == before {
		return fmt.Errorf("it holds no http_req_duration, that is no HTTP requests, but %s", list(sortedKeys(seen)))
	}
	if !seen["http_req_failed"] {
		im.note("the file holds no http_req_failed; requests with a status of 0 or of 400 and above were taken for failed ones")
		for _, r := range failed.requests {
			if math.IsNaN(r.bad) {
				return errors.New("it holds neither http_req_failed nor the tag status, so that which requests failed cannot be told; let k6 write one of them (systemTags)")
			}
			q.count(r.arm, errorsMetric, r.at, r.bad, 1)
		}
	}
	return nil
}

// fallback keeps what is counted when a file turns out to lack http_req_failed.
type fallback struct{ requests []fallenRequest }

type fallenRequest struct {
	arm providers.Arm
	at  time.Time
	bad float64 // NaN = it has no status
}

// k6Lines reads --out json.
func k6Lines(im *importer, in *input, seen map[string]bool, failed *fallback) error {
	d := json.NewDecoder(in)
	for n := 1; ; n++ {
		var line struct {
			Type   string `json:"type"`
			Metric string `json:"metric"`
			Data   struct {
				Time  string            `json:"time"`
				Value json.Number       `json:"value"`
				Tags  map[string]string `json:"tags"`
			} `json:"data"`
		}
		err := d.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF) && n > 1:
			im.note("line %d, the last, is torn off and was dropped", n)
			return nil
		case err != nil:
			return fmt.Errorf("line %d: %w", n, err)
		case line.Type == "Metric":
			continue
		case line.Type != "Point":
			return fmt.Errorf("line %d: its type is %q; want Metric or Point, as k6 run --out json=FILE writes", n, web.Quote(line.Type))
		}
		seen[line.Metric] = true
		if !k6Wanted(line.Metric) {
			continue
		}
		at, err := im.clock.read(line.Data.Time)
		if err == nil {
			tag := func(name string) (string, bool) { v, ok := line.Data.Tags[name]; return v, ok }
			err = im.k6(k6Sample{line.Metric, at, line.Data.Value.String(), tag, line.Data.Tags}, failed)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// k6Rows reads --out csv.
func k6Rows(im *importer, in *input, seen map[string]bool, failed *fallback) error {
	t, err := readTable(in)
	if err == nil {
		err = t.need("metric_name", "timestamp", "metric_value")
	}
	if err != nil {
		return err
	}
	for {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		metric := r.get("metric_name")
		if !seen[metric] {
			seen[strings.Clone(metric)] = true
		}
		if !k6Wanted(metric) {
			continue
		}
		at, err := im.clock.read(r.get("timestamp"))
		if err != nil {
			return r.errorf("%w", err)
		}
		tags := map[string]string{}
		for i, name := range t.header[3:] {
			tags[name] = strings.TrimSpace(r.cells[i+3])
		}
		extra, err := url.ParseQuery(tags["extra_tags"]) // a=1&b=2
		if err != nil {
			return r.errorf("extra_tags is %q; want NAME=VALUE&NAME=VALUE", web.Quote(tags["extra_tags"]))
		}
		delete(tags, "extra_tags")
		for name := range extra {
			tags[name] = extra.Get(name)
		}
		tag := func(name string) (string, bool) { v, ok := tags[name]; return v, ok && v != "" }
		if err := im.k6(k6Sample{strings.Clone(metric), at, r.get("metric_value"), tag, tags}, failed); err != nil {
			return r.errorf("%w", err)
		}
	}
}

// k6Wanted reports whether a metric says something of requests or checks.
func k6Wanted(metric string) bool {
	return metric == "http_req_failed" || metric == "http_req_duration" || metric == "checks"
}

// k6 counts one sample.
func (im *importer) k6(s k6Sample, failed *fallback) error {
	q := im.requests()
	arm, err := im.requestArm(s.tag)
	if err != nil {
		return err
	}
	if s.metric == "http_req_duration" {
		q.read++
		for _, label := range []string{"scenario", "name", "url", "group", "method"} {
			if v, ok := s.tags[label]; ok {
				q.see(label, strings.Clone(v))
			}
		}
	}
	if arm == "" {
		if s.metric == "http_req_duration" {
			q.left++
		}
		return nil
	}
	switch s.metric {
	case "http_req_duration":
		d, err := milliseconds(s.value)
		if err != nil {
			return err
		}
		q.took(arm, s.at, d)
		status, _ := s.tag("status")
		code, err := strconv.Atoi(status)
		bad := 0.0
		switch {
		case err != nil:
			bad = math.NaN()
		case code == 0 || code >= 400:
			bad = 1
		}
		failed.requests = append(failed.requests, fallenRequest{arm, s.at, bad})
		return nil
	}
	v, err := number(s.value)
	if err != nil || v != 0 && v != 1 {
		return fmt.Errorf("%s is %q; want 0 or 1", s.metric, web.Quote(s.value))
	}
	if s.metric == "checks" {
		q.count(arm, checksMetric, s.at, 1-v, 1)
	} else {
		q.count(arm, errorsMetric, s.at, v, 1)
	}
	return nil
}
