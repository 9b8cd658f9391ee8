package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// since are what results may have otherwise than those of the last version, and why. Where is
// the path of what differs, without numbers of elements.
var since = []struct{ results, where, why string }{
	{`.`, `^\.(doubts|metrics\[\]\.(compared|warnings))$`, "added: what the numbers are beside an effect, and what speaks against a run"},
	{`.`, `^\.metrics\[\]\.forecast\.(unit|needed|have|more_steps)$`, "of a clean service the forecast is how long it takes to be shown to be below the floor"},
	{`.`, `^\.(metrics\[\]\.)?reason$`, "told in other words: typical numbers whose quotient is the effect, instead of medians; a limit that says nothing is none"},
	{`.`, `^\.looks\[\]\.metrics\[\]\.(lower|upper|estimate)$|^\.metrics\[\]\.effect\.(lower|upper|estimate)$`, "limits: rates of 20 % and more are those of trials; a quantile is known to its bucket"},
	{`.`, `^\.exposure\.(lower|upper)$`, "limits of the share hold at all looks at once, and held at each by itself"},
	{`^storedog-`, `^\.blast_radius\.(at_full_traffic\.)?excess_(lower|upper)$`, "limits of the excess, in their last digits"},
	{`^prometheus-slow$`, `^\.(metrics\[\]|looks\[\]\.metrics\[\])\.(decision|decided_at|decided_look)$`, "p90 was judged within a bucket that is too wide for its tolerance; the verdict does not rest on it"},
	{`^datadog-(guards|rum)-(broken|healthy)$`, `.`, "percentiles of a number of requests that is not known decide nothing any more, and the recordings have no counts behind theirs: what is left takes longer, and healthy runs do not pass"},
	{`^datadog-guards-healthy$`, `^\.looks(\[\]\.verdict)?$|^\.metrics\[\]\.(steps|usable_steps|looks|(baseline|canary)\.(steps|bad|total|rate|mean|median|p95))$`, "metrics that have passed go on being judged while a guard holds the verdict back, and the looks say what guards made of them"},
}

// TestGoldenOfTheLastVersion replays recordings of the version before, and compares the results
// with its own: the same bytes, but for what since allows. testdata/last/differences.txt
// pins that; make golden writes it.
func TestGoldenOfTheLastVersion(t *testing.T) {
	const dir = "../../testdata/last"
	results, err := filepath.Glob(dir + "/*.json.gz")
	if err != nil || len(results) < 30 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	var all strings.Builder
	for _, file := range results {
		name := strings.TrimSuffix(filepath.Base(file), ".json.gz")
		d := differences{of: name}
		d.compare("", parsed(t, unzipped(t, file)), parsed(t, resultOfReplay(t, recordingOf(dir, name))))
		for _, line := range d.lines {
			where := regexp.MustCompile(`\[\d+\]`).ReplaceAllString(line.where, "[]")
			if !slices.ContainsFunc(since, func(s struct{ results, where, why string }) bool {
				return regexp.MustCompile(s.results).MatchString(name) && regexp.MustCompile(s.where).MatchString(where)
			}) {
				t.Errorf("%s: %s: %s; if that is meant, say so and why in since", name, line.where, line.what)
			}
			fmt.Fprintf(&all, "%s %s: %s\n", name, line.where, line.what)
		}
	}
	pinned := dir + "/differences.txt"
	if *update {
		if err := os.WriteFile(pinned, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(pinned)
	if err != nil {
		t.Fatal(err)
	}
	known, now := strings.Split(string(want), "\n"), strings.Split(all.String(), "\n")
	for _, line := range now {
		if !slices.Contains(known, line) {
			t.Errorf("a difference that is not known: %s", line)
		}
	}
	for _, line := range known {
		if !slices.Contains(now, line) {
			t.Errorf("a difference that is known and not there: %s", line)
		}
	}
}

// recordingOf is what the result of a name is of.
func recordingOf(dir, name string) string {
	for _, file := range []string{filepath.Join(dir, name+".jsonl.gz"), filepath.Join(dir, "../storedog", strings.TrimPrefix(name, "storedog-")+".jsonl"), filepath.Join(dir, "..", name)} {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return filepath.Join(dir, "..", name+".jsonl")
}

func resultOfReplay(t *testing.T, file string) []byte {
	t.Helper()
	var out, log bytes.Buffer
	a := &app{env: map[string]string{}, args: []string{"replay", "-q", file, "-o", "json"}, stdout: &out, stderr: &log}
	if code := a.run(t.Context()); code != exitPass && code != exitFail && code != exitInconclusive {
		t.Errorf("%s: exit %d\n%s", file, code, &log)
	}
	return out.Bytes()
}

func unzipped(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// object is a JSON object in the order in which it is written.
type object []member

type member struct {
	name  string
	value any
}

func (o object) get(name string) (any, bool) {
	at := slices.IndexFunc(o, func(m member) bool { return m.name == name })
	if at < 0 {
		return nil, false
	}
	return o[at].value, true
}

// parsed reads a result: objects, lists, and the text of everything else.
func parsed(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := next(d)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := v.(object)
	// When it was made, and of which version.
	return slices.DeleteFunc(o, func(m member) bool { return m.name == "generated" })
}

func next(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		var o object
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := next(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{name.(string), value})
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := next(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	}
	if _, open := token.(json.Delim); open {
		return nil, errors.New("a bracket that closes nothing")
	}
	if n, ok := token.(json.Number); ok {
		return n.String(), nil
	}
	return fmt.Sprintf("%#v", token), nil
}

// differences are those between two results.
type differences struct {
	of    string
	lines []difference
}

type difference struct{ where, what string }

func (d *differences) add(where, format string, args ...any) {
	d.lines = append(d.lines, difference{where, fmt.Sprintf(format, args...)})
}

func (d *differences) compare(where string, before, now any) {
	switch b := before.(type) {
	case object:
		if n, ok := now.(object); ok {
			d.compareObjects(where, b, n)
			return
		}
	case []any:
		n, ok := now.([]any)
		if ok && len(n) != len(b) {
			d.add(where, "%d elements -> %d", len(b), len(n))
		}
		for i := range min(len(b), len(n)) {
			d.compare(fmt.Sprintf("%s[%d]", where, i), b[i], n[i])
		}
		if ok {
			return
		}
	default:
		if before == now {
			return
		}
	}
	d.add(where, "%v -> %v", before, now)
}

func (d *differences) compareObjects(where string, before, now object) {
	var order []string // of what is in both
	for _, m := range now {
		if _, ok := before.get(m.name); !ok {
			d.add(where+"."+m.name, "added")
			continue
		}
		order = append(order, m.name)
	}
	for _, m := range before {
		value, ok := now.get(m.name)
		if !ok {
			d.add(where+"."+m.name, "%v -> gone", m.value)
			continue
		}
		if order[0] != m.name {
			d.add(where+"."+m.name, "in another place")
		}
		order = slices.DeleteFunc(order, func(name string) bool { return name == m.name })
		d.compare(where+"."+m.name, m.value, value)
	}
}
