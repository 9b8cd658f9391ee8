package providers

import "context"

// Marker is a provider whose source keeps deployments, and can be told that one failed.
type Marker interface {
	// Marks reports whether the settings ask for it.
	Marks() bool
	// Deployment says in a few words which deployment is that of a canary with these
	// labels. The error says what is not known of it.
	Deployment(canary []Label) (string, error)
	// MarkFailed marks that deployment as failed. Doing it twice is doing it once.
	MarkFailed(ctx context.Context, canary []Label) error
}
