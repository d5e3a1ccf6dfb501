package legacyimport

import (
	"context"

	"holdfast/eventstore"
)

// dryRun decides and appends nothing.
type dryRun struct{}

func (d *dryRun) decide(context.Context, *eventstore.Executor, string, string, *item) (Result, error) {
	return Taken, nil
}

func (d *dryRun) names(context.Context, []string, map[string]Known) error { return nil }
