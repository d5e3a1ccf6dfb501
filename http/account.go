package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// onAccount carries commands out on one account, with the statements on plain rows that go with
// their events. by is who acts: a person whose code came back is not signed in.
func (s *Server) onAccount(ctx context.Context, c *call, by domain.Actor, u domain.UserID, rows []eventstore.Row, commands ...domain.Command) (reply, error) {
	return s.answerOnAccount(ctx, c, by, u, Nothing{}, rows, commands...)
}

// answerOnAccount is onAccount with an answer, which the same key gets again.
func (s *Server) answerOnAccount(ctx context.Context, c *call, by domain.Actor, u domain.UserID, answer any, rows []eventstore.Row, commands ...domain.Command) (reply, error) {
	meta := c.metadata()
	meta.Actor = by
	c.decided = true
	result, err := s.deps.Executor.ExecuteWith(ctx, meta, c.key, func() []eventstore.Row { return rows }, s.ours(func(unit *domain.Unit) (any, error) {
		for _, cmd := range commands {
			if _, err := domain.Do(unit, account.Decider, string(u), cmd); err != nil {
				return nil, err
			}
		}
		return answer, nil
	}))
	if result.Replayed {
		c.echo.Response().Header().Set("Idempotent-Replayed", "true")
	}
	return reply{data: result.Data, meta: Meta{Position: result.Position}, replayed: result.Replayed}, err
}

// issueBy is an issue of somebody else than the one who is signed in.
func (c *call) issueBy(by domain.Actor) domain.Issue {
	i := c.issue()
	i.By = by
	return i
}

// secretKey binds the call's Idempotency-Key, if it has one, to a person, and its fingerprint to
// our key: a plain hash of a body with a password in it could be guessed at leisure.
func (s *Server) secretKey(c *call, who string) {
	if c.key == nil {
		return
	}
	c.key.Actor = who
	c.key.Fingerprint = []byte(s.deps.Hashes.Of("fingerprint", string(c.key.Fingerprint)))
}
