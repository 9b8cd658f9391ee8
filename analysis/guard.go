package analysis

// GuardState is what a guard beside the metrics, such as a monitor, says of the
// canary. A guard can fail the canary or keep it from passing, never let it pass.
type GuardState int

// The states of a guard. The zero value is what is known of one that was not asked.
const (
	GuardUnread   GuardState = iota // not known, or no word that can be relied on: the canary cannot pass
	GuardQuiet                      // nothing stands against a pass
	GuardAlerting                   // the canary fails
)

func (s GuardState) String() string { return name(s, "unread", "quiet", "alert") }

// GuardResult is what a guard said at the last look.
type GuardResult struct {
	Name  string
	State GuardState
}
