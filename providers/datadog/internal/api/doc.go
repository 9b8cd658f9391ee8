// Package api is how anything is asked of Datadog: the keys, the site, the request, and the
// errors of what comes back. A refusal says which key or permission to look at (refusal.go),
// an answer that says that it is a part of one is an error (whole.go), and limit.go keeps
// what answers told of the rate limit. What is asked for, and what an answer means, is for
// the packages beside this one.
//
// The official client's core does authentication, sites and transport. The requests and
// answers are a handful of types of our own, because the generated ones take minutes and
// gigabytes to compile and turn what they do not understand into zeros without an error.
package api
