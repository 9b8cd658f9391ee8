// Package service is what the shop's services share: who they are, what their
// requests carry, how they are counted, and how they start and end.
package service

import "cmp"

// Identity says which process of the shop this is. It labels all its metrics.
type Identity struct {
	Service string // the program
	Version string // the short commit it was built from
	Flavour string // production or canary, or blue or green
}

// IdentityOf returns the identity of a program that runs with these environment
// variables: SHOP_VERSION (default dev) and SHOP_FLAVOUR (default production).
func IdentityOf(program string, getenv func(string) string) Identity {
	return Identity{
		Service: program,
		Version: cmp.Or(getenv("SHOP_VERSION"), "dev"),
		Flavour: cmp.Or(getenv("SHOP_FLAVOUR"), "production"),
	}
}
