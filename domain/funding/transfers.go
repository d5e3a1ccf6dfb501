package funding

import (
	"errors"
	"slices"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/request"
	"holdfast/domain/suspense"
)

// RecordTransfer books a transfer that an adapter has verified on the chain: to the payment it
// matches, or to suspense. Reported again, by whomever, it changes nothing.
type RecordTransfer struct {
	domain.Issue
	Payment  domain.PaymentID // empty: nobody waits for it
	Custody  ledger.Account   // where it stands when it matches no payment
	Evidence payment.Evidence
	Amount   money.Amount // as measured
	From     string
	// Mismatch says why it is not the payment's money although it came to its address.
	Mismatch suspense.Reason
}

// Run decides.
func (f RecordTransfer) Run(u *domain.Unit) (any, error) {
	if f.Payment == "" {
		return f.unmatched(u, suspense.Unknown)
	}
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	f.Custody = ledger.Derived(s.Destination)
	if t, known := s.Transfers[f.Evidence.Key()]; (known && t.Confirmed) || s.CountedBefore(f.Evidence.Tx) {
		return paymentAnswer(u, f.Payment)
	}
	if deposit, err := domain.StateOf(u, suspense.Decider, f.Evidence.Key()); err != nil {
		return nil, err
	} else if deposit.Phase != "" && deposit.Phase != suspense.Gone {
		return paymentAnswer(u, f.Payment)
	}
	switch {
	case f.Mismatch != "":
		return f.unmatched(u, f.Mismatch)
	case f.Amount.Asset != s.Due.Asset:
		return f.unmatched(u, suspense.WrongAsset)
	case s.Phase == payment.RejectedPhase:
		return f.unmatched(u, suspense.Rejected)
	}
	late, err := f.stillWanted(u, s)
	if err != nil {
		return nil, err
	}
	c := payment.Detect{Issue: f.Issue, Evidence: f.Evidence, Amount: f.Amount, From: f.From, Late: late}
	switch _, err := domain.Do(u, payment.Decider, string(f.Payment), c); {
	case errors.Is(err, payment.ErrClosed):
		return f.unmatched(u, suspense.Late)
	case err != nil:
		return nil, err
	}
	if late {
		if err := judgedByItsQuote(u, f.Issue, s); err != nil {
			return nil, err
		}
	}
	if err := stopRelease(u, f.Issue, f.Payment); err != nil {
		return nil, err
	}
	return paymentAnswer(u, f.Payment)
}

// stillWanted: late money is taken while the order waits for payment with this very hold.
func (f RecordTransfer) stillWanted(u *domain.Unit, s payment.State) (bool, error) {
	if s.Phase != payment.ExpiredPhase && s.Phase != payment.CancelledPhase {
		return false, nil
	}
	r, err := domain.StateOf(u, request.Decider, string(s.Request))
	if err != nil {
		return false, err
	}
	return r.Phase == request.AwaitingPayment && r.Selected != nil && r.Selected.Hold == s.Hold, nil
}

func (f RecordTransfer) unmatched(u *domain.Unit, why suspense.Reason) (any, error) {
	c := suspense.Record{Issue: f.Issue, Evidence: f.Evidence, Custody: f.Custody, Amount: f.Amount, From: f.From, Reason: why, Payment: f.Payment}
	if _, err := domain.Do(u, suspense.Decider, f.Evidence.Key(), c); err != nil {
		return nil, err
	}
	return struct {
		Unmatched string          `json:"unmatched"`
		Reason    suspense.Reason `json:"reason"`
	}{f.Evidence.Key(), why}, nil
}

// ConfirmTransfer notes that a transfer is deep enough. The hold is credited, and when all
// that is due is there the order goes on and the other offers are superseded. Errors:
// NOT_CONFIRMED, TRANSFER_UNKNOWN, PAYMENT_UNDER_REVIEW.
type ConfirmTransfer struct {
	domain.Issue
	Payment   domain.PaymentID
	Evidence  payment.Evidence
	Depth     uint64
	Finalized bool
	Safe      bool
}

