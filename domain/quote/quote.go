package quote

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// Refusals of a quote.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "QUOTE_UNAVAILABLE", "there are not two fresh price sources; try again later")
	ErrDivergence  = fault.New(fault.Unavailable, "ORACLE_DIVERGENCE", "the price sources contradict each other; try again later")
	ErrExpired     = fault.New(fault.Conflict, "QUOTE_EXPIRED", "the quote's time is over; ask for a new one")
	ErrUsed        = fault.New(fault.Conflict, "QUOTE_USED", "the quote is used by another payment")
	ErrDepeg       = fault.New(fault.Rule, "DEPEG_LIMIT", "the stablecoin is too far away from its peg to be taken")
	ErrMismatch    = fault.New(fault.Rule, "PRICE_MISMATCH", "the quote is not for this buyer, offer, price and asset")
)

// Event is something that happened to a quote.
type Event interface {
	domain.Event
	quote()
}

type (
	// Issued: so much of the settlement asset is due until ExpiresAt.
	Issued struct {
		Quote     domain.QuoteID `json:"quote"`
		Offer     domain.OfferID `json:"offer"`
		Buyer     domain.UserID  `json:"buyer"`
		Price     string         `json:"price"`    // minor units
		Currency  string         `json:"currency"` // the price's asset: iso4217:EUR, or AmountDue's own
		AmountDue money.Amount   `json:"amount_due"`
		Rates     []Rate         `json:"rates,omitempty"`
		Rule      Rule           `json:"rule"`
		ExpiresAt time.Time      `json:"expires_at"`
	}
	// Locked by the payment that uses it.
	Locked struct {
		Payment domain.PaymentID `json:"payment"`
	}
	// Consumed: the payment is made.
	Consumed struct{}
	// Expired unused, or with its payment.
	Expired struct{}
	// Superseded by a new quote for the same order.
	Superseded struct {
		By domain.QuoteID `json:"by"`
	}
)

func (Issued) EventType() string     { return "quote.issued" }
func (Locked) EventType() string     { return "quote.locked" }
func (Consumed) EventType() string   { return "quote.consumed" }
func (Expired) EventType() string    { return "quote.expired" }
func (Superseded) EventType() string { return "quote.superseded" }
func (Issued) quote()                {}
func (Locked) quote()                {}
func (Consumed) quote()              {}
func (Expired) quote()               {}
func (Superseded) quote()            {}

type (
	// Issue computes a quote. Where Currency is Settle itself, Price is in its base units: a fixed price.
	Issue struct {
		domain.Issue
		Quote     domain.QuoteID
		Offer     domain.OfferID
		Buyer     domain.UserID
		Price     money.Units
		Currency  string
		Settle    money.Asset
		Rates     []Rate
		Rule      Rule
		ExpiresAt time.Time
	}
	// Lock gives it to a payment.
	//
	// What the payment believes of the quote is checked: whose it is, for which offer and price,
	// in which asset.
	Lock struct {
		domain.Issue
		Payment domain.PaymentID
		Buyer   domain.UserID
		Offer   domain.OfferID
		Price   money.Amount // the offer's, as it is now
		Settle  money.Asset  // empty: the quote's
	}
	// Consume ends it well, Expire at its time, Supersede by another one.
	Consume struct{ domain.Issue }
	// Expire ends it.
	Expire struct{ domain.Issue }
	// Supersede ends it for another one.
	Supersede struct {
		domain.Issue
		Other domain.QuoteID
	}
)

// The phases.
const (
	IssuedPhase     = "Issued"
	LockedPhase     = "Locked"
	ConsumedPhase   = "Consumed"
	ExpiredPhase    = "Expired"
	SupersededPhase = "Superseded"
)

// State is what the rules need to know of a quote.
type State struct {
	Phase     string           `json:"phase"`
	Offer     domain.OfferID   `json:"offer"`
	Buyer     domain.UserID    `json:"buyer"`
	Price     money.Amount     `json:"price"` // minor units of a currency, or the asset's own
	AmountDue money.Amount     `json:"amount_due"`
	Rates     []Rate           `json:"rates,omitempty"`
	Rule      Rule             `json:"rule"`
	ExpiresAt time.Time        `json:"expires_at"`
	Payment   domain.PaymentID `json:"payment,omitempty"`
}

// Fixed reports that the price is in the settlement asset itself: nothing was converted.
func (s State) Fixed() bool { return s.Price.Asset == s.AmountDue.Asset }

// Decider is the quote.
var Decider = domain.Decider[State, Event]{Category: "payment_quote", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Issued:
		price, _ := money.ParseUnits(e.Price) // it was written by Units.String
		s = State{
			Phase: IssuedPhase, Offer: e.Offer, Buyer: e.Buyer, Price: money.Of(money.Asset(e.Currency), price),
			AmountDue: e.AmountDue, Rates: e.Rates, Rule: e.Rule, ExpiresAt: e.ExpiresAt,
		}
	case Locked:
		s.Phase, s.Payment = LockedPhase, e.Payment
	case Consumed:
		s.Phase = ConsumedPhase
	case Expired:
		s.Phase = ExpiredPhase
	case Superseded:
		s.Phase = SupersededPhase
	}
	return s
}

