package tell

import "github.com/canary-judge/canary-judge/providers/datadog/internal/api"

// Options say what Datadog is to be told.
type Options struct {
	// Events: that a run starts, and its verdict.
	Events bool
	// Notebook: a notebook at the verdict.
	Notebook bool
	// DORA is the deployment to mark when the canary fails; nil marks none.
	DORA *DORA
}

// Teller tells Datadog of a run. It implements providers.Announcer, providers.Marker and
// providers.NotebookWriter, and has no state of its own.
type Teller struct {
	api     *api.Client
	options Options
}

// New returns a teller that sends by a client.
func New(c *api.Client, o Options) *Teller { return &Teller{c, o} }
