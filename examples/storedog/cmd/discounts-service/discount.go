package main

import (
	"context"
	"errors"
)

// discount is a discount as others get it. The names of its JSON fields stand here
// and nowhere else; the store frontend has its own idea of them, as services do.
type discount struct {
	Code    string `json:"code"`
	Percent int    `json:"percent"` // of the price, 0 to 100
}

// errNoDiscount says that there is no such discount, or none today.
var errNoDiscount = errors.New("no such discount")

// shelf is where discounts are kept.
type shelf interface {
	// today returns the best discount of today, or errNoDiscount.
	today(ctx context.Context) (discount, error)
	// byCode returns a discount that is valid today, or errNoDiscount.
	byCode(ctx context.Context, code string) (discount, error)
}
