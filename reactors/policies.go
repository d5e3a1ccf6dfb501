package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/policy"
	"holdfast/eventstore"
	"holdfast/projections"
)

// policiesName is the name of the policies' checkpoint.
const policiesName = "policies"

// Policies follows the log and runs what the policies ask for. A command that a rule refuses
// is done with; one that cannot be carried out now is tried again, and the events behind it
// wait; an event that this build does not know, or a bug, halts it until an operator decides.
type Policies struct {
	*loop
	x      *eventstore.Executor
	pool   *pgxpool.Pool
	events *projections.Reader
	marks  checkpoints
	strike strike
}

// strike counts how often in a row the same event could not be handled.
type strike struct {
	position int64
	count    int
}

const (
	policySlice = 500
	// maxStrikes is how often a bug is tried again before it halts the policies: it may have
	// been a full disk.
	maxStrikes = 6
)

// NewPolicies makes the follower; pool is that of the jobs, events reads policy.Categories.
func NewPolicies(pool *pgxpool.Pool, events *projections.Reader, x *eventstore.Executor, log *slog.Logger) *Policies {
	p := &Policies{x: x, pool: pool, events: events, marks: checkpoints{pool}}
	p.loop = newLoop(policiesName, 500*time.Millisecond, log, p.follow)
	p.linger = 100 * time.Millisecond
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
	slice, err := p.events.Slice(ctx, c.position, policySlice)
	if err != nil || slice.Head == c.position {
		return false, err
	}
	if (c.logID != "" && c.logID != slice.LogID) || c.position > slice.Head {
		return false, p.stop(ctx, c.position, fmt.Sprintf("the checkpoint (log %s, position %d) is not one of this log (%s, %d)", c.logID, c.position, slice.LogID, slice.Head))
	}
	last, broken := p.handle(ctx, slice)
	if last > c.position {
		if err := p.marks.move(ctx, policiesName, slice.LogID, last); err != nil {
			return false, errors.Join(broken, err)
		}
		p.detail("position", last)
	}
	if h, ok := errors.AsType[*haltError](broken); ok {
		return false, p.stop(ctx, last, h.Error())
	}
	return broken == nil && last < slice.Head, broken
}

// haltError is one that no repeat will mend.
type haltError struct{ why string }

func (e *haltError) Error() string { return e.why }

// due is what follows from one event.
type due struct {
	event eventstore.Recorded
	wants []policy.Reaction
}

// handle runs what follows from a slice, and gives the position up to which everything is done.
func (p *Policies) handle(ctx context.Context, s projections.Slice) (last int64, err error) {
	now, err := p.x.Store().Now(ctx)
	if err != nil {
		return s.After, err
	}
	all, unknown := p.wanted(s, now)
	empty, err := p.emptyAccounts(ctx, all)
	if err != nil {
		return s.After, err
	}
	for _, d := range all {
		for _, want := range d.wants {
			if want.Unless != nil && empty(*want.Unless) {
				continue
			}
			if err := p.react(ctx, d.event, want); err != nil {
				return d.event.Position - 1, err
			}
		}
	}
	if unknown != nil {
		return unknown.Position - 1, &haltError{fmt.Sprintf("position %d: event type %q schema %d cannot be read by this build", unknown.Position, unknown.Type, unknown.Schema)}
	}
	return s.To, nil
}

// wanted asks the policies about each event, up to the first that this build cannot read.
func (p *Policies) wanted(s projections.Slice, now time.Time) (all []due, unknown *eventstore.Recorded) {
	for _, r := range s.Events {
		if err := p.events.Decode(&r); err != nil {
			return all, &r
		}
		if wants := policy.React(r.Stream, r.Event, r.EventID.String(), now); len(wants) > 0 {
			all = append(all, due{r, wants})
		}
	}
	return all, nil
}

// emptyAccounts looks up, in one question, the accounts on which reactions depend.
func (p *Policies) emptyAccounts(ctx context.Context, all []due) (func(policy.Empty) bool, error) {
	var accounts, assets []string
	for _, d := range all {
		for _, want := range d.wants {
			if want.Unless != nil {
				accounts, assets = append(accounts, string(want.Unless.Account)), append(assets, string(want.Unless.Asset))
			}
		}
	}
	holding := map[policy.Empty]bool{}
	if len(accounts) > 0 {
		rows, err := p.pool.Query(ctx, `SELECT b.account, b.asset FROM ledger_balances b
			JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS a(account, asset)) a USING (account, asset)
			WHERE b.debits_posted <> b.credits_posted`, accounts, assets)
		if err != nil {
			return nil, fmt.Errorf("look accounts up: %w", err)
		}
		var e policy.Empty
		if _, err := pgx.ForEachRow(rows, []any{&e.Account, &e.Asset}, func() error { holding[e] = true; return nil }); err != nil {
			return nil, fmt.Errorf("look accounts up: %w", err)
		}
	}
	return func(e policy.Empty) bool { return !holding[e] }, nil
}

// react runs one reaction to an event.
func (p *Policies) react(ctx context.Context, r eventstore.Recorded, want policy.Reaction) error {
	id := domain.DeriveID(r.EventID.String(), "policy:"+want.Name)
	meta := eventstore.Metadata{
		Actor: domain.Machine(domain.Process, want.Name), CommandID: id,
		CorrelationID: r.Metadata.CorrelationID, CausationID: r.EventID.String(), Source: "policy",
	}
	key := eventstore.Key{Actor: "policy", Key: id, Fingerprint: []byte(want.Name)}
	_, err := p.x.Execute(ctx, meta, &key, want.Flow.Run)
	switch judge(err) {
	case final:
		p.log.InfoContext(ctx, "policy refused", "policy", want.Name, "event", r.Type, "position", r.Position, "stream", r.Stream.String(), "code", code(err))
	case later:
		return fmt.Errorf("policy %s at %d: %w", want.Name, r.Position, err)
	case bug:
		return p.count(r.Position, fmt.Errorf("policy %s at %d (%s): %w", want.Name, r.Position, r.Type, err))
	}
	return nil
}

// count gives a bug some more tries, then halts.
func (p *Policies) count(position int64, err error) error {
	if p.strike.position != position {
		p.strike = strike{position: position}
	}
	if p.strike.count++; p.strike.count < maxStrikes {
		return err
	}
	return &haltError{err.Error()}
}

func (p *Policies) stop(ctx context.Context, after int64, why string) error {
	p.log.ErrorContext(ctx, "policies halted", "after", after, "error", why)
	p.halted(true)
	return errors.Join(fmt.Errorf("halted: %s", why), p.marks.halt(ctx, policiesName, why))
}
