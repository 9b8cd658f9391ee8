package exports

import (
	"bytes"
	"io"
	"strings"
)

// Recognize looks at the beginning of a file that is no recording and returns the format
// that it seems to have, and "" with an advice when it is of a kind that cannot be read;
// two empty texts when nothing is known of it.
func Recognize(content io.Reader) (Format, string) {
	in, err := open(content)
	if err != nil {
		return "", ""
	}
	head, _ := in.Peek(peeked)
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) == 0 {
		return "", ""
	}
	switch trimmed[0] {
	case '{', '[':
		return recognizeJSON(string(trimmed))
	case '<':
		if bytes.Contains(trimmed, []byte("<testResults")) {
			return "", "it is JMeter's XML; run jmeter with -Jjmeter.save.saveservice.output_format=csv, then replay --as jmeter"
		}
		return "", ""
	}
	if bytes.HasPrefix(trimmed, []byte("Running ")) && bytes.Contains(trimmed, []byte(" test @ ")) || bytes.Contains(trimmed, []byte("\nRunning ")) && bytes.Contains(trimmed, []byte("test @ ")) {
		return "", wrkAdvice
	}
	return recognizeTable(in)
}

// wrkAdvice is what to do with a tool that prints the totals of a test.
const wrkAdvice = `it is wrk's summary, which has no times. Run wrk once a step for each arm and write its counts as the five columns:
  echo time,metric,arm,value,total >wrk.csv
  for i in $(seq 30); do at=$(date +%s)
    wrk -d10s "$BASELINE" >baseline.txt & wrk -d10s "$CANARY" >canary.txt; wait
    for arm in baseline canary; do
      awk -v at=$at -v arm=$arm '/requests in/{n=$1} /Non-2xx/{b+=$NF} /Socket errors/{gsub(",","");b+=$4+$6+$8+$10;n+=$4+$6+$8+$10} END{print at",errors,"arm","b+0","n+0}' $arm.txt
    done >>wrk.csv
  done
  canary-judge replay wrk.csv`

// recognizeJSON tells the JSON that tools write apart.
func recognizeJSON(text string) (Format, string) {
	has := func(words ...string) bool {
		for _, w := range words {
			if !strings.Contains(text, `"`+w+`"`) {
				return false
			}
		}
		return true
	}
	switch {
	case has("type", "metric", "data") && (has("Point") || has("Metric")):
		return K6, ""
	case has("resultType"):
		return Prometheus, ""
	case has("pointlist") || has("timeseries_response"):
		return Datadog, ""
	case has("root_group", "metrics"):
		return "", "it is k6's summary, which has no times; run k6 with --out csv=FILE, then replay --as k6"
	}
	return "", ""
}

// recognizeTable tells tables apart by their header.
func recognizeTable(in *input) (Format, string) {
	t, err := readTable(in)
	if err != nil {
		return "", ""
	}
	has := func(names ...string) bool { return t.need(names...) == nil }
	switch {
	case has("metric_name", "metric_value", "timestamp"):
		return K6, ""
	case has("timeStamp", "elapsed"):
		return JMeter, ""
	case has("Timestamp", "User Count", "Total Request Count"):
		return Locust, ""
	case has("Type", "Name", "Request Count"), has("Method", "Name", "Error", "Occurrences"):
		return "", "it is a file of Locust without times; give PREFIX_stats_history.csv of locust --csv PREFIX, with replay --as locust"
	case has("time", "metric", "arm", "value"):
		return CSV, ""
	case has("time") && !has("metric", "value"): // those would be columns of a recording
		return Grafana, ""
	}
	return "", ""
}
