package funding

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
	"holdfast/domain/request"
	"holdfast/domain/safety"
	"holdfast/domain/threshold"
)

// PaymentAnswer is what the flows of a payment answer.
type PaymentAnswer struct {
	Payment   domain.PaymentID  `json:"payment"`
	State     string            `json:"state"`
	Exception payment.Exception `json:"exception"`
	Due       money.Amount      `json:"due"`
	Paid      money.Units       `json:"paid"`
	ExpiresAt time.Time         `json:"expires_at"`
	Version   int64             `json:"version"`
}

func paymentAnswer(u *domain.Unit, id domain.PaymentID) (any, error) {
	s, err := domain.StateOf(u, payment.Decider, string(id))
	if err != nil {
		return nil, err
	}
	v, err := domain.VersionOf(u, payment.Decider, string(id))
	return PaymentAnswer{Payment: s.ID, State: s.Phase, Exception: s.Exception, Due: s.Due, Paid: s.Counted(), ExpiresAt: s.ExpiresAt, Version: v}, err
}

func own(i domain.Issue) domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Process, "funding"), At: i.At}
}

func existing(u *domain.Unit, id domain.PaymentID) (payment.State, error) {
	s, err := domain.StateOf(u, payment.Decider, string(id))
	if err == nil && s.ID == "" {
		err = fault.ErrNotFound
	}
	return s, err
}

func holdOf(u *domain.Unit, id domain.HoldID) (escrow.State, error) {
	s, err := domain.StateOf(u, escrow.Decider, string(id))
	if err == nil && s.ID == "" {
		err = fault.ErrNotFound
	}
	return s, err
}

func onPayment(u *domain.Unit, id domain.PaymentID, c domain.Command) (any, error) {
	if _, err := existing(u, id); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, payment.Decider, string(id), c); err != nil {
		return nil, err
	}
	return paymentAnswer(u, id)
}

// Destination is where a payment is to go.
type Destination struct {
	ID          domain.DestinationID
	Fingerprint string // of the xpub
	Index       uint32
	Path        string
	Address     string
	Token       string
	Chain       uint64
}

// Intent is how it is to be paid.
type Intent struct {
	Provider  string
	RequestID string
	Reference string
	Topic     string
	Proxy     string
	// Destination, Token and Amount are what the provider tells the buyer to pay; empty for our
	// own checkout, which tells nothing else than what is ours.
	Destination string
	Token       string
	Amount      money.Amount
}

// InitiatePayment opens the payment of an order with its own destination. Errors:
// PAYMENT_ALREADY_OPEN, ASSET_NOT_ALLOWED, QUOTE_REQUIRED, QUOTE_EXPIRED, QUOTE_USED,
// PRICE_MISMATCH, INVALID_STATE.
type InitiatePayment struct {
	domain.Issue
	Payment   domain.PaymentID
	Request   domain.RequestID
	Offer     domain.OfferID
	Asset     money.Asset
	Quote     domain.QuoteID
	Threshold payment.Threshold
	// Basis, when given, lets the chain's confirmation rule say the threshold instead, as it
	// stands in the very unit that opens the payment.
	Basis       *threshold.Basis
	Safety      safety.Policy // of the platform; the offer may ask for more
	ExpiresAt   time.Time
	Destination Destination
	Intent      Intent
}

// Run decides.
func (f InitiatePayment) Run(u *domain.Unit) (any, error) {
	r, err := domain.StateOf(u, request.Decider, string(f.Request))
	if err != nil {
		return nil, err
	}
	switch {
	case r.ID == "":
		return nil, fault.ErrNotFound
	case r.Phase != request.AwaitingPayment || r.Selected.Offer != f.Offer:
		return nil, fault.ErrInvalidState.With("state", r.Phase)
	}
	h, err := holdOf(u, r.Selected.Hold)
	if err != nil {
		return nil, err
	}
	if h, err = f.priced(u, h); err != nil {
		return nil, err
	}
	if f.Asset != "" && f.Asset != h.Due.Asset {
		return nil, payment.ErrAssetNotTaken.With("asset", h.Due.Asset)
	}
	if f.Basis != nil {
		if f.Threshold, err = threshold.For(u, f.Destination.Chain, *f.Basis, h.Amount(h.Missing()).Units, f.At); err != nil {
			return nil, err
		}
	}
	if err := f.open(u, h); err != nil {
		return nil, err
	}
	return paymentAnswer(u, f.Payment)
}

