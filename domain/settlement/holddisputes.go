package settlement

import (
	"maps"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
)

// disputable refuses what cannot be contested: an order under dispute already, one that was
// never paid, one whose money is gone.
func disputable(h escrow.State, amount money.Amount) error {
	switch {
	case !h.Disputed.IsZero():
		return dispute.ErrOpen
	case !h.IsFunded || h.Held.Plus(h.Releasable).IsZero():
		return dispute.ErrNothingToDispute
	case amount.Asset != "" && amount.Asset != h.Due.Asset:
		return money.ErrAssetMismatch
	}
	return nil
}

// windowEnds is when the order can no longer be disputed: a time after the inspection; never
// before the goods are delivered.
func windowEnds(h escrow.State) time.Time {
	if h.InspectionTo.IsZero() || h.Terms.DisputeWindow == 0 {
		return time.Time{}
	}
	return h.InspectionTo.Add(h.Terms.DisputeWindow)
}

// freeze moves the contested amount aside in the hold and stops the release of the rest.
func freeze(u *domain.Unit, i domain.Issue, h escrow.State, d domain.DisputeID, amount money.Amount) (held, releasable money.Amount, err error) {
	i = own(i, "disputes")
	h, err = step(u, escrow.Decider, string(h.ID), escrow.Freeze{Issue: i, Dispute: d, Amount: amount.Units})
	if err != nil {
		return held, releasable, err
	}
	_, err = domain.Do(u, escrow.Decider, string(h.ID), escrow.PlaceReleaseHold{
		Issue: i, ID: string(d), Kind: escrow.DisputeHold, Reason: "dispute",
	})
	return h.Amount(h.Contested.FromHeld), h.Amount(h.Contested.FromReleasable), err
}

// frozen is what a dispute still holds: the chain may have undone a part of it.
func frozen(u *domain.Unit, s dispute.State) (held, releasable money.Amount, err error) {
	h, err := existing(u, s.Hold)
	if err != nil || h.Disputed.IsZero() {
		return held, releasable, err
	}
	return h.Amount(h.Contested.FromHeld), h.Amount(h.Contested.FromReleasable), nil
}

// unfreeze gives the contested amount back and lifts the stop.
func unfreeze(u *domain.Unit, i domain.Issue, s dispute.State) error {
	i = own(i, "disputes")
	h, err := existing(u, s.Hold)
	if err != nil {
		return err
	}
	if !h.Disputed.IsZero() {
		_, err = domain.Do(u, escrow.Decider, string(s.Hold), escrow.Unfreeze{Issue: i, Dispute: s.Dispute})
	}
	if err != nil {
		return err
	}
	return lift(u, i, s)
}

// lift removes the stop of a dispute. One that was imported has none of ours; those of its kind
// that the old backend placed are its own, since there is one dispute a hold at a time.
func lift(u *domain.Unit, i domain.Issue, s dispute.State) error {
	h, err := existing(u, s.Hold)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(h.ReleaseHolds)) {
		_, imported := h.Stops[id]
		if h.ReleaseHolds[id].Kind != escrow.DisputeHold || (id != string(s.Dispute) && !imported) {
			continue
		}
		if _, err := domain.Do(u, escrow.Decider, string(s.Hold), escrow.LiftReleaseHold{Issue: i, ID: id, Reason: "the dispute is over"}); err != nil {
			return err
		}
	}
	return nil
}

// settle carries a dispute's outcome out in the hold and lifts the stop.
func settle(u *domain.Unit, i domain.Issue, s dispute.State) (dispute.Parts, error) {
	h, err := existing(u, s.Hold)
	if err != nil {
		return dispute.Parts{}, err
	}
	p := partsOf(h, *s.Outcome, s.Terms.Fee.Units)
	c := escrow.Resolve{
		Issue: i, Dispute: s.Dispute, Buyer: p.Buyer.Units, PlatformFee: p.PlatformFee.Units, DisputeFee: p.DisputeFee.Units,
		Seller: p.Seller.Units, Reserve: p.Reserve.Units, ToHeld: p.Held.Units, ToReleasable: p.Releasable.Units,
	}
	if !p.Buyer.IsZero() {
		c.Refund = RefundOf(s.Dispute)
	}
	if !h.Disputed.IsZero() {
		_, err = domain.Do(u, escrow.Decider, string(s.Hold), c)
	}
	if err != nil {
		return dispute.Parts{}, err
	}
	return p, lift(u, i, s)
}

// partsOf splits what is still frozen (domain.md §2.2): the buyer gets the floor of his
// share, the seller the remainder, the fees come out of the seller's part. A dispute fee that
// the buyer pays comes out of his. Of what the seller is left with, so much is withheld as
// of a release. A replacement puts everything back into the hold.
func partsOf(h escrow.State, o dispute.Outcome, disputeFee money.Units) dispute.Parts {
	all := h.Disputed
	if o.Action == dispute.Replacement {
		return dispute.Parts{Held: h.Amount(all)}
	}
	buyer := (money.All - o.SellerBPS).Of(all)
	seller := all.Minus(buyer)
	platform := h.FeeFor(seller)
	seller = seller.Minus(platform)
	fee := money.Zero
	switch o.FeePayer {
	case dispute.SellerPays:
		fee = disputeFee.Min(seller)
		seller = seller.Minus(fee)
	case dispute.BuyerPays:
		fee = disputeFee.Min(buyer)
		buyer = buyer.Minus(fee)
	}
	p := dispute.Parts{
		Buyer: h.Amount(buyer), PlatformFee: h.Amount(platform), DisputeFee: h.Amount(fee), Seller: h.Amount(seller),
	}
	if reserve := h.ReserveFor(seller); !reserve.IsZero() {
		p.Seller, p.Reserve = h.Amount(seller.Minus(reserve)), h.Amount(reserve)
	}
	return p
}
