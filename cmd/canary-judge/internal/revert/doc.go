// Package revert does what follows a verdict: it reverts the change with git, and
// runs commands.
//
// A revert takes back exactly the commits that were judged, on top of what was judged
// and of nothing else. It is worked out from git's objects alone, and pushed as one object to
// one branch, on condition that the remote has that branch where it was judged. What is
// checked out, the index and the branches of the clone play no part. It knows its own
// reverts by a trailer: it never reverts one of them, and to revert twice does nothing
// the second time.
//
// revert.go has the order of things, clone.go the repository, opened so that nothing in it
// changes, change.go what is judged, history.go what is reverted already and what is a
// revert of ours, tree.go the files without a change, remote.go one branch on the remote
// (read, fetch, push), follow.go what is checked out, restore.go its files where that
// breaks off, git.go the one way git is called,
// message.go the commit message and its trailers, pullrequest.go and forges.go the mode pr,
// hook.go a command without a shell.
package revert
