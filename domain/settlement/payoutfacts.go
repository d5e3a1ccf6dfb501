package settlement

import (
	"fmt"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/receivable"
)

// ReplacePayout records a replacement transaction: same nonce, same transfer, higher fee.
type ReplacePayout struct {
	domain.Issue
	Payout domain.PayoutID
	Tx     outgoing.Tx
}

// Run decides.
func (f ReplacePayout) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.Replace{Issue: f.Issue, Tx: f.Tx})
}

// ConfirmPayout records that the chain has one of the payout's transactions for good.
type ConfirmPayout struct {
	domain.Issue
	Payout   domain.PayoutID
	Evidence outgoing.Mined
}

// Run decides.
func (f ConfirmPayout) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.Confirm{Issue: f.Issue, Evidence: f.Evidence})
}

// SurfacePayout records that the chain carried out a payout after all that had failed. Available is
// what the seller has: the rest he owes.
type SurfacePayout struct {
	domain.Issue
	Payout    domain.PayoutID
	Evidence  outgoing.Mined
	Available money.Units
}

// Run decides.
func (f SurfacePayout) Run(u *domain.Unit) (any, error) {
	events, err := domain.Do(u, payout.Decider, string(f.Payout), payout.Surface{Issue: f.Issue, Evidence: f.Evidence, Available: f.Available})
	if err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, payout.Decider, string(f.Payout))
	if err == nil && len(events) > 0 {
		err = owes(u, f.Issue, receivable.Seller, s.Seller, events[0].(payout.Surfaced).Owed, f.Evidence)
	}
	return payoutAnswer(s), err
}

// owes notes a debt that a payment has left which was thought to have failed.
func owes(u *domain.Unit, i domain.Issue, party receivable.Party, user domain.UserID, amount money.Amount, m outgoing.Mined) error {
	if amount.IsZero() {
		return nil
	}
	_, err := domain.Do(u, receivable.Decider, receivable.ID(party, user, amount.Asset), receivable.Record{
		Issue: own(i, "surfaced"), Party: party, User: user, Amount: amount, Cause: fmt.Sprintf("%s@%d", m.Tx, m.Block),
	})
	return err
}

// FailPayout records that the money will never arrive; it is the seller's again.
type FailPayout struct {
	domain.Issue
	Payout domain.PayoutID
	Tx     string
	Code   string
	// NonceUsed: the chain has the transaction (it reverted); false when it was dropped.
	NonceUsed bool
}

// Run decides.
func (f FailPayout) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.Fail{Issue: f.Issue, Tx: f.Tx, Code: f.Code, NonceUsed: f.NonceUsed})
}

// ReorgPayout records that the confirming block is gone.
type ReorgPayout struct {
	domain.Issue
	Payout   domain.PayoutID
	Evidence outgoing.Mined
}

// Run decides.
func (f ReorgPayout) Run(u *domain.Unit) (any, error) {
	return payoutStep(u, f.Payout, payout.Reorg{Issue: f.Issue, Evidence: f.Evidence})
}