// Run decides.
func (f ConfirmTransfer) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	before, err := holdOf(u, s.Hold)
	if err != nil {
		return nil, err
	}
	wanted := before.Missing()
	c := payment.Confirm{Issue: f.Issue, Evidence: f.Evidence, Depth: f.Depth, Finalized: f.Finalized, Safe: f.Safe, Wanted: &wanted}
	events, err := domain.Do(u, payment.Decider, string(f.Payment), c)
	if err != nil || len(events) == 0 {
		return answerOr(u, f.Payment, err)
	}
	credit := escrow.Credit{Issue: own(f.Issue), Payment: f.Payment, Overpaid: money.Of(s.Due.Asset, money.Zero)}
	for _, e := range events {
		switch e := e.(type) {
		case payment.Confirmed:
			credit.Amount = e.Amount
		case payment.Overpaid:
			credit.Overpaid = e.Excess
		case payment.Paid:
			if err := endQuote(u, s.Quote, quote.Consume{Issue: own(f.Issue)}); err != nil {
				return nil, err
			}
		}
	}
	if _, err := domain.Do(u, escrow.Decider, string(s.Hold), credit); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, destination.Decider, string(s.Destination), destination.Fund{Issue: own(f.Issue), Amount: credit.Amount}); err != nil {
		return nil, err
	}
	after, err := holdOf(u, s.Hold)
	if err != nil {
		return nil, err
	}
	if !before.IsFunded && after.IsFunded {
		if err := secure(u, f.Issue, after); err != nil {
			return nil, err
		}
	}
	return paymentAnswer(u, f.Payment)
}

func answerOr(u *domain.Unit, id domain.PaymentID, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return paymentAnswer(u, id)
}

// secure lets the order go on and takes the other offers off the market.
func secure(u *domain.Unit, i domain.Issue, h escrow.State) error {
	r, err := domain.StateOf(u, request.Decider, string(h.Request))
	if err != nil || r.Phase != request.AwaitingPayment || r.Selected.Hold != h.ID {
		return err
	}
	if _, err := domain.Do(u, request.Decider, string(h.Request), request.SecurePayment{Issue: own(i), Hold: h.ID}); err != nil {
		return err
	}
	for _, id := range r.Others() {
		o, err := domain.StateOf(u, offer.Decider, string(id))
		if err != nil {
			return err
		}
		if o.Phase != offer.SubmittedPhase && o.Phase != offer.CounteredPhase {
			continue
		}
		if _, err := domain.Do(u, offer.Decider, string(id), offer.Supersede{Issue: own(i), Winner: h.Offer}); err != nil {
			return err
		}
	}
	return nil
}

// ObserveReorg undoes a transfer whose block is gone. Before its confirmation it is only
// dropped; after it the money is taken back in the order of the design, and the order falls
// back to awaiting payment when it is not on its way yet.
type ObserveReorg struct {
	domain.Issue
	Payment  domain.PaymentID
	Evidence payment.Evidence
	Reason   string
	// SellerAvailable is what the seller has now, as looked up in the ledger.
	SellerAvailable money.Units
}

// Run decides.
func (f ObserveReorg) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	t, known := s.Transfers[f.Evidence.Key()]
	if !known {
		return paymentAnswer(u, f.Payment)
	}
	if !t.Confirmed {
		if _, err := onPayment(u, f.Payment, payment.Drop{Issue: f.Issue, Evidence: t.Evidence, Reason: f.Reason}); err != nil {
			return nil, err
		}
		if err := stopRelease(u, f.Issue, f.Payment); err != nil {
			return nil, err
		}
		return paymentAnswer(u, f.Payment)
	}
	h, err := holdOf(u, s.Hold)
	if err != nil {
		return nil, err
	}
	parts := waterfall(h, t.Amount, f.SellerAvailable)
	if _, err := domain.Do(u, payment.Decider, string(f.Payment), payment.Reorg{Issue: f.Issue, Evidence: t.Evidence, Waterfall: parts}); err != nil {
		return nil, err
	}
	if err := f.owe(u, h.Buyer, t, parts); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, destination.Decider, string(s.Destination), destination.Drain{Issue: own(f.Issue), Amount: t.Amount}); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, escrow.Decider, string(s.Hold), escrow.Debit{Issue: own(f.Issue), Payment: f.Payment, Amount: t.Amount}); err != nil {
		return nil, err
	}
	after, err := holdOf(u, s.Hold)
	if err != nil {
		return nil, err
	}
	if h.IsFunded && !after.IsFunded {
		if err := unsecure(u, f.Issue, h, f.Reason); err != nil {
			return nil, err
		}
	}
	return paymentAnswer(u, f.Payment)
}

