package migration

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

// phaseOf is the phase that the document of a payment stands for (domain.md §2.14 read backwards).
// A payment that failed may be made once more, to the same address.
func phaseOf(d Payment, b Books, due money.Units) string {
	switch d.Status {
	case "failed", "cancelled":
		return payment.CancelledPhase
	case "confirmed", "completed", "refunded":
		if d.EscrowState != "partial" || !b.Came.Less(due) {
			return payment.PaidPhase
		}
	}
	if b.Came.IsZero() {
		return payment.AwaitingPayment
	}
	return payment.PartlyPaid
}

// buckets fills the amounts of a hold in from the books. What is released in the old backend's word
// has left the hold; the part of it that was not paid out yet stands with the seller.
func buckets(e escrow.Imported, d Payment, b Books) (hold escrow.Imported, seller money.Units) {
	e.Credited, e.Held, e.Releasable, e.Released, e.Refunded, seller = b.Came, b.Held, b.Releasable, b.Released, b.Refunded, b.Available
	switch d.EscrowState {
	case "funded", "releasable":
		e.IsFunded = true
	case "partial":
		e.IsFunded = !b.Came.Less(e.Due.Units)
	case "releasing":
		e.Released, e.Releasable, seller = b.Released.Plus(b.Releasable), money.Zero, b.Available.Plus(b.Releasable)
		e.IsFunded, e.IsClosed = true, true
	case "released", "refunded":
		e.IsFunded, e.IsClosed = true, true
	case "failed", "cancelled":
		e.IsCancelled = true
	}
	return e, seller
}

// openings are the opening balances of a hold. The platform's part is owed to nobody.
func openings(h escrow.Imported, custody ledger.Account, seller, platform money.Units) []escrow.Opening {
	held, releasable, disputed := h.Held, h.Releasable, money.Zero
	if h.Contested != nil {
		held, releasable, disputed = money.Zero, money.Zero, held.Plus(releasable)
	}
	var all []escrow.Opening
	for _, o := range []escrow.Opening{
		{Liability: ledger.Held(h.Hold), Amount: held},
		{Liability: ledger.Releasable(h.Hold), Amount: releasable},
		{Liability: ledger.Disputed(h.Hold), Amount: disputed},
		{Liability: ledger.SellerAvailable(h.Seller), Amount: seller},
		{Amount: platform},
	} {
		if o.Custody = custody; !o.Amount.IsZero() {
			all = append(all, o)
		}
	}
	return all
}

// moved gives the openings of a hold that a dispute freezes, or no longer freezes.
func moved(s escrow.State, freeze bool) []escrow.Opening {
	h := s.ID
	var all []escrow.Opening
	for _, o := range s.Imported.Openings {
		inside := o.Liability == ledger.Held(h) || o.Liability == ledger.Releasable(h) || o.Liability == ledger.Disputed(h)
		if !inside {
			all = append(all, o)
			continue
		}
		if freeze {
			o.Liability = ledger.Disputed(h)
			all = join(all, o)
			continue
		}
		for _, back := range []escrow.Opening{
			{Custody: o.Custody, Liability: ledger.Held(h), Amount: s.Contested.FromHeld},
			{Custody: o.Custody, Liability: ledger.Releasable(h), Amount: s.Contested.FromReleasable},
		} {
			if !back.Amount.IsZero() {
				all = append(all, back)
			}
		}
	}
	return all
}

// join adds an opening to one of the same accounts.
func join(all []escrow.Opening, o escrow.Opening) []escrow.Opening {
	for i := range all {
		if all[i].Liability == o.Liability && all[i].Custody == o.Custody {
			all[i].Amount = all[i].Amount.Plus(o.Amount)
			return all
		}
	}
	return append(all, o)
}

// weight says how much a payment has to say about its order's hold: money that is there, money that
// was there, a payment that may still be made, nothing.
func weight(h escrow.Imported, phase string) int {
	switch {
	case len(h.Openings) > 0:
		return 3
	case !h.Credited.IsZero():
		return 2
	case phase == payment.AwaitingPayment:
		return 1
	}
	return 0
}

// custodyOf is where the money of a payment stands: at its own address, or at the treasury.
func custodyOf(a PaidTo) ledger.Account {
	if a.Destination == "" || a.Swept {
		return ledger.Treasury
	}
	return ledger.Derived(DestinationID(a.Destination))
}

// DestinationID names the destination of a document.
func DestinationID(objectID string) domain.DestinationID {
	return domain.DestinationID(ID(Destinations, objectID))
}
