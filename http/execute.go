package http

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

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
	c.decided = true
	result, err := s.deps.Executor.ExecuteWith(ctx, c.metadata(), c.key, c.rows, s.ours(func(u *domain.Unit) (any, error) {
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
	}))
	if result.Replayed {
		version = 0
		c.echo.Response().Header().Set("Idempotent-Replayed", "true")
	}
	if len(result.Data) == 0 {
		result.Data = json.RawMessage("null")
	}
	return result, version, err
}

// recall gives the first outcome of the call's key when a check before the command refused:
// the same key gets the same answer for ever, also when the world has moved on since and the
// check would now say no. The hot path never comes here.
func (s *Server) recall(ctx context.Context, c *call, refused error) (reply, error) {
	if f, ok := fault.From(refused); !ok || f.Kind == fault.Internal || c.key == nil || c.decided {
		return reply{}, refused
	}
	first, err := s.deps.Executor.Store().Outcome(ctx, *c.key)
	if err != nil || first == nil {
		return reply{}, refused
	}
	c.echo.Response().Header().Set("Idempotent-Replayed", "true")
	if first.Refusal != nil {
		return reply{}, first.Refusal
	}
	return reply{data: first.Data, meta: Meta{Position: first.Position}, replayed: true}, nil
}

// caughtUp waits until every view the route answers from has reached X-Min-Position; a command
// that looks at a view waits for all that stands in the log, since who has just done one thing
// may do the next at once.
func (s *Server) caughtUp(ctx context.Context, c *call) error {
	if len(c.route.Views) == 0 || s.deps.Positions == nil {
		return nil
	}
	position, err := minPosition(c.echo.Request().Header)
	if err == nil && c.route.Class == Command {
		var head eventstore.Head
		head, err = s.deps.Executor.Store().Head(ctx)
		position = max(position, head.Position)
	}
	if err != nil || position == 0 {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, lagLimit)
	defer cancel()
	for _, view := range c.route.Views {
		if err := s.deps.Positions.WaitFor(wait, view, position); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errLag.With("view", view)
		}
	}
	return nil
}

// lagLimit is how long a query waits for its view.
const lagLimit = 2 * time.Second

// stateOf folds one object for a check that comes before the command: may this caller see
// it? A stream without events is the same 404 as a foreign object. A query is answered from the
// log as it stands now. A command is decided on that anyway, so its checks may use what this
// process remembers, which others may have changed since; a refusal is checked again (inDoubt).
func stateOf[S any, E domain.Event, ID ~string](ctx context.Context, s *Server, d domain.Decider[S, E], id ID) (S, int64, error) {
	read := eventstore.FreshState[S, E]
	if c := callOf(ctx); c.route.Class == Command && !c.fresh {
		c.remembered, read = true, eventstore.State[S, E]
	}
	state, version, err := read(ctx, s.deps.Executor, d, string(id))
	if err == nil && version == 0 {
		err = fault.ErrNotFound
	}
	return state, version, err
}

// inDoubt reports whether a check refused the call on what this process remembered; from then on
// the call looks at the log itself.
func (c *call) inDoubt(refused error) bool {
	f, ok := fault.From(refused)
	if !ok || f.Kind == fault.Internal || !c.remembered || c.decided || c.fresh {
		return false
	}
	c.fresh = true
	return true
}

// rehearsal ends a unit after its decision, so that nothing is appended.
type rehearsal struct{ answer any }

func (rehearsal) Error() string { return "a dry run appends nothing" }

// rehearse decides a flow and appends nothing: the answer says what it would do. The
// ledger's guards are not asked; they are when it is meant.
func (s *Server) rehearse(ctx context.Context, c *call, f flow) (reply, error) {
	_, err := s.deps.Executor.Execute(ctx, c.metadata(), nil, func(u *domain.Unit) (any, error) {
		answer, err := s.ours(f.Run)(u)
		if err != nil {
			return nil, err
		}
		return nil, rehearsal{answer}
	})
	if r, ok := errors.AsType[rehearsal](err); ok {
		return reply{status: http.StatusOK, data: r.answer}, nil
	}
	return reply{}, err
}
