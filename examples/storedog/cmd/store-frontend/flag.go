package main

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"

	"storedog/internal/service"
)

// newBannerFlag is the feature flag that shows the new banner.
const newBannerFlag = "new-banner"

// featureFlag is a feature that a share of the users have.
type featureFlag struct {
	name  string
	share float64 // of the users, in percent, 0 to 100
}

// parseShare reads a share in percent; empty is none.
func parseShare(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	share, err := strconv.ParseFloat(text, 64)
	if err != nil || !(share >= 0 && share <= 100) {
		return 0, fmt.Errorf("FLAG_SHARE is %q; it must be a percentage from 0 to 100, such as 20", text)
	}
	return share, nil
}

// on reports whether a user has the feature: always the same for one user, and for
// nobody without an id.
func (f featureFlag) on(user string) bool {
	if user == "" {
		return false
	}
	hash := fnv.New64a()
	// The name is part of it, so that two flags do not meet the same users.
	fmt.Fprintf(hash, "%s\x00%s", f.name, user)
	const steps = 10_000
	return float64(hash.Sum64()%steps) < f.share*steps/100
}

// mark marks the requests of users who have the feature, and no others.
func (f featureFlag) mark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(service.FlagHeader)
		if f.on(r.Header.Get(service.UserHeader)) {
			r.Header.Set(service.FlagHeader, f.name)
		}
		next.ServeHTTP(w, r)
	})
}
