package ledger_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/ledger"
)

// The example in docs/ledger.md is what comes of the ledger whose sums the tests know.
func TestDocumentedSummary(t *testing.T) {
	t.Parallel()
	l, err := ledger.Read(some(t))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := l.Summarise(nil).Text(&text); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../../../docs/ledger.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```\n"+text.String()+"```\n") {
		t.Errorf("docs/ledger.md does not show\n%s", text.String())
	}
}
