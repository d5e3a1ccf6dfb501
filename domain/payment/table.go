package payment

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

var (
	phases = []string{"", CreatedPhase, AwaitingPayment, Confirming, PartlyPaid, UnderReview, PaidPhase, ExpiredPhase, CancelledPhase, RejectedPhase, ReversedPhase}
	seen   = []string{Confirming, PartlyPaid, UnderReview, PaidPhase, ExpiredPhase, ReversedPhase, CancelledPhase, RejectedPhase}
	facts  = []domain.Capacity{domain.Chain, domain.Provider, domain.Process}
)

// Table is the payment's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	return machine.Table[State, Event]{
		Name: "Payment", Phases: phases, Phase: func(s State) string { return s.Phase }, As: parties, Refuse: refuse,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{""}, By: []domain.Capacity{domain.Buyer, domain.Process}, To: []string{CreatedPhase},
				Guard: "something is due; threshold ≥ floor → BELOW_FLOOR; ends later than now", Events: []string{"payment.initiated"},
			}, initiate),
			machine.On(line{
				From: phases, By: []domain.Capacity{domain.Import}, To: phases[1:], Aside: true,
				Guard: "the same document again is no news; one that was changed here as well → LEGACY_CONFLICT", Events: []string{"payment.imported"},
			}, importPayment),
			machine.On(line{
				From: []string{CreatedPhase, AwaitingPayment}, By: []domain.Capacity{domain.Buyer, domain.Process}, To: []string{AwaitingPayment},
				Guard: "once; the same again is a repeat → DESTINATION_ASSIGNED", Events: []string{"payment.destination_assigned"},
			}, assign),
			machine.On(line{
				From: []string{CreatedPhase, AwaitingPayment}, By: []domain.Capacity{domain.Buyer, domain.Process, domain.Provider}, To: []string{AwaitingPayment},
				Guard: "destination, token and amount are ours → PROVIDER_MISMATCH", Events: []string{"payment.intent_registered"},
			}, registerIntent),
			machine.On(line{
				From: phases[1:], By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process}, To: phases[1:],
				Guard: "a claim: nothing follows but a look at the chain; each transaction once → TX_ALREADY_USED, at most 20 → TOO_MANY_CLAIMS", Events: []string{"payment.transaction_reported"},
			}, report),
			machine.On(line{
				From: phases[1:], By: []domain.Capacity{domain.Provider}, To: phases[1:],
				Guard: "the provider's word: nothing follows; the same code again is a repeat", Events: []string{"payment.failed"},
			}, reportFailure),
			machine.On(line{
				From: []string{CreatedPhase, AwaitingPayment, Confirming, PartlyPaid, UnderReview, PaidPhase, ReversedPhase}, By: facts, To: []string{Confirming, UnderReview, PaidPhase},
				Guard: "evidence counts once → EVIDENCE_ALREADY_USED; the same again is a repeat", Events: []string{"payment.detected", "payment.dropped"},
			}, detect),
			machine.On(line{
				From: []string{ExpiredPhase, CancelledPhase}, By: facts, To: []string{Confirming},
				Guard: "the order can still take it, else the deposit is unmatched → PAYMENT_CLOSED", Events: []string{"payment.late_accepted", "payment.detected"},
			}, detectLate),
			machine.On(line{
				From: seen, By: facts, To: []string{Confirming, PartlyPaid, PaidPhase, ExpiredPhase, CancelledPhase, RejectedPhase, ReversedPhase},
				Guard:  "that transfer is seen → TRANSFER_UNKNOWN; depth ≥ threshold or finalized → NOT_CONFIRMED; not under review; a repeat changes nothing",
				Events: []string{"payment.confirmed", "payment.partially_paid", "payment.paid", "payment.overpaid"},
			}, confirm),
			machine.On(line{
				From: seen, By: facts, To: []string{AwaitingPayment, Confirming, PartlyPaid, PaidPhase, ExpiredPhase, UnderReview, CancelledPhase, RejectedPhase, ReversedPhase},
				Guard: "not confirmed; a repeat changes nothing", Events: []string{"payment.dropped"},
			}, drop),
			machine.On(line{
				From: seen, By: facts, To: []string{ReversedPhase, PaidPhase, CancelledPhase, RejectedPhase},
				Guard: "confirmed; a repeat changes nothing", Events: []string{"payment.reorged"},
			}, reorg),
			machine.On(line{
				From: seen, By: []domain.Capacity{domain.Process}, To: seen,
				Guard: "the same outcome changes nothing; a hit on the way holds the payment for review", Events: []string{"payment.screened", "payment.held_for_review"},
			}, screen),
			machine.On(line{
				From: []string{Confirming}, By: []domain.Capacity{domain.Admin, domain.Guard, domain.Process}, To: []string{UnderReview},
				Events: []string{"payment.held_for_review"},
			}, holdForReview),
			machine.On(line{
				From: seen, By: []domain.Capacity{domain.Admin}, To: seen,
				Guard: "under review, or a payer in doubt; two people → SELF_APPROVAL", Events: []string{"payment.review_cleared"},
			}, clearReview),
			machine.On(line{
				From: []string{UnderReview}, By: []domain.Capacity{domain.Admin}, To: []string{RejectedPhase},
				Guard: "two people → SELF_APPROVAL", Events: []string{"payment.review_rejected"},
			}, rejectReview),
			machine.On(line{
				From: []string{CreatedPhase, AwaitingPayment, PartlyPaid}, By: []domain.Capacity{domain.Timer, domain.Admin, domain.Process}, To: []string{ExpiredPhase},
				Guard: "after expires_at; nothing unconfirmed is on its way", Events: []string{"payment.expired"},
			}, expire),
			machine.On(line{
				From: []string{CreatedPhase, AwaitingPayment}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process}, To: []string{CancelledPhase},
				Guard: "nothing seen", Events: []string{"payment.cancelled"},
			}, cancel),
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
	if a.Is(s.Seller) {
		cs = append(cs, domain.Seller)
	}
	return cs
}

func refuse(s State, c domain.Command) error {
	switch c.(type) {
	case Cancel:
		switch s.Phase {
		case Confirming, PartlyPaid, UnderReview, PaidPhase, ReversedPhase:
			return ErrInProgress
		}
	case RegisterIntent, AssignDestination:
		if s.Phase != "" {
			return ErrClosed.With("state", s.Phase)
		}
	}
	return nil
}
