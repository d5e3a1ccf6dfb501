package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// Notice is a provider's delivery that waits in the inbox.
type Notice struct {
	Row      int64
	Attempts int // this one included
	Source   string
	Body     []byte
	Header   map[string]string
	Received time.Time
}

// Inbox hands out notices under a lease and notes how each ended.
type Inbox interface {
	Take(ctx context.Context, limit int, lease time.Duration) ([]Notice, error)
	// Finish marks a notice done, rejected or parked, with a reason.
	Finish(ctx context.Context, row int64, status, reason string) error
	Postpone(ctx context.Context, row int64, after time.Duration, reason string) error
}

// How a notice ends. Parked ones wait for an operator, who may replay them.
const (
	NoticeDone     = "done"
	NoticeRejected = "rejected"
	NoticeParked   = "parked"
)

// Reader reads a provider's notice; a fault when it is not in the provider's shape.
type Reader interface {
	Hint(header map[string]string, body []byte) (network.Hint, error)
}

// IngestOptions join an Ingest.
type IngestOptions struct {
	Inbox     Inbox
	Reader    Reader
	Chains    map[uint64]Payments
	Executor  *eventstore.Executor
	Watch     watchview.Queries
	Positions Positions
	Log       *slog.Logger
	// Patience is how long a transaction that no node knows is looked for before the notice is
	// parked; a day when 0.
	Patience time.Duration
}

// Ingest works the inbox off. A notice is a hint and moves nothing: the payment it names is
// looked up, and what its transaction really did is read from the chain. A notice that names
// nobody's payment is parked with an alarm.
type Ingest struct {
	*loop
	o        IngestOptions
	deposits deposits
}

const (
	ingestBatch = 32
	ingestLease = time.Minute
)

// NewIngest makes the worker.
func NewIngest(o IngestOptions) *Ingest {
	if o.Patience == 0 {
		o.Patience = 24 * time.Hour
	}
	i := &Ingest{o: o}
	i.loop = newLoop("ingest", 500*time.Millisecond, o.Log, i.work)
	i.deposits = deposits{x: o.Executor, log: i.log}
	return i
}

func (i *Ingest) work(ctx context.Context) (more bool, err error) {
	notices, err := i.o.Inbox.Take(ctx, ingestBatch, ingestLease)
	if err != nil {
		return false, err
	}
	for _, n := range notices {
		end, err := i.ingest(ctx, n)
		if err != nil {
			// It stays in the inbox under its lease and comes again; the others go on.
			i.log.WarnContext(ctx, "notice postponed", "row", n.Row, "attempts", n.Attempts, "error", err)
			end = ending{wait: backoff(n.Attempts + 3), reason: err.Error()}
		}
		if err := i.end(ctx, n, end); err != nil {
			return false, err
		}
	}
	return len(notices) == ingestBatch, nil
}

// ending is how a notice ended, or for how long it waits.
type ending struct {
	status string
	wait   time.Duration
	reason string
}

func (i *Ingest) end(ctx context.Context, n Notice, e ending) error {
	if e.status == "" {
		return i.o.Inbox.Postpone(ctx, n.Row, e.wait, e.reason)
	}
	if e.status == NoticeParked {
		i.log.ErrorContext(ctx, "notice parked", "row", n.Row, "source", n.Source, "reason", e.reason)
	}
	return i.o.Inbox.Finish(ctx, n.Row, e.status, e.reason)
}

func (i *Ingest) ingest(ctx context.Context, n Notice) (ending, error) {
	h, err := i.o.Reader.Hint(n.Header, n.Body)
	if err != nil {
		if judge(err) != final {
			return ending{}, err
		}
		return ending{status: NoticeRejected, reason: err.Error()}, nil
	}
	switch {
	case h.Test:
		return ending{status: NoticeDone, reason: "a test delivery"}, nil
	case h.Kind != network.Paid:
		return ending{status: NoticeDone, reason: "nothing to look for on a chain: " + string(h.Kind)}, nil
	}
	p, ok, err := i.payment(ctx, h)
	switch {
	case err != nil:
		return ending{}, err
	case !ok:
		return ending{status: NoticeParked, reason: fmt.Sprintf("request %q, reference %q: no payment of ours", h.RequestID, h.Reference)}, nil
	case h.Tx == "":
		return ending{status: NoticeDone, reason: "names no transaction; the scanner looks for the reference"}, nil
	case h.Chain != 0 && h.Chain != p.Chain:
		return ending{status: NoticeParked, reason: fmt.Sprintf("payment %s is expected on chain %d, the notice names %d", p.ID, p.Chain, h.Chain)}, nil
	}
	return i.look(ctx, n, p, h.Tx)
}

// payment finds what a hint is about. A payment may have been opened a moment ago, so nobody is
// told "unknown" before the read model has caught up.
func (i *Ingest) payment(ctx context.Context, h network.Hint) (p watchview.Payment, ok bool, err error) {
	for caughtUp := false; ; caughtUp = true {
		found, err := i.o.Watch.Find(ctx, h.RequestID, h.Reference)
		if err != nil || len(found) > 0 {
			return first(found), len(found) > 0, err
		}
		if caughtUp {
			return p, false, nil
		}
		if err := catchUp(ctx, i.o.Executor.Store(), i.o.Positions); err != nil {
			return p, false, err
		}
	}
}

func first[T any](all []T) (v T) {
	if len(all) > 0 {
		v = all[0]
	}
	return v
}

// catchUp waits until what is to be watched includes everything that is in the log now.
func catchUp(ctx context.Context, log interface {
	Head(context.Context) (eventstore.Head, error)
}, positions Positions,
) error {
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := positions.WaitFor(ctx, watchview.Name, head.Position); err != nil {
		return fmt.Errorf("wait for the watch list: %w", err)
	}
	return nil
}

func (i *Ingest) look(ctx context.Context, n Notice, p watchview.Payment, tx string) (ending, error) {
	chain, ok := i.o.Chains[p.Chain]
	if !ok {
		return ending{status: NoticeParked, reason: fmt.Sprintf("chain %d is not configured", p.Chain)}, nil
	}
	found, err := i.deposits.look(ctx, chain, p, tx, "webhook:"+n.Source, fmt.Sprintf("inbox:%d", n.Row))
	switch {
	case err != nil && judge(err) == final:
		return ending{status: NoticeRejected, reason: code(err)}, nil
	case err != nil:
		return ending{}, err
	}
	switch found {
	case lookedFound:
		return ending{status: NoticeDone}, nil
	case lookedReverted:
		return ending{status: NoticeRejected, reason: "the transaction failed on the chain"}, nil
	case lookedNothing:
		return ending{status: NoticeParked, reason: "the transaction is mined and pays nothing to " + p.Address}, nil
	}
	if time.Since(n.Received) > i.o.Patience {
		return ending{status: NoticeParked, reason: "no node knows the transaction"}, nil
	}
	return ending{wait: min(backoff(n.Attempts+3), 30*time.Second), reason: "the transaction is not mined yet"}, nil
}
