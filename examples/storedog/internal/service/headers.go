package service

import "net/http"

// Headers of the shop's requests and answers.
const (
	// UserHeader has the user's id.
	UserHeader = "X-User-Id"
	// FlavourHeader has the flavour that is to answer. The load balancer sets it,
	// so that a request stays in its flavour through both tiers; a request that
	// comes with one is forced to that flavour.
	FlavourHeader = "X-Flavour"
	// FlagHeader has the name of the feature flag that the user is under, if any.
	// The store frontend sets it; it believes nobody else.
	FlagHeader = "X-Flag"
	// SyntheticHeader marks the requests of synthetic checks, which are not counted:
	// checks are not users. They come at a fixed rate to every flavour, however few
	// users it has, so they would water down its rate of errors, and belie its share
	// of the traffic.
	SyntheticHeader = "X-Synthetic"
	// ServedByHeader of an answer has the flavour that gave it.
	ServedByHeader = "X-Served-By"
)

// Forward copies what the next service must know of the caller.
func Forward(to, from http.Header) {
	for _, name := range []string{UserHeader, FlagHeader, SyntheticHeader} {
		if value := from.Get(name); value != "" {
			to.Set(name, value)
		}
	}
}

func synthetic(r *http.Request) bool { return r.Header.Get(SyntheticHeader) != "" }

// flag returns the label of a request: on, if its user is under a feature flag.
func flag(r *http.Request) string {
	if r.Header.Get(FlagHeader) != "" {
		return FlagOn
	}
	return FlagOff
}
