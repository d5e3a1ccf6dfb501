package escrow

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

var (
	phases = []string{"", AwaitingFunds, FundedPhase, ReleasableNow, PartlyReleased, DisputedPhase, Settling, ClosedPhase, CancelledPhase, ReopenedPhase}
	// alive is every phase after the first event; the chain and the operators know no others.
	alive   = phases[1:]
	undoing = []string{FundedPhase, ReleasableNow, PartlyReleased, ReopenedPhase}
	people  = []domain.Capacity{domain.Admin, domain.Guard, domain.Resolver, domain.Process}
	facts   = []domain.Capacity{domain.Chain, domain.Provider, domain.Process, domain.Import}
	machina = []domain.Capacity{domain.Process, domain.Timer}

	importer = []domain.Capacity{domain.Import}
)

// Table is the hold's state machine. Phases are derived from the amounts, so many rows may
// lead to several of them.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	return machine.Table[State, Event]{
		Name: "EscrowHold", Phases: phases, Phase: State.Phase, As: parties, Refuse: refuse,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{""}, By: []domain.Capacity{domain.Buyer, domain.Process, domain.Import}, To: []string{AwaitingFunds},
				Guard: "something is due; buyer ≠ seller → OWN_REQUEST", Events: []string{"escrow.opened"},
			}, open),
			machine.On(line{
				From: phases, By: importer, To: alive, Aside: true,
				Guard: "the same document again is no news; one that was changed here as well → LEGACY_CONFLICT", Events: []string{"escrow.imported"},
			}, importHold),
			machine.On(line{From: alive, By: importer, To: alive, Aside: true, Guard: "as above, for each release hold", Events: []string{"escrow.release_hold_imported"}}, importStop),
			machine.On(line{
				From: alive, By: importer, To: alive, Aside: true,
				Guard: "one dispute at a time → DISPUTE_OPEN; a hold that was changed here → LEGACY_CONFLICT", Events: []string{"escrow.dispute_imported"},
			}, importDispute),
			machine.On(line{
				From: []string{AwaitingFunds}, By: []domain.Capacity{domain.Process}, To: []string{AwaitingFunds},
				Guard: "priced in a currency, and always the same asset → ASSET_NOT_ALLOWED; more than has come in → PAYMENT_IN_PROGRESS", Events: []string{"escrow.due_fixed"},
			}, fixDue),
			machine.On(line{
				From: alive, By: facts, To: alive,
				Guard: "confirmed money is never refused", Events: []string{"escrow.credited", "escrow.funded", "escrow.reopened"},
			}, credit),
			machine.On(line{
				From: alive, By: facts, To: alive,
				Guard: "what the chain undid is never refused", Events: []string{"escrow.debited", "escrow.unfunded", "escrow.reopened"},
			}, debit),
			machine.On(line{
				From: []string{AwaitingFunds}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{AwaitingFunds, FundedPhase, ReleasableNow, PartlyReleased},
				Guard: "no more than is missing → AMOUNT_EXCEEDS_DUE", Events: []string{"escrow.fee_absorbed", "escrow.funded"},
			}, absorb),
			machine.On(line{
				From: []string{AwaitingFunds}, By: []domain.Capacity{domain.Process, domain.Admin}, To: []string{AwaitingFunds, FundedPhase, ReleasableNow, PartlyReleased},
				Guard: "no more than is missing → AMOUNT_EXCEEDS_DUE", Events: []string{"escrow.discount_funded", "escrow.funded"},
			}, discount),
			machine.On(line{
				From: alive, By: people, To: alive,
				Guard: "the same id again is a repeat; guard and resolver place, nobody needs two", Events: []string{"escrow.release_hold_placed"},
			}, placeHold),
			machine.On(line{
				From: alive, By: people, To: alive,
				Guard: "known → HOLD_NOT_FOUND; the placer of an aml hold may not lift it alone, one that screening placed needs two people → SELF_APPROVAL, a dispute's hold is lifted by its outcome → HOLD_OWNER", Events: []string{"escrow.release_hold_lifted"},
			}, liftHold),
			machine.On(line{
				From: []string{FundedPhase, ReleasableNow, PartlyReleased}, By: []domain.Capacity{domain.Buyer, domain.Seller, domain.Process, domain.Timer, domain.Admin}, To: []string{FundedPhase, ReleasableNow, PartlyReleased},
				Guard: "once", Events: []string{"escrow.inspection_started"},
			}, startInspection),
			machine.On(line{
				From: []string{FundedPhase, ReleasableNow, PartlyReleased}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{FundedPhase, ReleasableNow, PartlyReleased},
				Guard: "running, and later than now → VALIDATION_FAILED", Events: []string{"escrow.inspection_extended"},
			}, extendInspection),
			machine.On(line{
				From: []string{FundedPhase, ReleasableNow, PartlyReleased}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process, domain.Timer}, To: []string{ReleasableNow, PartlyReleased},
				Guard: "≤ held → INSUFFICIENT_HELD_FUNDS", Events: []string{"escrow.made_releasable"},
			}, markReleasable),
			machine.On(line{
				From: []string{ReleasableNow, PartlyReleased}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{FundedPhase, PartlyReleased},
				Guard: "something is releasable", Events: []string{"escrow.release_revoked"},
			}, revoke),
			machine.On(line{
				From: []string{ReleasableNow, PartlyReleased, ReopenedPhase}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process, domain.Timer}, To: []string{ReleasableNow, PartlyReleased, Settling, ReopenedPhase},
				Guard:  "no release hold → RELEASE_HOLD_ACTIVE; ≤ releasable → INSUFFICIENT_HELD_FUNDS; two people above the limit → APPROVAL_REQUIRED",
				Events: []string{"escrow.released", "escrow.release_approval_recorded"},
			}, release),
			machine.On(line{
				From: alive, By: machina, To: alive,
				Guard: "due → RESERVE_NOT_DUE, and no release hold → RELEASE_HOLD_ACTIVE, unless it covers what is taken back from the seller", Events: []string{"escrow.reserve_released"},
			}, releaseReserve),
			machine.On(line{
				From: append([]string{CancelledPhase, AwaitingFunds}, undoing...), By: []domain.Capacity{domain.Buyer, domain.Seller, domain.Admin, domain.Process}, To: append([]string{CancelledPhase, Settling, AwaitingFunds}, undoing...),
				Guard: "≤ that bucket → REFUND_EXCEEDS_AVAILABLE, ALREADY_REFUNDED; a refund takes once", Events: []string{"escrow.refund_taken"},
			}, takeForRefund),
			machine.On(line{
				From: alive, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process}, To: alive,
				Guard: "that refund is open", Events: []string{"escrow.refund_returned", "escrow.reopened"},
			}, returnFromRefund),
			machine.On(line{
				From: alive, By: append([]domain.Capacity{domain.Admin, domain.Timer}, facts...), To: alive,
				Guard: "a refund that is not open changes nothing", Events: []string{"escrow.refund_settled"},
			}, settleRefund),
			machine.On(line{
				From: alive, By: append([]domain.Capacity{domain.Admin}, facts...), To: alive,
				Guard: "a refund that is open changes nothing", Events: []string{"escrow.refund_unsettled", "escrow.reopened"},
			}, unsettleRefund),
			machine.On(line{
				From: []string{PartlyReleased, Settling, ClosedPhase, ReopenedPhase}, By: []domain.Capacity{domain.Seller, domain.Admin, domain.Process}, To: []string{PartlyReleased, Settling, ReopenedPhase},
				Guard: "≤ released and not clawed back before → REFUND_EXCEEDS_AVAILABLE", Events: []string{"escrow.clawed_back", "escrow.reopened"},
			}, clawBack),
			machine.On(line{
				From: alive, By: []domain.Capacity{domain.Admin, domain.Process}, To: alive,
				Guard: "that refund is open", Events: []string{"escrow.clawback_returned"},
			}, returnClawback),
			machine.On(line{
				From: []string{FundedPhase, ReleasableNow, PartlyReleased}, By: []domain.Capacity{domain.Buyer, domain.Seller, domain.Process}, To: []string{DisputedPhase},
				Guard: "≤ held + releasable → NOTHING_TO_DISPUTE", Events: []string{"escrow.frozen"},
			}, freeze),
			machine.On(line{
				From: []string{DisputedPhase}, By: []domain.Capacity{domain.Buyer, domain.Seller, domain.Resolver, domain.Admin, domain.Process, domain.Timer}, To: []string{AwaitingFunds, FundedPhase, ReleasableNow, PartlyReleased},
				Guard: "by its own dispute", Events: []string{"escrow.unfrozen"},
			}, unfreeze),
			machine.On(line{
				From: []string{DisputedPhase}, By: []domain.Capacity{domain.Process, domain.Timer, domain.Buyer, domain.Seller, domain.Admin, domain.Resolver}, To: []string{AwaitingFunds, FundedPhase, ReleasableNow, PartlyReleased, Settling},
				Guard: "by its own dispute; the parts are the whole → INVALID_SPLIT", Events: []string{"escrow.dispute_settled"},
			}, resolve),
			machine.On(line{
				From: []string{AwaitingFunds}, By: []domain.Capacity{domain.Buyer, domain.Seller, domain.Admin, domain.Process, domain.Timer}, To: []string{CancelledPhase},
				Events: []string{"escrow.cancelled"},
			}, cancel),
			machine.On(line{From: []string{CancelledPhase, ClosedPhase}, By: machina, To: []string{CancelledPhase, ClosedPhase}, Guard: "a repeat"}, func(State, Cancel) ([]Event, error) { return nil, nil }),
			machine.On(line{
				From: []string{Settling, ReopenedPhase, CancelledPhase}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{ClosedPhase},
				Guard: "nothing left and no refund under way → ESCROW_NOT_EMPTY", Events: []string{"escrow.closed"},
			}, closeHold),
			machine.On(line{
				From: []string{ClosedPhase}, By: []domain.Capacity{domain.Chain, domain.Process, domain.Admin}, To: []string{ReopenedPhase, CancelledPhase},
				Guard: "a cancelled one is cancelled again", Events: []string{"escrow.reopened"},
			}, reopen),
		},
	}
}

