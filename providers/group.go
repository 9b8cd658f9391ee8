package providers

import "fmt"

// Grouper is a Dialect that can divide what a query asks for by a label.
type Grouper interface {
	// Grouped returns a query that asks for what another does, with a series for each value
	// that a label has there. The other one is as Check takes it. The error says why there is none.
	Grouped(expr, label string) (string, error)
}

// Grouped returns a query that asks for what another does, with a series for each value of a label
// (Grouper).
func (t Type) Grouped(expr, label string) (string, error) {
	g, ok := t.Dialect.(Grouper)
	if !ok {
		return "", fmt.Errorf("%s does not divide what it has by %s", t.Name, label)
	}
	return g.Grouped(expr, label)
}
