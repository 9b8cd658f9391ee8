package main

import (
	"errors"
	"fmt"
	"net/http"

	"storedog/internal/service"
)

// banner returns what the home page says of the discount of the day, if there is one.
func (s store) banner(r *http.Request) (string, error) {
	d, err := s.discounts.today(r)
	switch {
	case errors.Is(err, errNoDiscount):
		return "", nil
	case err != nil:
		return "", err
	case r.Header.Get(service.FlagHeader) == newBannerFlag:
		return newBanner(d), nil
	}
	return fmt.Sprintf("Discount of the day: %d %% off with the code %s", d.Percent, d.Code), nil
}

// newBanner is the banner of users under the flag new-banner.
func newBanner(d discount) string {
	example := catalogue[0]
	return fmt.Sprintf("Woof! %s for %s instead of %s, and %d %% off all else: %s",
		example.Name, example.Price.after(d), example.Price, d.Percent, d.Code)
}