// parties adds the parts that people have in this order. Before there is a hold, the
// command names its own buyer.
func parties(s State, a domain.Actor) []domain.Capacity {
	var cs []domain.Capacity
	if s.ID == "" && a.User() != "" {
		return []domain.Capacity{domain.Buyer}
	}
	if a.Is(s.Buyer) {
		cs = append(cs, domain.Buyer)
	}
	if a.Is(s.Seller) {
		cs = append(cs, domain.Seller)
	}
	return cs
}

// refuse names the reason where INVALID_STATE would leave the caller guessing.
func refuse(s State, c domain.Command) error {
	switch c.(type) {
	case Release:
		switch s.Phase() {
		case DisputedPhase:
			return ErrDisputed
		case AwaitingFunds, FundedPhase, Settling, ClosedPhase, CancelledPhase:
			return ErrNotReleasable.With("state", s.Phase())
		}
	case MarkReleasable:
		switch s.Phase() {
		case DisputedPhase:
			return ErrDisputed
		case AwaitingFunds, CancelledPhase:
			return ErrNotFunded
		}
	case TakeForRefund:
		switch s.Phase() {
		case DisputedPhase:
			return ErrDisputed
		case Settling, ClosedPhase:
			return ErrAlreadyRefunded
		}
	case Freeze:
		switch s.Phase() {
		case DisputedPhase:
			return ErrDisputeOpen
		case AwaitingFunds, Settling, ClosedPhase, CancelledPhase, ReopenedPhase:
			return ErrNothingToDispute
		}
	}
	return nil
}
