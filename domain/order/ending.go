package order

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/offer"
	"holdfast/domain/quote"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/settlement"
)

// ErrPaymentInProgress: money for the order is on its way or has arrived.
var ErrPaymentInProgress = fault.New(fault.Conflict, "PAYMENT_IN_PROGRESS", "money for this order is on its way or has arrived")

// CancelRequest ends an order early. A funded one is refunded in full in the same unit.
// Errors: REFUND_REQUIRED, INVALID_STATE once shipped.
type CancelRequest struct {
	domain.Issue
	Request domain.RequestID
	Reason  string
	// Refund must be set for a funded order, with the id of the refund to make.
	Refund   bool
	RefundID domain.RefundID
	Terms    settlement.RefundTerms
}

// Run decides.
func (f CancelRequest) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, request.Decider, string(f.Request), request.Cancel{Issue: f.Issue, Reason: f.Reason, Refund: f.Refund}); err != nil {
		return nil, err
	}
	if r.Selected == nil {
		return requestAnswer(u, f.Request)
	}
	h, err := holdOf(u, r)
	if err != nil {
		return nil, err
	}
	if h.Phase() == escrow.AwaitingFunds {
		if _, err := domain.Do(u, escrow.Decider, string(h.ID), escrow.Cancel{Issue: own(f.Issue), Reason: f.Reason}); err != nil {
			return nil, err
		}
	}
	if !h.Held.IsZero() {
		if err := f.refund(u, h); err != nil {
			return nil, err
		}
	}
	if _, err := domain.Do(u, offer.Decider, string(r.Selected.Offer), offer.Void{Issue: own(f.Issue), Reason: f.Reason}); err != nil {
		return nil, err
	}
	return requestAnswer(u, f.Request)
}

func (f CancelRequest) refund(u *domain.Unit, h escrow.State) error {
	if !f.Refund || f.RefundID == "" {
		return request.ErrRefundRequired
	}
	terms := f.Terms
	_, err := settlement.RequestRefund{
		Issue: own(f.Issue), Refund: f.RefundID, Hold: h.ID, Source: refund.FromHeld, Mode: refund.Full,
		Reason: domain.About(h.Buyer, f.Reason), Terms: &terms,
	}.Run(u)
	return err
}

// CompleteOrder ends an order whose hold is closed: the request is completed when something
// was released, else cancelled already; the offer is fulfilled or voided.
type CompleteOrder struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f CompleteOrder) Run(u *domain.Unit) (any, error) {
	h, err := domain.StateOf(u, escrow.Decider, string(f.Hold))
	if err != nil {
		return nil, err
	}
	if h.ID == "" || !h.IsClosed {
		return nil, fault.ErrInvalidState.With("hold", f.Hold)
	}
	r, err := existing(u, h.Request)
	if err != nil {
		return nil, err
	}
	o, err := existingOffer(u, h.Offer)
	if err != nil {
		return nil, err
	}
	if r.Selected == nil || r.Selected.Hold != f.Hold {
		return requestAnswer(u, h.Request)
	}
	if r.Phase != request.CompletedPhase && r.Phase != request.CancelledPhase {
		if _, err := domain.Do(u, request.Decider, string(h.Request), request.Complete{Issue: own(f.Issue)}); err != nil {
			return nil, err
		}
	}
	if o.Phase == offer.AcceptedPhase {
		var c domain.Command = offer.Fulfil{Issue: own(f.Issue)}
		if h.Released.IsZero() {
			c = offer.Void{Issue: own(f.Issue), Reason: "refunded"}
		}
		if _, err := domain.Do(u, offer.Decider, string(h.Offer), c); err != nil {
			return nil, err
		}
	}
	return requestAnswer(u, h.Request)
}

// ExpireQuote ends an unused quote.
type ExpireQuote struct {
	domain.Issue
	Quote domain.QuoteID
}

// Run decides.
func (f ExpireQuote) Run(u *domain.Unit) (any, error) {
	_, err := domain.Do(u, quote.Decider, string(f.Quote), quote.Expire{Issue: f.Issue})
	return struct{}{}, err
}

// IssueQuote fixes what a buyer owes for an offer; the quote before is superseded. Errors:
// QUOTE_UNAVAILABLE, ORACLE_DIVERGENCE, DEPEG_LIMIT, PRICE_MISMATCH (the offer was changed).
type IssueQuote struct {
	quote.Issue
}

// QuoteAnswer is what a quote answers.
type QuoteAnswer struct {
	Quote domain.QuoteID `json:"quote"`
	quote.State
}

// Run decides.
func (f IssueQuote) Run(u *domain.Unit) (any, error) {
	o, err := existingOffer(u, f.Offer)
	if err != nil {
		return nil, err
	}
	if price := o.Terms.Price.Amount; price.Units != f.Price || string(price.Asset) != f.Currency {
		return nil, quote.ErrMismatch
	}
	if err := supersede(u, own(f.Issue.Issue), o.Quote, f.Quote); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, offer.Decider, string(f.Offer), offer.Quote{Issue: own(f.Issue.Issue), ID: f.Quote}); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, quote.Decider, string(f.Quote), f.Issue); err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, quote.Decider, string(f.Quote))
	return QuoteAnswer{Quote: f.Quote, State: s}, err
}

// supersede ends the quote before the newest, unless a payment has locked it.
func supersede(u *domain.Unit, i domain.Issue, old, by domain.QuoteID) error {
	if old == "" || old == by {
		return nil
	}
	q, err := domain.StateOf(u, quote.Decider, string(old))
	if err != nil || q.Phase != quote.IssuedPhase {
		return err
	}
	_, err = domain.Do(u, quote.Decider, string(old), quote.Supersede{Issue: i, Other: by})
	return err
}
