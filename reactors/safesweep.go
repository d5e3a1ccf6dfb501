package reactors

import (
	"context"
	"errors"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// outcome says what became of a transaction of ours. A sweep whose bytes we never had was sent by
// the owners of a Safe, who paid for it.
func (f *ChainFollower) outcome(ctx context.Context, t watchview.Transaction, tx outgoing.Tx, raw string) (network.Outcome, error) {
	if t.Kind != watchview.Sweep || raw != "" {
		return f.chain.Outcome(ctx, tx)
	}
	out, err := f.executed(ctx, t)
	out.Fee = money.Zero
	return out, err
}

// executed says what became of a Safe's sweep. Its transaction is anybody's, and the nonce that
// counts is the Safe's own: while that is unused, the owners may send the same again in another
// transaction; once it is used, the Safe's event says whether by this proposal.
func (f *ChainFollower) executed(ctx context.Context, t watchview.Transaction) (network.Outcome, error) {
	w, err := f.proposed(ctx, t)
	if err != nil || w == nil {
		return network.Outcome{State: network.Waiting}, err
	}
	// One that failed proves nothing: another one may have carried the same out before it.
	own, err := f.fetched(ctx, w, t.Hash)
	if err != nil || own.State == network.Mined {
		return own, err
	}
	next, err := f.chain.SafeNonce(ctx, w.Proposal.Safe)
	switch {
	case err != nil:
		return network.Outcome{State: network.Waiting}, err
	case next <= w.Proposal.Nonce && own.State == network.Failed:
		return own, nil
	case next <= w.Proposal.Nonce:
		return network.Outcome{State: network.Waiting}, nil
	}
	by, err := f.carriedOut(ctx, t.ID, w.Proposal)
	switch {
	case err != nil:
		return network.Outcome{}, err
	case by == "" && own.State == network.Failed:
		return own, nil
	case by == "" && w.Proposal.Block == 0:
		// Nobody knows how far back it may have been: the money stays in transit until a person looks.
		f.log.WarnContext(ctx, "a Safe's sweep of an older version may have been carried out long ago", "sweep", t.ID, "tx", t.Hash)
		return network.Outcome{State: network.Waiting}, nil
	case by == "":
		return network.Outcome{State: network.Replaced}, nil
	case outgoing.SameAddress(by, t.Hash):
		return own, nil
	}
	f.log.WarnContext(ctx, "the Safe's owners carried a sweep out in another transaction", "sweep", t.ID, "was", t.Hash, "tx", by)
	own, err = f.fetched(ctx, w, by)
	own.Tx = by
	return own, err
}

// carriedOut finds the transaction in which a Safe carried a proposal out, from the block at which it
// was proposed, however long ago that is: a window below the head would pass over one that the owners
// sent before a stand-still. A reorganisation since then may have put it a little lower. What was
// searched and lies deeper than any reorganisation that is looked for is not searched again.
func (f *ChainFollower) carriedOut(ctx context.Context, sweep string, p *sweepplan.Proposal) (tx string, err error) {
	head, err := f.chain.Head(ctx)
	if err != nil {
		return "", err
	}
	margin := f.deepest + f.o.Reorg
	firm := head.Number - min(head.Number, margin)
	from := firm
	if p.Block > 0 {
		from = max(p.Block-min(p.Block, margin), f.searched[sweep])
	}
	tx, err = f.chain.ExecutedBy(ctx, p.Safe, p.SafeTxHash, from)
	if err == nil && tx == "" && p.Block > 0 {
		f.searched[sweep] = firm
	}
	return tx, err
}

// fetched looks at one transaction. A Safe's may succeed although what it calls has failed: then
// the token did not move.
func (f *ChainFollower) fetched(ctx context.Context, w *sweepplan.Sweep, tx string) (network.Outcome, error) {
	out, err := f.chain.Fetched(ctx, w.Instruction.Transfer, tx)
	if err == nil && out.State == network.Mined && out.Moved != w.Instruction.Amount.Units {
		out.State = network.Failed
	}
	return out, err
}

// proposed finds what the owners signed; nil where no plan of ours says it.
func (f *ChainFollower) proposed(ctx context.Context, t watchview.Transaction) (*sweepplan.Sweep, error) {
	row, err := f.o.Sweeps.Get(ctx, domain.SweepID(t.ID))
	switch {
	case errors.Is(err, fault.ErrNotFound) || (err == nil && row.Plan == ""):
		return nil, nil
	case err != nil:
		return nil, err
	}
	plan, _, err := eventstore.FreshState(ctx, f.o.Executor, sweepplan.Decider, string(row.Plan))
	if err != nil {
		return nil, err
	}
	w, ok := plan.Find(row.ID)
	if !ok || w.Proposal == nil {
		return nil, nil
	}
	return &w, nil
}
