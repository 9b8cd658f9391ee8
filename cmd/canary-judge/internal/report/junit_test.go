package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// element is what a schema says of an element: its attributes and how their values look,
// which of them must be there, its children in their order (as a regular expression over
// their names, a space behind each), and whether it may hold text.
type element struct {
	attributes map[string]string
	required   string
	children   string
	text       bool
}

const (
	xsString  = `(?s).*`
	xsInt     = `[0-9]+`
	xsDecimal = `[0-9]+(\.[0-9]+)?`
)

// The rules of the two strict schemas, written down from them, with what XML Schema means by
// their types. jenkins is junit-10.xsd of Jenkins' xunit plugin, commit 031e285
// (https://github.com/jenkinsci/xunit-plugin); ant is JUnit.xsd for Apache Ant's reports,
// commit 2378e66 (https://github.com/windyroad/JUnit-Schema).
var (
	jenkinsTrouble = element{map[string]string{"type": xsString, "message": xsString}, "", "", true}
	jenkins        = map[string]element{
		"testsuites": {map[string]string{"name": xsString, "time": xsDecimal, "tests": xsString, "failures": xsString, "errors": xsString}, "", "(testsuite )*", false},
		"testsuite": {map[string]string{
			"name": xsString, "tests": xsString, "failures": xsString, "errors": xsString, "group": xsString,
			"time": `(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?`, "skipped": xsString, "timestamp": xsString, "hostname": xsString,
			"id": xsString, "package": xsString, "file": xsString, "log": xsString, "url": xsString,
		}, "name tests failures errors", "((testsuite|properties|testcase|system-out|system-err) )*", false},
		"properties": {nil, "", "(property )*", false},
		"property":   {map[string]string{"name": xsString, "value": xsString}, "name value", "", false},
		"testcase": {
			map[string]string{"name": xsString, "time": xsString, "classname": xsString, "group": xsString}, "name",
			"((skipped|error|failure|rerunFailure|rerunError|flakyFailure|flakyError|system-out|system-err) )*", false,
		},
		"skipped": jenkinsTrouble, "error": jenkinsTrouble, "failure": jenkinsTrouble,
		"system-out": {nil, "", "", true}, "system-err": {nil, "", "", true},
	}
	antTrouble = element{map[string]string{"type": xsString, "message": xsString}, "type", "", true}
	ant        = map[string]element{
		"testsuites": {nil, "", "(testsuite )*", false},
		"testsuite": {map[string]string{
			"name": `(?s).*\S.*`, "package": xsString, "id": xsInt, "timestamp": `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}`,
			"hostname": `(?s).*\S.*`, "tests": xsInt, "failures": xsInt, "errors": xsInt, "skipped": xsInt, "time": xsDecimal,
		}, "name package id timestamp hostname tests failures errors time", "properties (testcase )*system-out system-err ", false},
		"properties": {nil, "", "(property )*", false},
		"property":   {map[string]string{"name": `(?s).*\S.*`, "value": xsString}, "name value", "", false},
		"testcase":   {map[string]string{"name": xsString, "classname": xsString, "time": xsDecimal}, "name classname time", "((skipped|error|failure) )?", false},
		"skipped":    {map[string]string{"message": xsString}, "", "", true}, // newer versions know no type
		"error":      antTrouble, "failure": antTrouble,
		"system-out": {nil, "", "", true}, "system-err": {nil, "", "", true},
	}
)

// violations are what of a document a schema does not allow.
func violations(schema map[string]element, document []byte) (all []string) {
	type open struct{ name, children string }
	stack := []open{{}}
	top := func() *open { return &stack[len(stack)-1] }
	for d := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			return append(all, err.Error())
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			top().children += name + " "
			stack = append(stack, open{name: name})
			all = append(all, attributeViolations(schema, token)...)
		case xml.EndElement:
			if e := schema[top().name]; !matches(e.children, top().children) {
				all = append(all, fmt.Sprintf("%s holds %s", top().name, top().children))
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if !schema[top().name].text && strings.TrimSpace(string(token)) != "" {
				all = append(all, fmt.Sprintf("%s holds the text %q", top().name, token))
			}
		}
	}
}

func attributeViolations(schema map[string]element, start xml.StartElement) (all []string) {
	e, known := schema[start.Name.Local]
	if !known {
		return []string{"there is no element " + start.Name.Local}
	}
	seen := map[string]bool{}
	for _, a := range start.Attr {
		seen[a.Name.Local] = true
		if form, ok := e.attributes[a.Name.Local]; !ok || !matches(form, a.Value) {
			all = append(all, fmt.Sprintf("%s has %s=%q", start.Name.Local, a.Name.Local, a.Value))
		}
	}
	for _, name := range strings.Fields(e.required) {
		if !seen[name] {
			all = append(all, fmt.Sprintf("%s lacks %s", start.Name.Local, name))
		}
	}
	return all
}

func matches(form, text string) bool {
	return regexp.MustCompile(`^(?:` + form + `)$`).MatchString(text)
}

// Strict readers of JUnit's format take every report.
func TestJUnitSchemas(t *testing.T) {
	t.Parallel()
	documents := map[string][]byte{}
	files, err := filepath.Glob("testdata/golden/*.xml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		if documents[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range append(xmlAttacks, "", " ", "\n") {
		var b bytes.Buffer
		if err := hostileReport(s).JUnit(&b); err != nil {
			t.Fatal(err)
		}
		documents[fmt.Sprintf("%q", s)] = b.Bytes()
	}
	var empty bytes.Buffer
	if err := (&Report{}).JUnit(&empty); err != nil {
		t.Fatal(err)
	}
	documents["a report of nothing"] = empty.Bytes()
	for schema, rules := range map[string]map[string]element{"Jenkins": jenkins, "Ant": ant} {
		for _, name := range slices.Sorted(maps.Keys(documents)) {
			for _, v := range violations(rules, documents[name]) {
				t.Errorf("%s, by the schema of %s: %s", name, schema, v)
			}
		}
	}
}

// The rules refuse what the schemas refuse: what reports were like before, among others.
func TestJUnitSchemasRefuse(t *testing.T) {
	t.Parallel()
	const suite = `<testsuite name="s" package="p" id="0" timestamp="2026-11-23T10:00:00" hostname="h" tests="1" failures="0" errors="0" time="1">`
	for document, by := range map[string]string{
		`<testsuites skipped="1"></testsuites>`: "Jenkins Ant",
		`<testsuites tests="1"></testsuites>`:   "Ant",
		`<testsuites>` + suite + `<properties/><testcase name="a" classname="b" time="1"><properties/></testcase><system-out/><system-err/></testsuite></testsuites>`:              "Jenkins Ant",
		`<testsuites>` + suite + `<properties/><testcase name="a" classname="b" time="1"><system-out>x</system-out></testcase><system-out/><system-err/></testsuite></testsuites>`: "Ant",
		`<testsuites>` + suite + `<testcase name="a" classname="b" time="1"/></testsuite></testsuites>`:                                                                            "Ant",
		`<testsuites>` + suite + `<properties/><system-out/><system-err/></testsuite></testsuites>`:                                                                                "",
	} {
		got := ""
		for _, s := range []struct {
			name  string
			rules map[string]element
		}{{"Jenkins", jenkins}, {"Ant", ant}} {
			if len(violations(s.rules, []byte(document))) > 0 {
				got += s.name + " "
			}
		}
		if strings.TrimSpace(got) != by {
			t.Errorf("%s is refused by %q, want %q", document, got, by)
		}
	}
}
