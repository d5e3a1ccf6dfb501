package reactors

import (
	"context"
	"errors"
	"fmt"

	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/projections/watchview"
)

// settle follows transactions of ours: payouts, refunds, sweeps. One that no node knows is sent
// again; it is signed, so it can only do what was decided.
func (f *ChainFollower) settle(ctx context.Context, head network.Head) error {
	all, err := f.o.Watch.Transactions(ctx, f.id, f.oldest(head))
	if err != nil {
		return err
	}
	var problems []error
	sent := map[sending][]followed{}
	for _, t := range all {
		if t.Mined {
			problems = append(problems, f.recheck(ctx, t))
			continue
		}
		state, err := f.follow(ctx, t)
		problems = append(problems, err)
		p := sending{t.Kind, t.ID}
		sent[p] = append(sent[p], followed{t, state})
	}
	for p, txs := range sent {
		problems = append(problems, f.gone(ctx, p, txs, head))
	}
	for p := range f.replaced {
		if _, open := sent[p]; !open {
			delete(f.replaced, p)
		}
	}
	f.detail("sent", len(sent))
	return errors.Join(append(problems, f.surface(ctx, head))...)
}

// sending is a payout, refund or sweep. Its transactions share one nonce, so that the chain
// takes one of them at most.
type sending struct{ kind, id string }

// followed is a transaction and how this pass found it.
type followed struct {
	watchview.Transaction
	state network.TxState
}

// recheck notices that the block of a mined transaction is gone.
func (f *ChainFollower) recheck(ctx context.Context, t watchview.Transaction) error {
	if t.BlockHash == "" {
		return nil
	}
	s, err := f.chain.Standing(ctx, t.Block, t.BlockHash)
	if err != nil || s.Canonical {
		return err
	}
	f.log.WarnContext(ctx, "block of a transaction of ours is gone", "kind", t.Kind, "id", t.ID, "tx", t.Hash, "block", t.Block)
	return f.fact(ctx, t, func(i domain.Issue) flow { return reorgOf(i, t) })
}

// follow looks what became of a transaction. A state that could not be learnt is empty.
func (f *ChainFollower) follow(ctx context.Context, t watchview.Transaction) (network.TxState, error) {
	tx, raw, err := f.transaction(ctx, t)
	if err != nil {
		return "", err
	}
	out, err := f.outcome(ctx, t, tx, raw)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", t.Kind, t.ID, err)
	}
	firm := f.rule.Reached(out.Depth, out.Safe, out.Finalized)
	switch {
	case out.State == network.Mined && firm:
		err = f.ended(ctx, t, out, func(i domain.Issue) flow { return confirmOf(i, t, out) })
	case out.State == network.Failed && firm:
		err = f.ended(ctx, t, out, func(i domain.Issue) flow { return failOf(i, t, "REVERTED") })
	case out.State == network.Unknown:
		err = f.sendAgain(ctx, t, raw)
	}
	return out.State, err
}

// transaction gives what is known of a transaction: all of it where its bytes are kept.
func (f *ChainFollower) transaction(ctx context.Context, t watchview.Transaction) (tx outgoing.Tx, raw string, err error) {
	raw = t.Raw
	if raw == "" {
		if raw, _, err = f.o.Notes.Raw(ctx, f.id, t.Hash); err != nil {
			return tx, "", err
		}
	}
	if raw != "" {
		if tx, err = f.o.Decode(raw); err == nil && outgoing.SameAddress(tx.Hash, t.Hash) {
			return tx, raw, nil
		}
		f.log.ErrorContext(ctx, "kept bytes are not the transaction they should be", "kind", t.Kind, "id", t.ID, "tx", t.Hash, "error", err)
	}
	tx = outgoing.Tx{Hash: t.Hash}
	if t.Transfer != nil {
		tx.Transfer = *t.Transfer
	}
	return tx, "", nil
}

// gone deals with a payment whose nonce a foreign transaction has used: none of its own, not
// even a replacement, can be mined any more. It failed, once the other one stands firmly.
func (f *ChainFollower) gone(ctx context.Context, p sending, txs []followed, head network.Head) error {
	for _, t := range txs {
		if t.state != network.Replaced {
			delete(f.replaced, p)
			return nil
		}
	}
	since, seen := f.replaced[p]
	if !seen {
		f.replaced[p] = head.Number
		f.log.WarnContext(ctx, "nonce of a payment of ours was used by another transaction", "kind", p.kind, "id", p.id, "transactions", len(txs))
		return nil
	}
	if head.Number < since+max(f.rule.Need, f.rule.Floor) {
		return nil
	}
	last := txs[len(txs)-1].Transaction
	return f.ended(ctx, last, network.Outcome{State: network.Replaced}, func(i domain.Issue) flow { return failOf(i, last, "REPLACED") })
}

func (f *ChainFollower) sendAgain(ctx context.Context, t watchview.Transaction, raw string) error {
	if raw == "" {
		f.log.WarnContext(ctx, "no node knows a transaction of ours, and its bytes are not kept here", "kind", t.Kind, "id", t.ID, "tx", t.Hash)
		return nil
	}
	_, err := f.chain.Send(ctx, raw)
	f.log.InfoContext(ctx, "transaction sent again", "kind", t.Kind, "id", t.ID, "tx", t.Hash, "error", err)
	if err := f.o.Notes.Sent(ctx, f.id, t.Hash, code(err)); err != nil {
		return err
	}
	if judge(err) == final {
		return nil // nonce used, no gas: the next look at its outcome says what became of it
	}
	return err
}

func (f *ChainFollower) try(ctx context.Context, t watchview.Transaction, make func(domain.Issue) flow) error {
	_, err := f.deposits.run(ctx, "chain", "tx:"+t.Hash, make)
	return err
}

// fact books a fact about a transaction.
func (f *ChainFollower) fact(ctx context.Context, t watchview.Transaction, make func(domain.Issue) flow) error {
	return f.noted(ctx, t, f.try(ctx, t, make))
}

func (f *ChainFollower) noted(ctx context.Context, t watchview.Transaction, err error) error {
	switch judge(err) {
	case done:
		f.log.InfoContext(ctx, "transaction settled", "kind", t.Kind, "id", t.ID, "tx", t.Hash)
		return nil
	case final:
		f.log.ErrorContext(ctx, "fact about a transaction refused", "kind", t.Kind, "id", t.ID, "tx", t.Hash, "code", code(err))
		return nil
	}
	return fmt.Errorf("settle %s %s: %w", t.Kind, t.ID, err)
}
