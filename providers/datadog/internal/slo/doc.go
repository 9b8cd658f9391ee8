// Package slo counts the events of SLOs. A query for one (slo.go) becomes those that the SLO
// counts (sli.go), narrowed to the arm, before anything is sent; what comes back is added up.
// Formulas are solved for bad events by cancelling equal queries. Who sends the queries is not
// known here: they travel with all others of a look.
package slo
