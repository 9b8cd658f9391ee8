package exports

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// JMeter's results in CSV: timeStamp is the start of a sample, in milliseconds since the
// epoch or as jmeter.save.saveservice.timestamp_format says; elapsed is in milliseconds.
// Source: https://jmeter.apache.org/usermanual/listeners.html#csvlogformat
const jmeterHeader = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect"

// transaction begins the message of a sample that is the sum of others. Source:
// apache/jmeter, TransactionController.
const transaction = "Number of samples in transaction"

// readJMeter reads a .jtl file.
func readJMeter(im *importer, in *input) error {
	if head, _ := in.Peek(1); len(head) > 0 && head[0] == '<' {
		return errors.New("it is XML; run jmeter with -Jjmeter.save.saveservice.output_format=csv, or save the results as CSV")
	}
	t, err := readTable(in)
	if err != nil {
		return err
	}
	if err := t.need("timeStamp", "elapsed", "success"); err != nil {
		return fmt.Errorf("%w; where JMeter wrote none, its usual one is %s", err, jmeterHeader)
	}
	q := im.requests()
	transactions := 0
	for {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if strings.HasPrefix(r.get("responseMessage"), transaction) {
			transactions++
			continue
		}
		if err := im.jmeter(q, r); err != nil {
			return r.errorf("%w", err)
		}
	}
	if transactions > 0 {
		im.note("%d rows of transaction controllers were left out: their requests have rows of their own", transactions)
	}
	return nil
}

// jmeter counts one sample.
func (im *importer) jmeter(q *requests, r row) error {
	at, err := im.clock.read(r.get("timeStamp"))
	if err != nil {
		return err
	}
	took, err := milliseconds(r.get("elapsed"))
	if err != nil {
		return fmt.Errorf("elapsed: %w", err)
	}
	bad := 0.0
	switch success := r.get("success"); success {
	case "true":
	case "false":
		bad = 1
	default:
		return fmt.Errorf("success is %q; want true or false", web.Quote(success))
	}
	arm, err := im.requestArm(func(name string) (string, bool) { v := r.get(name); return v, v != "" })
	if err != nil {
		return err
	}
	q.read++
	for _, label := range []string{"label", "threadName", "URL"} {
		q.see(label, strings.Clone(r.get(label)))
	}
	if arm == "" {
		q.left++
		return nil
	}
	q.count(arm, errorsMetric, at, bad, 1)
	q.took(arm, at, took)
	return nil
}
