package reactors

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ingestion"
	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// Notice is a provider's delivery that waits in the inbox.
type Notice struct {
	Row      int64
	Attempts int  // this one included
	Replayed bool // an operator put it up again
	Source   string
	Delivery string // the provider's id; not signed
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
	Chains    func() map[uint64]Payments // those there are at this moment
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
	ingestBatch   = 64
	ingestWorkers = 8
	ingestLease   = time.Minute
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
	// Together they fill the log's batches; each waits for a chain or the disk most of the time.
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(ingestWorkers)
	for _, n := range notices {
		group.Go(func() error {
			end, err := i.ingest(ctx, n)
			if err != nil {
				// It stays in the inbox under its lease and comes again; the others go on.
				i.log.WarnContext(ctx, "notice postponed", "row", n.Row, "attempts", n.Attempts, "error", err)
				end = ending{wait: backoff(n.Attempts + 3), reason: err.Error()}
			}
			return i.end(ctx, n, end)
		})
	}
	return len(notices) == ingestBatch, group.Wait()
}

// ending is how a notice ended, or for how long it waits.
type ending struct {
	status string
	wait   time.Duration
	reason string
	// payment it is about, and the transaction that was read for it.
	payment  domain.PaymentID
	evidence string
	also     flow // what follows in the log
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
	case h.Kind == network.Noise:
		return ending{status: NoticeDone, reason: "stored, and nothing follows from it"}, nil
	}
	r := reportOf(n, h)
	known, _, err := eventstore.State(ctx, i.o.Executor, ingestion.Decider, r.SHA256)
	switch {
	case err != nil:
		return ending{}, err
	case known.Phase == ingestion.MatchedPhase && !n.Replayed:
		return ending{status: NoticeDone, reason: "a report that came before"}, nil
	}
	e, err := i.follow(ctx, n, h)
	if err != nil {
		return ending{}, err
	}
	err = i.record(ctx, n, known, r, e)
	if e.also != nil && judge(err) == final {
		e = ending{status: NoticeParked, reason: "what follows from it was refused: " + code(err)}
		err = i.record(ctx, n, known, r, e)
	}
	return e, err
}

// follow does what a report asks for. Whatever it says, money is only believed when the chain
// shows it.
func (i *Ingest) follow(ctx context.Context, n Notice, h network.Hint) (ending, error) {
	if h.Kind == network.Recurring {
		return ending{status: NoticeParked, reason: "a recurring request was made; we never make one"}, nil
	}
	p, ok, err := i.payment(ctx, h)
	switch {
	case err != nil:
		return ending{}, err
	case !ok:
		return ending{status: NoticeParked, reason: fmt.Sprintf("request %q, reference %q: no payment of ours", clip(h.RequestID), h.Reference)}, nil
	case h.Kind == network.Paid:
		return i.paid(ctx, n, h, p)
	case h.Kind == network.Refunded:
		return ending{status: NoticeParked, reason: fmt.Sprintf("the provider says that payment %s was refunded; it holds no money of ours, so compare the chain", p.ID)}, nil
	case h.Kind == network.Trouble:
		return ending{
			status: NoticeDone, payment: p.ID, reason: "noted on the payment: " + h.Code,
			also: funding.ReportFailure{Issue: i.issue(n), Payment: p.ID, Code: cmp.Or(h.Code, "unknown"), Reason: h.Detail},
		}, nil
	case h.Kind == network.Doubt:
		return ending{
			status: NoticeDone, payment: p.ID, reason: "the money waits for a person: " + h.Detail,
			also: funding.DoubtPayer{Issue: i.issue(n), Payment: p.ID, Reason: h.Detail},
		}, nil
	}
	return ending{status: NoticeDone, payment: p.ID, reason: "the provider is at " + cmp.Or(h.Code, string(h.Kind))}, nil
}

func (i *Ingest) paid(ctx context.Context, n Notice, h network.Hint, p watchview.Payment) (ending, error) {
	switch {
	case h.Tx == "":
		return ending{status: NoticeDone, payment: p.ID, reason: "names no transaction; the scanner looks for the reference"}, nil
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
	chain, ok := i.o.Chains()[p.Chain]
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
		return ending{status: NoticeDone, payment: p.ID, evidence: fmt.Sprintf("%d:%s", p.Chain, tx)}, nil
	case lookedReverted:
		return ending{status: NoticeParked, reason: "the transaction failed on the chain"}, nil
	case lookedNothing:
		return ending{status: NoticeParked, reason: "the transaction is mined and pays nothing to " + p.Address}, nil
	}
	if time.Since(n.Received) > i.o.Patience {
		return ending{status: NoticeParked, reason: "no node knows the transaction"}, nil
	}
	return ending{wait: min(backoff(n.Attempts+3), 30*time.Second), reason: "the transaction is not mined yet"}, nil
}
