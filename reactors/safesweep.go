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
	head, err := f.chain.Head(ctx)
	if err != nil {
		return network.Outcome{}, err
	}
	by, err := f.chain.ExecutedBy(ctx, w.Proposal.Safe, w.Proposal.SafeTxHash, head.Number-min(head.Number, f.deepest+f.o.Reorg))
	switch {
	case err != nil:
		return network.Outcome{}, err
	case by == "" && own.State == network.Failed:
		return own, nil
	case by == "":
		return network.Outcome{State: network.Replaced}, nil
	}
	f.log.WarnContext(ctx, "the Safe's owners carried a sweep out in another transaction", "sweep", t.ID, "was", t.Hash, "tx", by)
	return f.fetched(ctx, w, by)
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
