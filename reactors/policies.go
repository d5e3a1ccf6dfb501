package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/policy"
	"holdfast/eventstore"
)

// policiesName is the name of the policies' checkpoint.
const policiesName = "policies"

// Policies follows the log and runs what the policies ask for. A command that a rule refuses
// is done with; one that cannot be carried out now is tried again, and the events behind it
// wait; an event that this build does not know, or a bug, halts it until an operator decides.
type Policies struct {
	*loop
	x      *eventstore.Executor
	marks  checkpoints
	strike strike
}

// strike counts how often in a row the same event could not be handled.
type strike struct {
	position int64
	count    int
}

const (
	policySlice = 200
	// maxStrikes is how often a bug is tried again before it halts the policies: it may have
	// been a full disk.
	maxStrikes = 6
)

// NewPolicies makes the follower; pool is that of the jobs.
func NewPolicies(pool *pgxpool.Pool, x *eventstore.Executor, log *slog.Logger) *Policies {
	p := &Policies{x: x, marks: checkpoints{pool}}
	p.loop = newLoop(policiesName, 500*time.Millisecond, log, p.follow)
	return p
}

// Resume lets halted policies go on; with skip, behind the event at which they halted.
func (p *Policies) Resume(ctx context.Context, skip bool) error {
	if err := p.marks.resume(ctx, policiesName, skip); err != nil {
		return err
	}
	p.strike = strike{}
	p.Wake()
	return nil
}

func (p *Policies) follow(ctx context.Context) (more bool, err error) {
	c, err := p.marks.read(ctx, policiesName)
	if err != nil {
		return false, err
	}
	p.halted(c.error != "")
	p.detail("position", c.position)
	if c.error != "" {
		return false, fmt.Errorf("halted: %s", c.error)
	}
	head, err := p.x.Store().Head(ctx)
	if err != nil || head.Position == c.position {
		return false, err
	}
	if (c.logID != "" && c.logID != head.LogID) || c.position > head.Position {
		return false, p.stop(ctx, c.position, fmt.Sprintf("the checkpoint (log %s, position %d) is not one of this log (%s, %d)", c.logID, c.position, head.LogID, head.Position))
	}
	events, err := p.read(ctx, c.position)
	if err != nil {
		return false, err
	}
	now, err := p.x.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	return p.handle(ctx, head.LogID, events, now)
}

// read gives the next events; one by one when an unknown one is among them, so that those
// before it are still handled.
func (p *Policies) read(ctx context.Context, after int64) ([]eventstore.Recorded, error) {
	events, err := p.x.Store().Read(ctx, after, policySlice)
	if _, unknown := errors.AsType[*eventstore.UnknownEventError](err); !unknown {
		return events, err
	}
	events, err = p.x.Store().Read(ctx, after, 1)
	if u, unknown := errors.AsType[*eventstore.UnknownEventError](err); unknown {
		return nil, p.stop(ctx, after, fmt.Sprintf("position %d: %v", after+1, u))
	}
	return events, err
}

func (p *Policies) handle(ctx context.Context, logID string, events []eventstore.Recorded, now time.Time) (more bool, err error) {
	var last int64
	var broken error
	for _, r := range events {
		if broken = p.react(ctx, r, now); broken != nil {
			break
		}
		last = r.Position
	}
	if last > 0 {
		if err := p.marks.move(ctx, policiesName, logID, last); err != nil {
			return false, err
		}
		p.detail("position", last)
	}
	return broken == nil, broken
}

// react runs everything that follows from one event.
func (p *Policies) react(ctx context.Context, r eventstore.Recorded, now time.Time) error {
	for _, want := range policy.React(r.Stream, r.Event, r.EventID.String(), now) {
		id := domain.DeriveID(r.EventID.String(), "policy:"+want.Name)
		meta := eventstore.Metadata{
			Actor: domain.Machine(domain.Process, want.Name), CommandID: id,
			CorrelationID: r.Metadata.CorrelationID, CausationID: r.EventID.String(), Source: "policy",
		}
		key := eventstore.Key{Actor: "policy", Key: id, Fingerprint: []byte(want.Name)}
		_, err := p.x.Execute(ctx, meta, &key, want.Flow.Run)
		attrs := []any{"policy", want.Name, "event", r.Type, "position", r.Position, "stream", r.Stream.String()}
		switch judge(err) {
		case final:
			p.log.InfoContext(ctx, "policy refused", append(attrs, "code", code(err))...)
		case later:
			return fmt.Errorf("policy %s at %d: %w", want.Name, r.Position, err)
		case bug:
			return p.count(ctx, r.Position, fmt.Errorf("policy %s at %d (%s): %w", want.Name, r.Position, r.Type, err))
		}
	}
	return nil
}

// count gives a bug some more tries, then halts.
func (p *Policies) count(ctx context.Context, position int64, err error) error {
	if p.strike.position != position {
		p.strike = strike{position: position}
	}
	if p.strike.count++; p.strike.count < maxStrikes {
		return err
	}
	return p.stop(ctx, position-1, err.Error())
}

func (p *Policies) stop(ctx context.Context, after int64, why string) error {
	p.log.ErrorContext(ctx, "policies halted", "after", after, "error", why)
	p.halted(true)
	return errors.Join(fmt.Errorf("halted: %s", why), p.marks.halt(ctx, policiesName, why))
}
