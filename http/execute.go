package http

import (
	"context"
	"encoding/json"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// flow is a user-level command of the domain.
type flow interface {
	Run(*domain.Unit) (any, error)
}

// target is the stream a command is about: its version is the ETag, and If-Match is held
// against it in the very unit that decides.
type target func(*domain.Unit) (version int64, err error)

// of names the target of a command.
func of[S any, E domain.Event, ID ~string](d domain.Decider[S, E], id ID) target {
	return func(u *domain.Unit) (int64, error) { return domain.VersionOf(u, d, string(id)) }
}

// run executes a flow under the call's key and answers with what it answered.
func (s *Server) run(ctx context.Context, c *call, on target, f flow) (reply, error) {
	result, version, err := s.execute(ctx, c, on, f)
	if err != nil {
		return reply{replayed: result.Replayed}, err
	}
	return reply{data: result.Data, meta: Meta{Position: result.Position}, version: version, replayed: result.Replayed}, nil
}

func (s *Server) execute(ctx context.Context, c *call, on target, f flow) (eventstore.Result, int64, error) {
	var version int64
	result, err := s.deps.Executor.Execute(ctx, c.metadata(), c.key, func(u *domain.Unit) (any, error) {
		if c.ifMatch > 0 && on != nil {
			is, err := on(u)
			if err != nil {
				return nil, err
			}
			if is != c.ifMatch {
				return nil, errStale.With("version", is)
			}
		}
		answer, err := f.Run(u)
		if err != nil {
			return nil, err
		}
		if on != nil {
			if version, err = on(u); err != nil {
				return nil, err
			}
		}
		return answer, nil
	})
	if result.Replayed {
		version = 0
		c.echo.Response().Header().Set("Idempotent-Replayed", "true")
	}
	if len(result.Data) == 0 {
		result.Data = json.RawMessage("null")
	}
	return result, version, err
}

// stateOf folds one object for a check that comes before the command: may this caller see
// it? A stream without events is the same 404 as a foreign object.
func stateOf[S any, E domain.Event, ID ~string](ctx context.Context, s *Server, d domain.Decider[S, E], id ID) (S, int64, error) {
	state, version, err := eventstore.State(ctx, s.deps.Executor, d, string(id))
	if err == nil && version == 0 {
		err = fault.ErrNotFound
	}
	return state, version, err
}