// owe keeps count of what the buyer owes from now on; payment.reorged posts it.
func (f ObserveReorg) owe(u *domain.Unit, buyer domain.UserID, t payment.Transfer, parts []payment.Part) error {
	for _, p := range parts {
		if p.Account != ledger.ReceivableBuyer(buyer) {
			continue
		}
		_, err := domain.Do(u, receivable.Decider, receivable.ID(receivable.Buyer, buyer, p.Amount.Asset), receivable.Record{
			Issue: own(f.Issue), Party: receivable.Buyer, User: buyer, Amount: p.Amount, Cause: string(f.Payment) + ":" + t.Pending,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// waterfall says who bears an undone payment: the hold's buckets; of what it released, the
// seller (at most what he has and got from this hold) and the platform's fee in proportion;
// the buyer owes the rest.
func waterfall(h escrow.State, amount money.Amount, sellerHas money.Units) []payment.Part {
	d := h.Undo(amount.Units)
	parts := []payment.Part{
		{Account: ledger.Held(h.ID), Amount: h.Amount(d.FromHeld)},
		{Account: ledger.Releasable(h.ID), Amount: h.Amount(d.FromReleasable)},
		{Account: ledger.Disputed(h.ID), Amount: h.Amount(d.FromDisputed)},
	}
	rest := d.Elsewhere
	if !rest.IsZero() && !h.Released.IsZero() {
		share := rest.Min(h.Released)
		fee := h.FeesTaken.MulDivFloor(share, h.Released)
		seller := share.Minus(fee).Min(sellerHas).Min(h.NetPaid)
		parts = append(parts,
			payment.Part{Account: ledger.SellerAvailable(h.Seller), Amount: h.Amount(seller)},
			payment.Part{Account: ledger.PlatformFee, Amount: h.Amount(fee)})
		rest = rest.Minus(seller).Minus(fee)
	}
	parts = append(parts, payment.Part{Account: ledger.ReceivableBuyer(h.Buyer), Amount: h.Amount(rest)})
	return slices.DeleteFunc(parts, func(p payment.Part) bool { return p.Amount.IsZero() })
}

func unsecure(u *domain.Unit, i domain.Issue, h escrow.State, why string) error {
	r, err := domain.StateOf(u, request.Decider, string(h.Request))
	if err != nil || r.Phase != request.Processing {
		return err
	}
	if _, err := domain.Do(u, request.Decider, string(h.Request), request.LosePayment{Issue: own(i), Hold: h.ID, Reason: why}); err != nil {
		return err
	}
	for _, id := range r.Others() {
		o, err := domain.StateOf(u, offer.Decider, string(id))
		if err != nil {
			return err
		}
		if o.Phase != offer.SupersededPhase {
			continue
		}
		if _, err := domain.Do(u, offer.Decider, string(id), offer.Revive{Issue: own(i), Reason: why}); err != nil {
			return err
		}
	}
	return nil
}

// AssignUnmatched gives an unmatched deposit to a buyer's credit or to a hold. Errors:
// ALREADY_ASSIGNED, SELF_APPROVAL, NOT_FINAL.
type AssignUnmatched struct {
	domain.Issue
	Deposit  string // evidence key
	Approver domain.Actor
	Buyer    domain.UserID
	Hold     domain.HoldID
	Firm     bool // the chain will not undo it any more
}

// Run decides.
func (f AssignUnmatched) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, suspense.Decider, f.Deposit)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, suspense.Decider, f.Deposit, suspense.Assign{Issue: f.Issue, Approver: f.Approver, Buyer: f.Buyer, Hold: f.Hold, Firm: f.Firm}); err != nil {
		return nil, err
	}
	if f.Hold != "" {
		h, err := holdOf(u, f.Hold)
		if err != nil {
			return nil, err
		}
		c := escrow.Credit{Issue: own(f.Issue), Amount: money.Of(s.Amount.Asset, s.Left), Overpaid: h.Amount(money.Zero)}
		if _, err := domain.Do(u, escrow.Decider, string(f.Hold), c); err != nil {
			return nil, err
		}
		if after, err := holdOf(u, f.Hold); err != nil {
			return nil, err
		} else if !h.IsFunded && after.IsFunded {
			if err := secure(u, f.Issue, after); err != nil {
				return nil, err
			}
		}
	}
	return struct {
		Deposit string       `json:"deposit"`
		Amount  money.Amount `json:"amount"`
	}{f.Deposit, money.Of(s.Amount.Asset, s.Left)}, nil
}