// Table is the quote's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	process := []domain.Capacity{domain.Process, domain.Buyer}
	return machine.Table[State, Event]{
		Name: "PaymentQuote", Phases: []string{"", IssuedPhase, LockedPhase, ConsumedPhase, ExpiredPhase, SupersededPhase},
		Phase: func(s State) string { return s.Phase },
		As: func(s State, a domain.Actor) []domain.Capacity {
			if a.User() != "" && (s.Phase == "" || a.Is(s.Buyer)) {
				return []domain.Capacity{domain.Buyer}
			}
			return nil
		},
		Refuse: func(s State, c domain.Command) error {
			l, ok := c.(Lock)
			switch {
			case !ok:
				return nil
			case s.Phase == "" || !l.matches(s):
				return ErrMismatch
			}
			if s.Phase == ExpiredPhase || s.Phase == SupersededPhase {
				return ErrExpired
			}
			return ErrUsed
		},
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{""}, By: process, To: []string{IssuedPhase},
				Guard: "two fresh sources → QUOTE_UNAVAILABLE; spread → ORACLE_DIVERGENCE; peg → DEPEG_LIMIT; rounded up", Events: []string{"quote.issued"},
			}, issue),
			machine.On(line{
				From: []string{IssuedPhase, LockedPhase}, By: process, To: []string{LockedPhase},
				Guard: "of this buyer, offer, price and asset → PRICE_MISMATCH; in time → QUOTE_EXPIRED; one payment → QUOTE_USED", Events: []string{"quote.locked"},
			}, lock),
			machine.On(line{From: []string{LockedPhase}, By: process, To: []string{ConsumedPhase}, Events: []string{"quote.consumed"}},
				func(State, Consume) ([]Event, error) { return []Event{Consumed{}}, nil }),
			machine.On(line{From: []string{IssuedPhase, LockedPhase}, By: []domain.Capacity{domain.Timer, domain.Process}, To: []string{ExpiredPhase}, Events: []string{"quote.expired"}},
				func(State, Expire) ([]Event, error) { return []Event{Expired{}}, nil }),
			machine.On(line{From: []string{IssuedPhase}, By: process, To: []string{SupersededPhase}, Events: []string{"quote.superseded"}},
				func(_ State, c Supersede) ([]Event, error) { return []Event{Superseded{By: c.Other}}, nil }),
		},
	}
}

func issue(_ State, c Issue) ([]Event, error) {
	switch {
	case c.Price.IsZero() || c.Settle == "":
		return nil, fault.ErrValidation.At("price", "must be more than nothing")
	case !c.ExpiresAt.After(c.At):
		return nil, fault.ErrValidation.At("expiresAt", "must be later than now")
	}
	due := c.Price
	if c.Currency != string(c.Settle) {
		var err error
		c.Rule.Rounding, c.Rule.Median = StandardRounding, StandardMedian
		if due, err = convert(c); err != nil {
			return nil, err
		}
	}
	return []Event{Issued{
		Quote: c.Quote, Offer: c.Offer, Buyer: c.Buyer, Price: c.Price.String(), Currency: c.Currency,
		AmountDue: money.Of(c.Settle, due), Rates: c.Rates, Rule: c.Rule, ExpiresAt: c.ExpiresAt,
	}}, nil
}

// matches: the quote is this payment's.
func (c Lock) matches(s State) bool {
	return c.Buyer == s.Buyer && c.Offer == s.Offer && c.Price == s.Price && (c.Settle == "" || c.Settle == s.AmountDue.Asset)
}

func lock(s State, c Lock) ([]Event, error) {
	switch {
	case !c.matches(s):
		return nil, ErrMismatch
	case s.Payment == c.Payment:
		return nil, nil
	case s.Payment != "":
		return nil, ErrUsed
	case !c.At.Before(s.ExpiresAt):
		return nil, ErrExpired
	}
	return []Event{Locked{Payment: c.Payment}}, nil
}

// Aggregate registers the quote with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category, Events: []domain.Event{Issued{}, Locked{}, Consumed{}, Expired{}, Superseded{}},
		Deadlines: func(_ domain.Stream, e domain.Event) []domain.Deadline {
			switch e := e.(type) {
			case Issued:
				return []domain.Deadline{{Key: "expiry", Due: e.ExpiresAt, Command: "order.expire_quote"}}
			case Locked, Consumed, Superseded:
				return []domain.Deadline{{Key: "expiry", Cancel: true}}
			}
			return nil
		},
	}
}
