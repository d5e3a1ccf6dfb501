package reactors

import (
	"context"
	"fmt"

	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/sweepplan"
	"holdfast/projections/sweepview"
)

func (p *SweepPlanner) chain(id uint64) (PlanChain, error) {
	c, ok := p.o.Chain(id)
	if !ok {
		return nil, fault.New(fault.Unavailable, "CHAIN_NOT_CONFIGURED", "this chain is not configured").With("chain", id)
	}
	return c, nil
}

// Ready refuses signed transactions of a plan that the chain would refuse: a nonce that is used,
// a sweep whose address can pay for no gas and gets none. SWEEP_NOT_ALLOWED.
func (p *SweepPlanner) Ready(ctx context.Context, plan sweepplan.State, txs []outgoing.Signed) error {
	chain, err := p.chain(plan.Chain)
	if err != nil {
		return err
	}
	filled := map[string]bool{}
	for _, t := range plan.TopUps {
		filled[t.Instruction.To] = plan.ToppedUp[t.Destination] != ""
		for _, tx := range txs {
			if tx.Nonce == t.Instruction.Nonce && outgoing.SameAddress(tx.From, t.Instruction.From) {
				filled[t.Instruction.To] = true
			}
		}
	}
	for _, tx := range txs {
		if recorded(plan, tx.Hash) {
			continue
		}
		next, err := chain.NextNonce(ctx, tx.From)
		if err != nil {
			return err
		}
		if next > tx.Nonce {
			return sweepplan.ErrNotAllowed.Because("the nonce is used").With("nonce", tx.Nonce).With("next", next)
		}
		if outgoing.SameAddress(tx.To, p.o.Treasury) && !filled[tx.From] {
			if err := p.paysItsGas(ctx, chain, tx); err != nil {
				return err
			}
		}
	}
	return nil
}

func recorded(plan sweepplan.State, hash string) bool {
	for _, h := range plan.Signed {
		if outgoing.SameAddress(h, hash) {
			return true
		}
	}
	for _, h := range plan.ToppedUp {
		if outgoing.SameAddress(h, hash) {
			return true
		}
	}
	return false
}

func (p *SweepPlanner) paysItsGas(ctx context.Context, chain PlanChain, tx outgoing.Signed) error {
	value := money.Zero
	if tx.Token == "" {
		value = tx.Amount.Units
	}
	short, err := chain.Shortfall(ctx, network.Unsigned{From: tx.From, Value: value, Gas: tx.Gas.Limit, MaxFee: tx.Gas.MaxFee})
	if err == nil && !short.IsZero() {
		err = sweepplan.ErrNotAllowed.Because("the address cannot pay for its gas: sign the plan's top-up too").With("missing", short)
	}
	return err
}

// Send hands recorded transactions to the chain, gas first. What a node refuses now is sent again
// by the loops until it is mined.
func (p *SweepPlanner) Send(ctx context.Context, plan sweepplan.State, txs []outgoing.Signed) error {
	chain, err := p.chain(plan.Chain)
	if err != nil {
		return err
	}
	for _, gas := range []bool{true, false} {
		for _, tx := range txs {
			if outgoing.SameAddress(tx.From, p.o.Gas) != gas {
				continue
			}
			if _, failed := chain.Send(ctx, tx.Raw); failed != nil && err == nil {
				err = fmt.Errorf("send %s: %w", tx.Hash, failed)
			}
		}
	}
	return err
}

// Executed verifies that a transaction of the Safe's owners did what a proposal says: exactly the
// amount, between the two addresses, by the token's own logs. NOT_FINAL while it is in no block.
func (p *SweepPlanner) Executed(ctx context.Context, w sweepplan.Sweep, tx string) error {
	chain, err := p.chain(w.Instruction.Chain)
	if err != nil {
		return err
	}
	out, err := chain.Fetched(ctx, w.Instruction.Transfer, tx)
	switch {
	case err != nil:
		return err
	case out.State == network.Mined && out.Moved == w.Instruction.Amount.Units:
		return nil
	case out.State == network.Mined || out.State == network.Failed:
		return outgoing.ErrInstructionMismatch.With("field", "amount").With("moved", out.Moved)
	}
	return sweepplan.ErrNotFinal
}

// Settled looks what became of a sweep, and gives the flow that books its end. NOT_FINAL while the
// chain may undo it, SWEEP_NOT_ALLOWED when it failed: the follower books that.
func (p *SweepPlanner) Settled(ctx context.Context, s sweepview.Sweep, raw string, decode Decoder, rule payment.Threshold) (funding.SettleSweep, error) {
	f := funding.SettleSweep{ConfirmSweep: funding.ConfirmSweep{Destination: s.Destination, Sweep: s.ID, Tx: s.Tx}}
	chain, err := p.chain(s.Chain)
	if err != nil {
		return f, err
	}
	tx := outgoing.Tx{Hash: s.Tx, Transfer: outgoing.Transfer{Chain: s.Chain, Amount: s.Amount}}
	if raw != "" {
		if tx, err = decode(raw); err != nil {
			return f, err
		}
	}
	out, err := chain.Outcome(ctx, tx)
	switch {
	case err != nil:
		return f, err
	case out.State == network.Failed || out.State == network.Replaced:
		return f, sweepplan.ErrNotAllowed.Because("the chain did not carry it out").With("state", out.State)
	case out.State != network.Mined || !rule.Reached(out.Depth, out.Safe, out.Finalized):
		return f, sweepplan.ErrNotFinal.With("state", out.State).With("have", out.Depth).With("need", rule.Need)
	}
	f.Block, f.BlockHash = out.Block, out.BlockHash
	if raw != "" && !out.Fee.IsZero() {
		f.Fee = &funding.RecordNetworkFee{
			Entry: funding.Entry{Ref: s.Tx, Amount: money.Of(network.NativeAsset(s.Chain), out.Fee), Reason: "gas"},
			Chain: fmt.Sprint(s.Chain), Purpose: "sweep", Custody: ledger.Derived(s.Destination),
		}
	}
	return f, nil
}
