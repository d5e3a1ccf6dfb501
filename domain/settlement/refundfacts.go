package settlement

import (
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
)

// BroadcastRefund is recorded before the transaction is sent. Screening is of the recipient,
// just before: "clean", or the refund is not sent.
type BroadcastRefund struct {
	domain.Issue
	Refund    domain.RefundID
	Tx        outgoing.Tx
	Custody   outgoing.Custody
	Screening string
}

// Run decides.
func (f BroadcastRefund) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil {
		return nil, err
	}
	if s.Phase == refund.PhaseApproved {
		if err := running(u, s.Net.Asset); err != nil {
			return nil, err
		}
	}
	return refundStep(u, f.Refund, refund.BroadcastTx{Issue: f.Issue, Tx: f.Tx, Custody: f.Custody, Screening: f.Screening})
}

// ReplaceRefund records a replacement transaction: same nonce, same transfer, higher fee.
type ReplaceRefund struct {
	domain.Issue
	Refund domain.RefundID
	Tx     outgoing.Tx
}

// Run decides.
func (f ReplaceRefund) Run(u *domain.Unit) (any, error) {
	return refundStep(u, f.Refund, refund.Replace{Issue: f.Issue, Tx: f.Tx})
}

// ConfirmRefund records that the chain has one of the refund's transactions for good.
type ConfirmRefund struct {
	domain.Issue
	Refund   domain.RefundID
	Evidence outgoing.Mined
}

// Run decides.
func (f ConfirmRefund) Run(u *domain.Unit) (any, error) {
	return ending(u, f.Issue, f.Refund, refund.Confirm{Issue: f.Issue, Evidence: f.Evidence})
}

// ending is a step that may end the refund; its hold is told, so that it can be closed. A
// repeat changes nothing anywhere.
func ending(u *domain.Unit, i domain.Issue, id domain.RefundID, c domain.Command) (any, error) {
	events, err := domain.Do(u, refund.Decider, string(id), c)
	if err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, refund.Decider, string(id))
	if err != nil {
		return nil, err
	}
	if len(events) == 0 || !s.Final() {
		return refundAnswer(s), nil
	}
	if s.Phase == refund.PhaseFailed && s.Source == refund.FromSuspense && s.Buyer == "" {
		// Nobody has a credit for it: it is unmatched again.
		if err := returnToSuspense(u, i, s, s.Net); err != nil {
			return nil, err
		}
	}
	return refundAnswer(s), settled(u, i, s.Hold, id)
}

// FailRefund records that the money will never arrive; it becomes the buyer's credit.
type FailRefund struct {
	domain.Issue
	Refund domain.RefundID
	Tx     string
	Code   string
	// NonceUsed: the chain has the transaction (it reverted); false when it was dropped.
	NonceUsed bool
}

// Run decides.
func (f FailRefund) Run(u *domain.Unit) (any, error) {
	return ending(u, f.Issue, f.Refund, refund.Fail{Issue: f.Issue, Tx: f.Tx, Code: f.Code, NonceUsed: f.NonceUsed})
}

// SurfaceRefund records that the chain carried out a refund after all that had failed. Available is
// what the buyer has of his credit: the rest he owes. What nobody had a credit for is taken from
// suspense again; when it was assigned meanwhile that is refused, and a person must look.
type SurfaceRefund struct {
	domain.Issue
	Refund    domain.RefundID
	Evidence  outgoing.Mined
	Available money.Units
}

// Run decides.
func (f SurfaceRefund) Run(u *domain.Unit) (any, error) {
	events, err := domain.Do(u, refund.Decider, string(f.Refund), refund.Surface{Issue: f.Issue, Evidence: f.Evidence, Available: f.Available})
	if err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil {
		return nil, err
	}
	switch {
	case len(events) == 0:
	case s.Buyer == "":
		err = takeFromSuspense(u, f.Issue, s, s.Net)
	default:
		err = owes(u, f.Issue, receivable.Buyer, s.Buyer, events[0].(refund.Surfaced).Owed, f.Evidence)
	}
	return refundAnswer(s), err
}

// LapseRefundAddress ends the wait for the buyer's address: the money becomes his credit.
type LapseRefundAddress struct {
	domain.Issue
	Refund domain.RefundID
}

// Run decides.
func (f LapseRefundAddress) Run(u *domain.Unit) (any, error) {
	return ending(u, f.Issue, f.Refund, refund.LapseAddress{Issue: f.Issue})
}

// TakeRefundAsCredit leaves an approved refund with us, as the buyer's credit.
type TakeRefundAsCredit struct {
	domain.Issue
	Refund domain.RefundID
}

// Run decides.
func (f TakeRefundAsCredit) Run(u *domain.Unit) (any, error) {
	return ending(u, f.Issue, f.Refund, refund.TakeCredit{Issue: f.Issue})
}

// ReorgRefund records that the confirming block is gone.
type ReorgRefund struct {
	domain.Issue
	Refund   domain.RefundID
	Evidence outgoing.Mined
}

// Run decides.
func (f ReorgRefund) Run(u *domain.Unit) (any, error) {
	events, err := domain.Do(u, refund.Decider, string(f.Refund), refund.Reorg{Issue: f.Issue, Evidence: f.Evidence})
	if err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil {
		return nil, err
	}
	if len(events) > 0 {
		err = unsettled(u, f.Issue, s.Hold, f.Refund)
	}
	return refundAnswer(s), err
}
