package providers

import "fmt"

// SyntaxError is where a query ends to make sense to who reads it.
type SyntaxError struct {
	At   int // bytes of the query before the place
	What string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at character %d: %s", e.At+1, e.What) }

// Place adds what a query is for to its error.
func Place(q Query, err error) error {
	return fmt.Errorf("metric %q, %s of the %s: %w", q.Metric, q.Part, q.Arm, err)
}
