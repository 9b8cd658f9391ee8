// Package web is how the module talks to HTTP APIs, whoever they belong to: sources of
// metrics, GitHub, GitLab. It has the client, which tries again what may pass by itself;
// the Error, which says what was being done, to what, and what to do next; and the Secret,
// which is struck from everything that is printed.
package web
