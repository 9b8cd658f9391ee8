// Package guards is what Datadog says of a canary beside the numbers that are judged.
// monitors.go is what one monitor says, muting.go its downtimes and other mutes, and
// monitorset.go what all that a search finds say, found once for all looks of a run.
// newerrors.go is issues of Error Tracking that came with the canary, read by issues.go.
//
// What cannot be told counts for nothing (providers.Unread): an alert from before the run, a
// monitor that may be muted, a search that may be wrong.
package guards
