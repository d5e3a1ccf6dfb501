package request

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Table is the request's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	var (
		all     = []string{"", Draft, Open, OffersReceived, Negotiating, AwaitingPayment, Processing, ShippedPhase, DeliveredPhase, CompletedPhase, CancelledPhase, ExpiredPhase}
		market  = []string{Open, OffersReceived, Negotiating}
		order   = []string{AwaitingPayment, Processing, ShippedPhase, DeliveredPhase}
		buyer   = []domain.Capacity{domain.Buyer}
		seller  = []domain.Capacity{domain.Seller}
		process = []domain.Capacity{domain.Process}
	)
	return machine.Table[State, Event]{
		Name: "PurchaseRequest", Phases: all, Phase: func(s State) string { return s.Phase }, As: parties, Refuse: refuse,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{""}, By: []domain.Capacity{domain.Buyer, domain.Process}, To: []string{Draft},
				Guard: "texts within limits, budget min ≤ max → VALIDATION_FAILED", Events: []string{"request.created"},
			}, create),
			machine.On(line{
				From: []string{Draft, Open, OffersReceived}, By: buyer, To: []string{Draft, Open, OffersReceived},
				Guard: "as at creation; a change that matters to a price begins a new revision", Events: []string{"request.details_updated"},
			}, update),
			machine.On(line{From: []string{Draft}, By: buyer, To: []string{Open}, Guard: "not expired", Events: []string{"request.published"}}, publish),
			machine.On(line{
				From: append([]string{Draft}, market...), By: buyer, To: append([]string{Draft}, market...),
				Guard: "not oneself; the same again is a repeat", Events: []string{"request.sellers_invited"},
			}, invite),
			machine.On(line{From: market, By: process, To: market, Events: []string{"request.offer_received"}},
				func(_ State, c ReceiveOffer) ([]Event, error) {
					return []Event{OfferReceived{Offer: c.Offer, Seller: c.Seller}}, nil
				}),
			machine.On(line{From: all[1:], By: process, To: all[1:], Guard: "an offer that is not live changes nothing", Events: []string{"request.offer_gone"}}, loseOffer),
			machine.On(line{From: market, By: process, To: []string{Negotiating}, Events: []string{"request.negotiation_started"}},
				func(_ State, c StartNegotiation) ([]Event, error) {
					return []Event{NegotiationStarted{Offer: c.Offer}}, nil
				}),
			machine.On(line{From: all[1:], By: process, To: all[1:], Guard: "nothing under negotiation changes nothing", Events: []string{"request.negotiation_ended"}}, endNegotiation),
			machine.On(line{
				From: []string{OffersReceived, Negotiating}, By: buyer, To: []string{AwaitingPayment},
				Guard: "a live offer → OFFER_NOT_SELECTABLE; nobody is selected → ALREADY_SELECTED", Events: []string{"request.offer_selected"},
			}, selectOffer),
			machine.On(line{
				From: []string{AwaitingPayment}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process, domain.Timer}, To: []string{OffersReceived},
				Events: []string{"request.offer_selection_released"},
			}, releaseSelection),
			machine.On(line{From: []string{AwaitingPayment}, By: process, To: []string{Processing}, Guard: "its own hold", Events: []string{"request.payment_secured"}},
				func(_ State, c SecurePayment) ([]Event, error) { return []Event{PaymentSecured{Hold: c.Hold}}, nil }),
			machine.On(line{
				From: []string{Processing, ShippedPhase, DeliveredPhase}, By: process, To: []string{AwaitingPayment, ShippedPhase, DeliveredPhase},
				Guard: "only an order that is not on its way falls back", Events: []string{"request.payment_lost"},
			}, losePayment),
			machine.On(line{
				From: []string{Processing}, By: seller, To: []string{ShippedPhase},
				Guard: "escrow funded and no aml hold → ESCROW_NOT_FUNDED", Events: []string{"request.shipped"},
			}, markShipped),
			machine.On(line{
				From: []string{Processing, ShippedPhase}, By: buyer, To: []string{Processing, ShippedPhase},
				Guard: "ends later than now", Events: []string{"request.delivery_code_issued"},
			}, issueCode),
			machine.On(line{
				From: []string{Processing, ShippedPhase}, By: seller, To: []string{Processing, ShippedPhase, DeliveredPhase},
				Guard: "the code in constant time → CODE_INVALID, CODE_EXPIRED, CODE_LOCKED after 5", Events: []string{"request.delivery_confirmed", "request.delivery_code_failed"},
			}, verifyCode),
			machine.On(line{
				From: []string{Processing, ShippedPhase}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Timer, domain.Process}, To: []string{DeliveredPhase},
				Guard: "an admin gives a reason → VALIDATION_FAILED", Events: []string{"request.delivery_confirmed"},
			}, confirmDelivery),
			machine.On(line{
				From: []string{DeliveredPhase}, By: buyer, To: []string{ShippedPhase},
				Guard: "within the inspection, three times at most → REVISION_LIMIT", Events: []string{"request.revision_requested"},
			}, requestRevision),
			machine.On(line{From: order, By: process, To: order, Events: []string{"request.dispute_flagged"}},
				func(_ State, c FlagDispute) ([]Event, error) { return []Event{DisputeFlagged{Dispute: c.Dispute}}, nil }),
			machine.On(line{From: all[1:], By: process, To: all[1:], Guard: "another dispute's mark stays", Events: []string{"request.dispute_unflagged"}}, unflagDispute),
			machine.On(line{From: []string{Processing, ShippedPhase, DeliveredPhase}, By: process, To: []string{CompletedPhase}, Guard: "the hold is closed", Events: []string{"request.completed"}},
				func(_ State, c Complete) ([]Event, error) { return []Event{Completed{At: c.At}}, nil }),
			machine.On(line{From: []string{CompletedPhase, CancelledPhase}, By: process, To: []string{CompletedPhase, CancelledPhase}, Guard: "a repeat"},
				func(State, Complete) ([]Event, error) { return nil, nil }),
			machine.On(line{
				From: append([]string{Draft}, append(market, AwaitingPayment, Processing)...), By: []domain.Capacity{domain.Buyer, domain.Seller, domain.Admin, domain.Process}, To: []string{CancelledPhase},
				Guard: "a funded order is refunded in the same command → REFUND_REQUIRED; a seller only when selected", Events: []string{"request.cancelled"},
			}, cancel),
			machine.On(line{
				From: append([]string{Draft}, market...), By: []domain.Capacity{domain.Timer, domain.Process}, To: []string{ExpiredPhase},
				Guard: "after expires_at", Events: []string{"request.expired"},
			}, expire),
			machine.On(line{
				From: all, By: []domain.Capacity{domain.Import}, To: all[1:], Aside: true,
				Guard: "the same document changes nothing; nothing else has happened here → LEGACY_CONFLICT", Events: []string{"request.imported"},
			}, importing),
			machine.On(line{
				From: all[1:], By: []domain.Capacity{domain.Import}, To: all[1:], Aside: true,
				Guard: "what is known already changes nothing", Events: []string{"request.offer_imported"},
			}, importOffer),
		},
	}
}

func parties(s State, a domain.Actor) []domain.Capacity {
	if a.User() == "" {
		return nil
	}
	if s.ID == "" {
		return []domain.Capacity{domain.Buyer}
	}
	var cs []domain.Capacity
	if a.Is(s.Buyer) {
		cs = append(cs, domain.Buyer)
	}
	if a.Is(s.Seller()) {
		cs = append(cs, domain.Seller)
	}
	return cs
}

// refuse names the reason where INVALID_STATE would leave the caller guessing.
func refuse(s State, c domain.Command) error {
	switch c.(type) {
	case SelectOffer:
		if s.Selected != nil {
			return ErrAlreadySelected
		}
		return ErrNotSelectable
	case ReceiveOffer:
		return ErrNotOpen.With("state", s.Phase)
	case Update:
		return ErrLocked.With("state", s.Phase)
	case MarkShipped:
		if s.Phase == AwaitingPayment {
			return ErrNotFunded
		}
	}
	return nil
}
