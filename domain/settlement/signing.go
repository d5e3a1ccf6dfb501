package settlement

import (
	"holdfast/domain"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
)

// SignPayout takes a signed transaction of a payout, before it is sent. The first one is
// recorded as signed and as broadcast in one append. One with the same nonce replaces it: the
// chain will take only one of them. Any other would be a second payment and is refused.
// Errors: INSTRUCTION_MISMATCH, PAYOUT_IN_PROGRESS, RELEASE_HOLD_ACTIVE, ASSET_PAUSED.
type SignPayout struct {
	domain.Issue
	Payout domain.PayoutID
	Tx     outgoing.Tx
	// Sent: it was sent elsewhere already. That is a fact, which no hold and no pause undoes.
	Sent bool
}

// Run decides.
func (f SignPayout) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, payout.Decider, string(f.Payout))
	if err != nil {
		return nil, err
	}
	if s.Phase == payout.PhaseBroadcast {
		return f.again(u, s)
	}
	if _, err := (RecordPayoutSignature{Issue: f.Issue, Payout: f.Payout, Tx: f.Tx}).Run(u); err != nil {
		return nil, err
	}
	if f.Sent {
		return payoutStep(u, f.Payout, payout.BroadcastTx{Issue: f.Issue})
	}
	return BroadcastPayout{Issue: f.Issue, Payout: f.Payout}.Run(u)
}

func (f SignPayout) again(u *domain.Unit, s payout.State) (any, error) {
	if outgoing.Known(s.Txs, f.Tx.Hash) == nil {
		return payoutAnswer(s), nil
	}
	same := f.Tx
	same.Nonce = s.Instruction.Nonce
	if err := s.Instruction.Check(same.Transfer); err != nil {
		return nil, err
	}
	if f.Tx.Nonce != s.Instruction.Nonce {
		return nil, payout.ErrInProgress.With("state", s.Phase).With("nonce", s.Instruction.Nonce)
	}
	return ReplacePayout{Issue: f.Issue, Payout: f.Payout, Tx: f.Tx}.Run(u)
}

// SignRefund is the same for a refund. From is the address of the custody pocket that pays;
// the transaction must be signed by it. Errors: INSTRUCTION_MISMATCH, REFUND_IN_PROGRESS,
// REFUND_ADDRESS_REQUIRED, DESTINATION_COOLDOWN, ADDRESS_SCREENED, ASSET_PAUSED.
type SignRefund struct {
	domain.Issue
	Refund    domain.RefundID
	Tx        outgoing.Tx
	Custody   outgoing.Custody
	From      string
	Screening string // of the recipient, just before sending
	Sent      bool   // see SignPayout
}

// Run decides.
func (f SignRefund) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil {
		return nil, err
	}
	if !outgoing.SameAddress(f.Tx.From, f.From) {
		return nil, outgoing.ErrInstructionMismatch.With("field", "from")
	}
	if s.Phase != refund.PhaseBroadcast && f.Sent {
		return refundStep(u, f.Refund, refund.BroadcastTx{Issue: f.Issue, Tx: f.Tx, Custody: f.Custody, Sent: true})
	}
	if s.Phase != refund.PhaseBroadcast {
		return BroadcastRefund{Issue: f.Issue, Refund: f.Refund, Tx: f.Tx, Custody: f.Custody, Screening: f.Screening}.Run(u)
	}
	switch {
	case outgoing.Known(s.Txs, f.Tx.Hash) == nil:
		return refundAnswer(s), nil
	case refund.DigestOf(f.Tx.To) != s.Digest:
		return nil, outgoing.ErrInstructionMismatch.With("field", "to")
	case f.Tx.Amount != s.Net:
		return nil, outgoing.ErrInstructionMismatch.With("field", "amount")
	case f.Tx.Nonce != s.Tx.Nonce:
		return nil, refund.ErrInProgress.With("nonce", s.Tx.Nonce)
	}
	return ReplaceRefund{Issue: f.Issue, Refund: f.Refund, Tx: f.Tx}.Run(u)
}
