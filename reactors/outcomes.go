package reactors

import (
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/settlement"
	"holdfast/projections/watchview"
)

// The flows in which a payout, a refund or a sweep hears what became of its transaction.

func confirmOf(i domain.Issue, t watchview.Transaction, out network.Outcome) flow {
	mined := outgoing.Mined{Chain: t.Chain, Tx: t.Hash, Block: out.Block, BlockHash: out.BlockHash}
	switch t.Kind {
	case watchview.Payout:
		return settlement.ConfirmPayout{Issue: i, Payout: domain.PayoutID(t.ID), Evidence: mined}
	case watchview.Refund:
		return settlement.ConfirmRefund{Issue: i, Refund: domain.RefundID(t.ID), Evidence: mined}
	}
	tx := t.Hash
	if out.Tx != "" {
		tx = outgoing.NormalHash(out.Tx)
	}
	return funding.ConfirmSweep{Issue: i, Destination: t.Destination, Sweep: domain.SweepID(t.ID), Tx: tx, Block: out.Block, BlockHash: out.BlockHash}
}

// failOf ends it for good. The nonce is used up: by the transaction itself, which reverted, or
// by the one that came in its place.
func failOf(i domain.Issue, t watchview.Transaction, code string) flow {
	switch t.Kind {
	case watchview.Payout:
		return settlement.FailPayout{Issue: i, Payout: domain.PayoutID(t.ID), Tx: t.Hash, Code: code, NonceUsed: true}
	case watchview.Refund:
		return settlement.FailRefund{Issue: i, Refund: domain.RefundID(t.ID), Tx: t.Hash, Code: code, NonceUsed: true}
	}
	return funding.FailSweep{Issue: i, Destination: t.Destination, Sweep: domain.SweepID(t.ID), Code: code}
}

func reorgOf(i domain.Issue, t watchview.Transaction) flow {
	mined := outgoing.Mined{Chain: t.Chain, Tx: t.Hash, Block: t.Block, BlockHash: t.BlockHash}
	switch t.Kind {
	case watchview.Payout:
		return settlement.ReorgPayout{Issue: i, Payout: domain.PayoutID(t.ID), Evidence: mined}
	case watchview.Refund:
		return settlement.ReorgRefund{Issue: i, Refund: domain.RefundID(t.ID), Evidence: mined}
	}
	return funding.ReorgSweep{Issue: i, Destination: t.Destination, Sweep: domain.SweepID(t.ID)}
}
