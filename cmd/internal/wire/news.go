package wire

import (
	"context"

	"holdfast/adapters/records"
	"holdfast/projections"
	"holdfast/reactors"
)

// news has the server forget at once what another instance, or somebody with psql, has ended:
// logins, roles, API keys. Without it the server finds out by itself, in a few seconds.
type news struct{ *Service }

// Run listens until ctx ends.
func (n news) Run(ctx context.Context) error {
	projections.Listen(ctx, n.HTTP, func(_, said string) { n.Server.Heard(said) }, n.Log.With("loop", "session news"), records.NewsChannel)
	return nil
}

// Status is always good: what is missed here is a matter of seconds.
func (news) Status() reactors.Status { return reactors.Status{Name: "session news"} }
