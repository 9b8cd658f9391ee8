package borders

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// citation is a section that a comment refers to, with the page that it is of.
	citation = regexp.MustCompile(`(?:([\w./-]+\.md), )?section (\d+(?:\.\d+)?)(?:, point (\d+))?`)
	// paper is a page or a file of the statistics, with or without a folder.
	paper = regexp.MustCompile(`[\w./-]*\b(?:statistics\.md|method\.md|measured\.md|design\.md|reference\.py|reference-values\.json|history\.md|history_reference\.py|history-values\.json)`)
	// comment is where one line of a comment goes on in the next.
	comment = regexp.MustCompile(`\n[ \t]*(?://|#)?[ \t]*`)
	heading = regexp.MustCompile(`(?m)^#{2,3} (\d+(?:\.\d+)?)\.? `)
	point   = regexp.MustCompile(`(?m)^(\d+)\. `)
)

// pages are what a citation can lead to: of each page of the statistics its sections,
// and of each section its numbered points.
func pages(t *testing.T) map[string]map[string][]string {
	t.Helper()
	all := map[string]map[string][]string{}
	for _, page := range []string{"docs/statistics/method.md", "docs/statistics/measured.md", "docs/statistics/history.md"} {
		text := read(t, page)
		all[page] = map[string][]string{}
		found := heading.FindAllStringSubmatchIndex(text, -1)
		for i, at := range found {
			end := len(text)
			if i+1 < len(found) {
				end = found[i+1][0]
			}
			section := text[at[2]:at[3]]
			if _, twice := all[page][section]; twice {
				t.Errorf("%s has two sections %s", page, section)
			}
			all[page][section] = []string{}
			for _, p := range point.FindAllStringSubmatch(text[at[1]:end], -1) {
				all[page][section] = append(all[page][section], p[1])
			}
		}
		if len(all[page]) == 0 {
			t.Fatalf("%s has no numbered sections", page)
		}
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unresolved lists what is wrong with the citations in the text of a source file.
func unresolved(text string, pages map[string]map[string][]string) (wrong []string, right int) {
	text = comment.ReplaceAllString(text, " ")
	for _, cited := range paper.FindAllString(text, -1) {
		for strings.HasPrefix(cited, "../") { // as code opens it
			cited = cited[len("../"):]
		}
		if _, err := os.Stat(cited); err != nil || filepath.Dir(cited) != "docs/statistics" {
			wrong = append(wrong, cited+" is not there; write the path from the root, as docs/statistics/method.md")
		}
	}
	for _, c := range citation.FindAllStringSubmatch(text, -1) {
		points, ok := pages[c[1]][c[2]]
		switch {
		case c[1] == "":
			wrong = append(wrong, c[0]+" of which page? Write docs/statistics/method.md, section …")
		case !ok, c[3] != "" && !slices.Contains(points, c[3]):
			wrong = append(wrong, c[0]+" leads nowhere")
		default:
			right++
		}
	}
	return wrong, right
}

// Each comment that cites the paper leads to a section that is there.
func TestCitations(t *testing.T) {
	t.Parallel()
	pages := pages(t)
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go", "*.py", "*.R", "*.sh", ".ci/*").Output()
	if err != nil {
		t.Skipf("list the files: %v", err) // a copy without git
	}
	cited := 0
	for _, file := range strings.Fields(string(out)) {
		if _, err := os.Stat(file); err != nil || file == "citations_test.go" || strings.HasPrefix(file, "docs/statistics/") {
			continue
		}
		wrong, right := unresolved(read(t, file), pages)
		for _, w := range wrong {
			t.Errorf("%s: %s", file, w)
		}
		cited += right
	}
	if cited < 15 {
		t.Errorf("only %d citations were found; does the test still know how they are written?", cited)
	}
}

func TestCitationsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	pages := pages(t)
	for text, ok := range map[string]bool{
		"// docs/statistics/method.md, section 5.2":                  true,
		"// (docs/statistics/method.md,\n\t// section 12, point 3).": true,
		"// docs/statistics/measured.md, section 8.11":               true,
		"// docs/statistics/method.md, section 5.9":                  false,
		"// docs/statistics/method.md, section 12, point 9":          false,
		"// statistics.md, section 5.2":                              false,
		"// design.md, section 6":                                    false,
		"// as section 6 has it":                                     false,
		"# testdata/reference.py":                                    false,
	} {
		if wrong, _ := unresolved(text, pages); (len(wrong) == 0) != ok {
			t.Errorf("%q: %q", text, wrong)
		}
	}
}