func (f InitiatePayment) open(u *domain.Unit, h escrow.State) error {
	id, d := string(f.Payment), f.Destination
	screening, err := f.screening(u, h)
	if err != nil {
		return err
	}
	steps := []domain.Command{
		payment.Initiate{
			Issue: f.Issue, Payment: f.Payment, Request: f.Request, Offer: f.Offer, Hold: h.ID, Buyer: h.Buyer, Seller: h.Seller,
			Quote: f.Quote, Due: h.Amount(h.Missing()), Threshold: f.Threshold, Safety: screening, ExpiresAt: f.ExpiresAt,
		},
		payment.AssignDestination{Issue: own(f.Issue), Destination: d.ID, Address: d.Address, Path: d.Path, Token: d.Token, Chain: d.Chain},
	}
	if f.Intent != (Intent{}) {
		i := f.Intent
		steps = append(steps, payment.RegisterIntent{
			Issue: own(f.Issue), Provider: i.Provider, RequestID: i.RequestID, Reference: i.Reference, Topic: i.Topic, Proxy: i.Proxy,
			Destination: i.Destination, Token: i.Token, Amount: i.Amount,
		})
	}
	for _, c := range steps {
		if _, err := domain.Do(u, payment.Decider, id, c); err != nil {
			return err
		}
	}
	for _, c := range []domain.Command{
		destination.Derive{Issue: own(f.Issue), Destination: d.ID, Fingerprint: d.Fingerprint, Chain: d.Chain, Index: d.Index, Path: d.Path, Address: d.Address},
		destination.Assign{Issue: own(f.Issue), Payment: f.Payment},
	} {
		if _, err := domain.Do(u, destination.Decider, string(d.ID), c); err != nil {
			return err
		}
	}
	return nil
}

// RegisterIntent notes what a provider answered. Errors: PROVIDER_MISMATCH.
type RegisterIntent struct {
	domain.Issue
	Payment domain.PaymentID
	Command payment.RegisterIntent
}

// Run decides.
func (f RegisterIntent) Run(u *domain.Unit) (any, error) {
	f.Command.Issue = f.Issue
	return onPayment(u, f.Payment, f.Command)
}

// ReportTransaction is a buyer's claim to have paid.
type ReportTransaction struct {
	domain.Issue
	Payment domain.PaymentID
	Tx      string
}

// Run decides.
func (f ReportTransaction) Run(u *domain.Unit) (any, error) {
	return onPayment(u, f.Payment, payment.ReportTransaction{Issue: f.Issue, Tx: f.Tx})
}

// CancelPayment gives a payment up before anything was seen. Errors: PAYMENT_IN_PROGRESS.
type CancelPayment struct {
	domain.Issue
	Payment domain.PaymentID
	Reason  string
}

// Run decides.
func (f CancelPayment) Run(u *domain.Unit) (any, error) {
	answer, err := onPayment(u, f.Payment, payment.Cancel{Issue: f.Issue, Reason: f.Reason})
	if err != nil {
		return nil, err
	}
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	return answer, endQuote(u, s.Quote, quote.Expire{Issue: own(f.Issue)})
}

// ExpirePayment ends the time to pay: the selection is released, the hold cancelled. A
// part that was confirmed stays in the hold and can be refunded.
type ExpirePayment struct {
	domain.Issue
	Payment domain.PaymentID
}

// Run decides.
func (f ExpirePayment) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, payment.Decider, string(f.Payment), payment.Expire{Issue: f.Issue}); err != nil {
		return nil, err
	}
	if err := endQuote(u, s.Quote, quote.Expire{Issue: own(f.Issue)}); err != nil {
		return nil, err
	}
	r, err := domain.StateOf(u, request.Decider, string(s.Request))
	if err != nil {
		return nil, err
	}
	if r.Phase == request.AwaitingPayment && r.Selected.Hold == s.Hold {
		if _, err := (order.ReleaseSelection{Issue: own(f.Issue), Request: s.Request, Reason: "the payment expired"}).Run(u); err != nil {
			return nil, err
		}
	} else if h, err := domain.StateOf(u, escrow.Decider, string(s.Hold)); err != nil {
		return nil, err
	} else if h.Phase() == escrow.AwaitingFunds {
		if _, err := domain.Do(u, escrow.Decider, string(s.Hold), escrow.Cancel{Issue: own(f.Issue), Reason: "the payment expired"}); err != nil {
			return nil, err
		}
	}
	return paymentAnswer(u, f.Payment)
}

// HoldForReview stops a payment until two people have looked at it.
type HoldForReview struct {
	domain.Issue
	Payment domain.PaymentID
	Kind    string
	Score   int
}

// Run decides.
func (f HoldForReview) Run(u *domain.Unit) (any, error) {
	return onPayment(u, f.Payment, payment.HoldForReview{Issue: f.Issue, Kind: f.Kind, Score: f.Score})
}
