package reactors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// Provider tells what it knows of payments.
type Provider interface {
	// Hints tells what it has seen of one request.
	Hints(ctx context.Context, requestID string) ([]network.Hint, error)
	// Since lists a page of all that was paid between two times.
	Since(ctx context.Context, from, to time.Time, offset int) (page []network.Hint, more bool, err error)
}

// ProviderNotes is what the poller remembers.
type ProviderNotes interface {
	// Read tells up to when the provider's list was read; zero when it never was.
	Read(ctx context.Context) (time.Time, error)
	ReadUntil(ctx context.Context, until time.Time) error
	// Orphan notes a payment of a request that is nobody's; first is true for a new one.
	Orphan(ctx context.Context, h network.Hint, reason string) (first bool, err error)
}

// PollerOptions join a ProviderPoller.
type PollerOptions struct {
	Provider  Provider
	Notes     ProviderNotes
	Chains    func() map[uint64]Payments // those there are at this moment
	Executor  *eventstore.Executor
	Watch     watchview.Queries
	Positions Positions
	Every     time.Duration // the pause between two rounds
	Log       *slog.Logger
}

// ProviderPoller asks the provider, whose webhooks are repeated for some twenty seconds and then
// lost for ever. Each round reads the provider's list of payments since the last round, which
// finds those of requests that we do not know too, and asks for some open requests one by one, in
// turn, in case the list leaves something out. By itself it finds every payment; what it finds is
// a hint, and the chain is asked.
type ProviderPoller struct {
	*loop
	o        PollerOptions
	deposits deposits
	asked    domain.PaymentID // the last one of the previous round
	looked   map[string]time.Time
}

const (
	// firstLook is how far back the list is read when it was never read.
	firstLook = 7 * 24 * time.Hour
	// overlap is read again each time: the provider may list a payment later than it happened.
	overlap = 10 * time.Minute
	// window is the longest stretch of the list that is read at once.
	window = 6 * time.Hour
	// askedEach is how many open requests are asked for in one round.
	askedEach = 40
	// lookedFor is how long a transaction that was found is not looked at again.
	lookedFor = 5 * time.Minute
)

// NewProviderPoller makes the loop.
func NewProviderPoller(o PollerOptions) *ProviderPoller {
	l := &ProviderPoller{o: o, looked: map[string]time.Time{}}
	l.loop = newLoop("provider", o.Every, o.Log, l.round)
	l.deposits = deposits{x: o.Executor, log: l.log}
	return l
}

func (l *ProviderPoller) round(ctx context.Context) (more bool, err error) {
	more, err = l.list(ctx)
	return more, errors.Join(err, l.askAll(ctx))
}

// list reads a stretch of the provider's list; more says that it does not reach to now.
func (l *ProviderPoller) list(ctx context.Context) (more bool, err error) {
	now, err := l.o.Executor.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	read, err := l.o.Notes.Read(ctx)
	if err != nil {
		return false, err
	}
	from, to := read.Add(-overlap), now
	if read.IsZero() {
		from = now.Add(-firstLook)
	}
	if to.Sub(from) > window {
		to, more = from.Add(window), true
	}
	for offset := 0; ; {
		page, next, err := l.o.Provider.Since(ctx, from, to, offset)
		if err != nil {
			return false, fmt.Errorf("read the provider's list: %w", err)
		}
		for _, h := range page {
			if err := l.listed(ctx, h); err != nil {
				return false, err
			}
		}
		if offset += len(page); !next || len(page) == 0 {
			break
		}
	}
	l.detail("readUntil", to)
	l.forget(now)
	return more, l.o.Notes.ReadUntil(ctx, to)
}

// listed follows one line of the list.
func (l *ProviderPoller) listed(ctx context.Context, h network.Hint) error {
	p, ok, err := l.owner(ctx, h)
	switch {
	case err != nil:
		return err
	case !ok:
		return l.orphan(ctx, h, "no payment of ours has this request")
	case p.RequestID != h.RequestID:
		// Made for a payment of ours by a call whose answer was lost. Its money goes to that
		// payment's address, so it counts there all the same.
		if err := l.orphan(ctx, h, "a second request for payment "+string(p.ID)); err != nil {
			return err
		}
	}
	return l.look(ctx, p, h)
}

// owner finds the payment of ours that a line is about. One that was opened a moment ago is not
// called an orphan before the read model has caught up.
func (l *ProviderPoller) owner(ctx context.Context, h network.Hint) (p watchview.Payment, ok bool, err error) {
	for caughtUp := false; ; caughtUp = true {
		found, err := l.o.Watch.Find(ctx, h.RequestID, h.Reference)
		if err == nil && len(found) == 0 && h.Ours != "" {
			found, err = l.o.Watch.Get(ctx, domain.PaymentID(h.Ours))
		}
		if err != nil || len(found) > 0 || caughtUp {
			return first(found), len(found) > 0, err
		}
		if err := catchUp(ctx, l.o.Executor.Store(), l.o.Positions); err != nil {
			return p, false, err
		}
	}
}

func (l *ProviderPoller) orphan(ctx context.Context, h network.Hint, reason string) error {
	isNew, err := l.o.Notes.Orphan(ctx, h, reason)
	if isNew {
		l.log.ErrorContext(ctx, "the provider tells of a request that is nobody's", "request", clip(h.RequestID), "tx", h.Tx, "made_with", clip(h.Ours), "reason", reason)
	}
	return err
}

// askAll asks for some of the open requests, going on where the last round stopped.
func (l *ProviderPoller) askAll(ctx context.Context) error {
	open, err := l.o.Watch.AtProvider(ctx, l.asked, askedEach)
	if err != nil {
		return err
	}
	l.detail("asked", len(open))
	for _, p := range open {
		if err := l.ask(ctx, p); err != nil {
			return err
		}
		l.asked = p.ID
	}
	return nil
}

func (l *ProviderPoller) ask(ctx context.Context, p watchview.Payment) error {
	hints, err := l.o.Provider.Hints(ctx, p.RequestID)
	if err != nil {
		if judge(err) == final {
			l.log.ErrorContext(ctx, "the provider does not know a request of ours", "payment", p.ID, "request", p.RequestID, "code", code(err))
			return nil
		}
		return fmt.Errorf("ask the provider about %s: %w", p.RequestID, err)
	}
	var problems []error
	for _, h := range hints {
		problems = append(problems, l.look(ctx, p, h))
	}
	return errors.Join(problems...)
}

// look reads from the chain what a hint names.
func (l *ProviderPoller) look(ctx context.Context, p watchview.Payment, h network.Hint) error {
	chain, ok := l.o.Chains()[p.Chain]
	key := string(p.ID) + h.Tx
	if !ok || h.Kind != network.Paid || h.Tx == "" || (h.Chain != 0 && h.Chain != p.Chain) || time.Since(l.looked[key]) < lookedFor {
		return nil
	}
	found, err := l.deposits.look(ctx, chain, p, h.Tx, "provider", "provider:"+cmp.Or(h.RequestID, p.RequestID))
	if found == lookedFound && err == nil {
		l.looked[key] = time.Now()
	}
	return err
}

func (l *ProviderPoller) forget(now time.Time) {
	for key, at := range l.looked {
		if now.Sub(at) > lookedFor {
			delete(l.looked, key)
		}
	}
}
