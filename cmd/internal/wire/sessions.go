package wire

import (
	"context"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/projections"
	"holdfast/reactors"
)

// sessionWatch makes this process forget what it remembers of a person's sessions the moment that
// any process ends one of them, or changes what the person may do. A notice that is missed costs
// the few seconds for which a session is remembered.
type sessionWatch struct{ s *Service }

// Status is always good: see above.
func (sessionWatch) Status() reactors.Status { return reactors.Status{Name: "sessions"} }

// Run listens until ctx ends.
func (w sessionWatch) Run(ctx context.Context) error {
	projections.Listen(ctx, w.s.Jobs, func(_, user string) { w.s.Server.ForgetSessions(domain.UserID(user)) },
		w.s.Log.With("reactor", "sessions"), records.SessionsChannel)
	return nil
}
