package reactors

import (
	"context"
	"fmt"
	"time"

	"holdfast/domain/network"
)

// scanFor is how long one pass goes on with scanning while blocks are left: confirmations and
// transactions of ours wait meanwhile.
const scanFor = 10 * time.Second

// sweptRange is what a scan of some blocks found.
type sweptRange struct {
	from  uint64
	found network.Scanned
	err   error
}

// scan looks from a block up to the head for payments and records what it finds, range by range: while one is
// recorded the next is read already. A range is noted as scanned when all before it is and
// everything it holds is recorded, so that whoever dies here is scanned again from there.
//
// One watch list serves all of them: it was read after the head, and nothing above that head is
// looked at. more says that blocks are left.
//
// Each range must follow on the one before it, of which below is the last block of the newest. Where
// it does not, the chain was reorganised between the two, and what the earlier one has found is not
// the chain's any more: the next pass finds that its end is gone and reads from there again.
func (f *ChainFollower) scan(ctx context.Context, from uint64, below string, head network.Head) (more bool, err error) {
	now, err := f.o.Executor.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	payments, err := f.o.Watch.Payments(ctx, f.id, now.Add(-f.o.LateFor))
	if err != nil {
		return false, err
	}
	list := newWatchList(payments)
	f.deepest = max(list.deepest, f.rule.Need, f.rule.Floor)
	ctx, stop := context.WithCancel(ctx)
	ranges := f.ahead(ctx, from, head, list.watch)
	defer func() {
		stop()
		for range ranges {
			continue // the reader ends before anything else is done
		}
	}()
	for r := range ranges {
		if r.err != nil {
			return false, r.err
		}
		if r.found.To < r.from {
			return false, nil
		}
		if below != "" && r.found.Parent != "" && !sameHash(below, r.found.Parent) {
			f.log.WarnContext(ctx, "reorganisation while scanning", "from", r.from, "below", below, "parent", r.found.Parent)
			if f.apart == r.from {
				return false, fmt.Errorf("scan from block %d: again its parent %s is not the block scanned before, %s: a node stands apart from the others", r.from, r.found.Parent, below)
			}
			f.apart = r.from
			return false, nil
		}
		below, f.apart = r.found.ToHash, 0
		if err := f.book(ctx, list, r.found.Deposits); err != nil {
			return false, err
		}
		if err := f.o.Notes.Reach(ctx, f.id, Block{Number: r.found.To, Hash: r.found.ToHash}); err != nil {
			return false, err
		}
		f.detail("scanned", r.found.To)
		more = r.found.To < head.Number
	}
	return more, nil
}

// ahead reads range after range, one ahead of whoever takes them, until the head, an error, a node
// that has no more, or for as long as a pass scans.
func (f *ChainFollower) ahead(ctx context.Context, from uint64, head network.Head, w network.Watch) <-chan sweptRange {
	ranges := make(chan sweptRange)
	go func() {
		defer close(ranges)
		for until := time.Now().Add(scanFor); from <= head.Number && time.Now().Before(until); {
			r := sweptRange{from: from}
			if r.found, r.err = f.chain.Scan(ctx, from, min(head.Number, from+f.span-1), w); r.err != nil {
				if ctx.Err() == nil {
					f.span = max(f.span/2, 1)
				}
				r.err = fmt.Errorf("scan from %d: %w", from, r.err)
			} else {
				f.span = min(f.span*2, f.o.Range)
			}
			select {
			case ranges <- r:
			case <-ctx.Done():
				return
			}
			if r.err != nil || r.found.To < from {
				return
			}
			from = r.found.To + 1
		}
	}()
	return ranges
}
