package reactors

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	"holdfast/projections/sweepview"
	"holdfast/projections/watchview"
)

// Block is a height of a chain with the hash that it had.
type Block struct {
	Number uint64
	Hash   string
}

// Depth is how deep a payment's transfer stands: telemetry.
type Depth struct {
	Payment    domain.PaymentID
	Evidence   string
	Chain      uint64
	Tx         string
	Block      uint64
	Have, Need uint64
	Finalized  bool
}

// Notes is what a follower remembers beside the log. Losing any of it costs work, not money.
type Notes interface {
	// Scanned gives the blocks at which scans ended, newest first.
	Scanned(ctx context.Context, chain uint64) ([]Block, error)
	// Reach notes that a scan ended; blocks at or above it are forgotten.
	Reach(ctx context.Context, chain uint64, b Block) error
	// GoBack forgets the blocks above a height.
	GoBack(ctx context.Context, chain, above uint64) error
	// Deep notes how deep transfers stand.
	Deep(ctx context.Context, all []Depth) error
	// Raw gives a signed transaction of ours by its hash.
	Raw(ctx context.Context, chain uint64, hash string) (raw string, ok bool, err error)
	// Sent notes that a transaction was handed to the chain, or why not.
	Sent(ctx context.Context, chain uint64, hash, reason string) error
}

// FollowerOptions join a ChainFollower. Those without a comment are required.
type FollowerOptions struct {
	Network   network.Chain
	Chain     Chain
	Decode    Decoder
	Executor  *eventstore.Executor
	Watch     watchview.Queries
	Sweeps    sweepview.Queries
	Positions Positions
	Notes     Notes
	Log       *slog.Logger
	// OwnGas: the treasury pays for the gas of what it sends itself, because another address than
	// its own pays for that of derived addresses.
	OwnGas bool

	Every time.Duration // between two looks at the head; 2 s when 0
	// Range is the most blocks of one scan, 2,000 when 0. After a scan that failed fewer are
	// looked at, down to one.
	Range uint64
	// Lookback is how far below the head a chain is scanned that was never scanned, 1,000 when 0.
	Lookback uint64
	// Reorg is for how many blocks beyond their confirmation facts are looked at again, 512 when
	// 0. What the chain calls finalized is not, unless the chain breaks that word.
	Reorg uint64
	// LateFor is how long late money is looked for after a payment closed, 14 days when 0. What
	// comes later is found by reconciliation, since the address is ours for ever.
	LateFor time.Duration
}

// ChainFollower watches one chain: it finds payments, counts their confirmations, notices
// reorganisations of everything that is not final, and follows transactions of ours to their
// end. Each pass does all of it in an order in which nothing can fall between two steps.
type ChainFollower struct {
	*loop
	o        FollowerOptions
	chain    Chain
	id       uint64
	rule     payment.Threshold // for transactions of ours
	deposits deposits
	replaced map[sending]uint64 // head at which all its transactions were first seen replaced
	surfaced uint64             // head at which what had failed was last looked at
	searched map[string]uint64  // by Safe's sweep: up to which block it is known that no other transaction carried it out

	span    uint64 // blocks of the next scan
	deepest uint64 // the most confirmations that a payment on the list needs
	// lost is the lowest block that a reorganisation was seen to take, until everything from
	// there on was looked at again; 0 = none.
	lost uint64
	// apart is the block from which the last scan did not follow on what was scanned before; 0 = it did.
	apart uint64
}

// NewChainFollower makes the follower of one chain.
func NewChainFollower(o FollowerOptions) *ChainFollower {
	o.Every = orDefault(o.Every, 2*time.Second)
	o.Range = orDefault(o.Range, 2000)
	o.Lookback = orDefault(o.Lookback, 1000)
	o.Reorg = orDefault(o.Reorg, 512)
	o.LateFor = orDefault(o.LateFor, 14*24*time.Hour)
	c := o.Network.Confirmations
	f := &ChainFollower{
		o: o, chain: o.Chain, id: o.Network.ID, replaced: map[sending]uint64{}, searched: map[string]uint64{},
		rule: payment.Threshold{Need: c.Need, Floor: c.Floor, Finalized: c.Tag == network.Finalized, Safe: c.Tag == network.Safe},
		span: o.Range, deepest: max(c.Need, c.Floor),
	}
	f.loop = newLoop("chain:"+strconv.FormatUint(f.id, 10), o.Every, o.Log, f.pass)
	f.deposits = deposits{x: o.Executor, log: f.log}
	return f
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// pass looks at the chain once. The order matters:
//
// The chain's head is read first, then the log's, and the watch list must have passed that.
// Whoever is paid in a block up to the head had been told where to pay before, so he is on
// the list, and the scan up to that head cannot miss him.
//
// Blocks that are gone are noticed before the scan, so that a transfer which another block
// carries now is first dropped and then found again.
func (f *ChainFollower) pass(ctx context.Context) (more bool, err error) {
	head, err := f.chain.Head(ctx)
	if err != nil {
		return false, err
	}
	f.detail("head", head.Number)
	f.detail("safe", head.Safe)
	f.detail("finalized", head.Finalized)
	if err := catchUp(ctx, f.o.Executor.Store(), f.o.Positions); err != nil {
		return false, err
	}
	from, below, err := f.start(ctx, head)
	if err != nil {
		return false, err
	}
	// What cannot be said of one transfer must not keep the others waiting.
	problems := []error{f.confirm(ctx, head), f.recheckDeposits(ctx, head)}
	again := errors.Join(problems...)
	if from <= head.Number {
		more, err = f.scan(ctx, from, below, head)
		problems = append(problems, err)
	}
	settled := f.settle(ctx, head)
	if again == nil && settled == nil {
		f.lost = 0 // everything from there on was looked at again
	}
	problems = append(problems, settled)
	err = errors.Join(problems...)
	return more && err == nil, err
}

// start gives the block at which the next scan begins, and the hash of the one below it. After a
// reorganisation that is behind the newest end of a scan that the chain still has; where there is none
// the hash is empty.
func (f *ChainFollower) start(ctx context.Context, head network.Head) (from uint64, parent string, err error) {
	ends, err := f.o.Notes.Scanned(ctx, f.id)
	if err != nil {
		return 0, "", err
	}
	for n, end := range ends {
		hash, err := f.chain.BlockHash(ctx, end.Number)
		if err != nil {
			return 0, "", err
		}
		if sameHash(hash, end.Hash) {
			if n > 0 {
				f.log.WarnContext(ctx, "reorganisation: scanning again", "from", end.Number+1, "was", ends[0].Number)
				f.broken(ctx, end.Number+1, head)
				err = f.o.Notes.GoBack(ctx, f.id, end.Number)
			}
			return end.Number + 1, end.Hash, err
		}
	}
	below := head.Number
	if len(ends) > 0 {
		below = min(below, ends[len(ends)-1].Number)
		f.broken(ctx, below, head)
		f.log.ErrorContext(ctx, "reorganisation beyond everything that was scanned", "was", ends[0].Number)
	}
	return below - min(below, f.o.Lookback), "", nil
}

// broken notes from which block on the chain is another one. Below the finalized block that
// must not happen; when it does, what was final is looked at again all the same.
func (f *ChainFollower) broken(ctx context.Context, from uint64, head network.Head) {
	if f.lost == 0 || from < f.lost {
		f.lost = max(from, 1)
	}
	clear(f.searched)
	if from <= head.Finalized {
		f.log.ErrorContext(ctx, "the chain took back blocks that it had called finalized", "from", from, "finalized", head.Finalized)
		f.detail("finality_broken_at", from)
	}
}
