package escrow

import (
	"maps"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// The phases: what the amounts spell.
const (
	AwaitingFunds  = "AwaitingFunds"
	FundedPhase    = "Funded"
	ReleasableNow  = "Releasable"
	PartlyReleased = "PartlyReleased"
	DisputedPhase  = "Disputed"
	Settling       = "Settling"
	ClosedPhase    = "Closed"
	CancelledPhase = "Cancelled"
	ReopenedPhase  = "Reopened"
)

// ReleaseHold is a stop on the release.
type ReleaseHold struct {
	Kind     HoldKind     `json:"kind"`
	Reason   string       `json:"reason"`
	PlacedBy domain.Actor `json:"placed_by"`
}

// Contested is the amount that an open dispute has frozen, by where it came from.
type Contested struct {
	Dispute        domain.DisputeID `json:"dispute"`
	FromHeld       money.Units      `json:"from_held"`
	FromReleasable money.Units      `json:"from_releasable"`
}

// State is what the rules need to know of a hold.
type State struct {
	ID      domain.HoldID    `json:"id"`
	Request domain.RequestID `json:"request"`
	Offer   domain.OfferID   `json:"offer"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Due     money.Amount     `json:"due"`
	Price   *money.Amount    `json:"price,omitempty"` // in a currency, once a quote has fixed what is due
	Terms   Terms            `json:"terms"`

	Credited   money.Units `json:"credited"` // confirmed, overpaid part included
	Overpaid   money.Units `json:"overpaid"`
	Absorbed   money.Units `json:"absorbed"`
	Discount   money.Units `json:"discount"`
	Debited    money.Units `json:"debited"` // undone by the chain, out of the hold's own buckets
	Held       money.Units `json:"held"`
	Releasable money.Units `json:"releasable"`
	Disputed   money.Units `json:"disputed"`
	Released   money.Units `json:"released"` // gross, with the seller's and fees' part of disputes
	Refunded   money.Units `json:"refunded"`
	Withdrawn  money.Units `json:"withdrawn"` // of it, before the hold was funded: due again
	FeesTaken  money.Units `json:"fees_taken"`
	NetPaid    money.Units `json:"net_paid"`           // to the seller
	Proceeds   money.Units `json:"proceeds,omitzero"`  // of releases, reserve included
	Reserved   money.Units `json:"reserved,omitzero"`  // of them, ever
	Reserves   []Lot       `json:"reserves,omitempty"` // what is still withheld, oldest first
	// Drawn is what clawbacks that are under way took out of the reserve.
	Drawn      map[domain.RefundID][]Lot `json:"drawn,omitempty"`
	ClawedBack money.Units               `json:"clawed_back"`

	IsFunded    bool `json:"is_funded"`
	IsCancelled bool `json:"is_cancelled"`
	IsClosed    bool `json:"is_closed"`
	IsReopened  bool `json:"is_reopened"`

	ReleaseHolds map[string]ReleaseHold `json:"release_holds,omitempty"`
	OpenRefunds  []domain.RefundID      `json:"open_refunds,omitempty"`
	Contested    *Contested             `json:"contested,omitempty"`
	Approval     *domain.Actor          `json:"approval,omitempty"` // of a large release, by the first person
	Approved     money.Units            `json:"approved"`           // so much may the second person release
	InspectionTo time.Time              `json:"inspection_to"`
	ReleaseAt    time.Time              `json:"release_at"`

	// Imported is what came from the old backend, Legacy whether it still stands for this, and
	// Stops the release holds that came with documents of their own.
	Imported *Imported                  `json:"imported,omitempty"`
	Legacy   domain.Snapshot            `json:"legacy,omitzero"`
	Stops    map[string]domain.Snapshot `json:"stops,omitempty"`
}

// Left is what still stands in the hold.
func (s State) Left() money.Units { return s.Held.Plus(s.Releasable).Plus(s.Disputed) }

// In is what came in for good: the left side of the hold's identity.
func (s State) In() money.Units {
	return s.Credited.Plus(s.Absorbed).Plus(s.Discount).Minus(s.Overpaid).Minus(s.Debited)
}

// Missing is what the buyer still owes: what came in counts, unless it was refunded before
// the hold was funded.
func (s State) Missing() money.Units {
	missing, _ := s.Due.Units.Sub(s.In().Minus(s.Withdrawn))
	return missing
}

// Amount gives units of the hold's asset.
func (s State) Amount(u money.Units) money.Amount { return money.Of(s.Due.Asset, u) }

// Stopped gives the kinds of active release holds, empty when the release is free.
func (s State) Stopped() []HoldKind {
	var kinds []HoldKind
	for _, id := range slices.Sorted(maps.Keys(s.ReleaseHolds)) {
		kinds = append(kinds, s.ReleaseHolds[id].Kind)
	}
	return kinds
}

// FeeFor is the platform fee of releasing gross now: the floor on everything released so
// far, less what was taken, so that splitting a release never changes the total fee.
func (s State) FeeFor(gross money.Units) money.Units {
	total := s.Terms.FeeBPS.Of(s.releasedHere().Plus(gross))
	fee, ok := total.Sub(s.FeesTaken)
	if !ok {
		return money.Zero
	}
	return fee.Min(gross)
}

// Phase names what the amounts spell.
func (s State) Phase() string {
	switch {
	case s.ID == "":
		return ""
	case s.IsClosed:
		return ClosedPhase
	case !s.Disputed.IsZero():
		return DisputedPhase
	case s.IsCancelled:
		return CancelledPhase
	case s.IsReopened:
		return ReopenedPhase
	case !s.IsFunded:
		return AwaitingFunds
	case s.Left().IsZero():
		return Settling
	case !s.Released.IsZero():
		return PartlyReleased
	case !s.Releasable.IsZero():
		return ReleasableNow
	}
	return FundedPhase
}

// Undo says which buckets give up an amount that the chain has undone, in the order of the
// design: held, releasable, disputed; what they do not have is borne elsewhere.
func (s State) Undo(amount money.Units) Debited {
	d := Debited{Amount: s.Amount(amount), FromHeld: s.Held.Min(amount)}
	rest := amount.Minus(d.FromHeld)
	d.FromReleasable = s.Releasable.Min(rest)
	rest = rest.Minus(d.FromReleasable)
	d.FromDisputed = s.Disputed.Min(rest)
	d.Elsewhere = rest.Minus(d.FromDisputed)
	return d
}

// Decider is the hold.
var Decider = domain.Decider[State, Event]{Category: "escrow_hold", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	snapshot := s.Legacy.After(e)
	s = evolve(s, e)
	s.Legacy = snapshot
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(s, e)
	case ReleaseHoldImported:
		s = stopImported(s, e)
	case DisputeImported:
		s = disputeImported(s, e)
	case Opened:
		s = State{ID: e.Hold, Request: e.Request, Offer: e.Offer, Buyer: e.Buyer, Seller: e.Seller, Due: e.Due, Terms: e.Terms}
	case DueFixed:
		s.Due, s.Price = e.Due, &e.Price
	case Credited:
		s.Credited = s.Credited.Plus(e.Amount.Units)
		s.Overpaid = s.Overpaid.Plus(e.Overpaid.Units)
		s.Held = s.Held.Plus(e.Amount.Units.Minus(e.Overpaid.Units))
	case Debited:
		s = undone(s, e)
	case Funded:
		s.IsFunded = true
	case Unfunded:
		s.IsFunded = false
	case FeeAbsorbed:
		s.Absorbed, s.Held = s.Absorbed.Plus(e.Amount.Units), s.Held.Plus(e.Amount.Units)
	case DiscountFunded:
		s.Discount, s.Held = s.Discount.Plus(e.Amount.Units), s.Held.Plus(e.Amount.Units)
	case MadeReleasable:
		s.Held, s.Releasable = s.Held.Minus(e.Amount.Units), s.Releasable.Plus(e.Amount.Units)
	case ReleaseRevoked:
		s.Releasable, s.Held = s.Releasable.Minus(e.Amount.Units), s.Held.Plus(e.Amount.Units)
		s.InspectionTo, s.ReleaseAt = time.Time{}, time.Time{} // the next delivery begins a new inspection
	case ReleaseApprovalRecorded:
		s.Approval, s.Approved = &e.By, e.Amount.Units
	case Released:
		s.Releasable, s.Released = s.Releasable.Minus(e.Gross.Units), s.Released.Plus(e.Gross.Units)
		s.FeesTaken, s.NetPaid = s.FeesTaken.Plus(e.Fee.Units), s.NetPaid.Plus(e.Net.Units)
		s.Approval, s.Approved = nil, money.Zero
		s = s.withheld(e.Net.Units, e.Reserve.Units, e.ReserveUntil)
	case ReserveReleased:
		s = s.given(e)
	case RefundTaken, RefundReturned, RefundSettled, RefundUnsettled, ClawedBack, ClawbackReturned:
		s = refunds(s, e)
	case Frozen, Unfrozen, DisputeSettled:
		s = disputes(s, e)
	case InspectionStarted:
		s.InspectionTo, s.ReleaseAt = e.EndsAt, e.ReleaseAt
	case InspectionExtended:
		s.InspectionTo, s.ReleaseAt = e.EndsAt, e.ReleaseAt
	case ReleaseHoldPlaced:
		s.ReleaseHolds = maps.Clone(s.ReleaseHolds)
		if s.ReleaseHolds == nil {
			s.ReleaseHolds = map[string]ReleaseHold{}
		}
		s.ReleaseHolds[e.ID] = ReleaseHold{Kind: e.Kind, Reason: e.Reason, PlacedBy: e.PlacedBy}
	case ReleaseHoldLifted:
		s.ReleaseHolds = maps.Clone(s.ReleaseHolds)
		delete(s.ReleaseHolds, e.ID)
		s = stopOurs(s, e.ID)
	case Cancelled:
		s.IsCancelled = true
	case Closed:
		s.IsClosed, s.IsReopened = true, false
	case Reopened:
		s.IsClosed, s.IsReopened = false, true
	}
	return s
}

func undone(s State, e Debited) State {
	s.Held, s.Releasable = s.Held.Minus(e.FromHeld), s.Releasable.Minus(e.FromReleasable)
	s.Disputed = s.Disputed.Minus(e.FromDisputed)
	s.Debited = s.Debited.Plus(e.Amount.Units.Minus(e.Elsewhere))
	if s.Contested != nil && !e.FromDisputed.IsZero() {
		c := *s.Contested
		fromHeld := c.FromHeld.Min(e.FromDisputed)
		c.FromHeld = c.FromHeld.Minus(fromHeld)
		c.FromReleasable = c.FromReleasable.Minus(e.FromDisputed.Minus(fromHeld))
		s.Contested = &c
	}
	return s
}

func refunds(s State, e Event) State {
	switch e := e.(type) {
	case RefundTaken:
		if e.From == Held {
			s.Held = s.Held.Minus(e.Amount.Units)
		} else {
			s.Releasable = s.Releasable.Minus(e.Amount.Units)
		}
		s.Refunded = s.Refunded.Plus(e.Amount.Units)
		if !s.IsFunded {
			s.Withdrawn = s.Withdrawn.Plus(e.Amount.Units)
		}
		s.OpenRefunds = append(slices.Clone(s.OpenRefunds), e.Refund)
	case RefundReturned:
		if e.To == Held {
			s.Held = s.Held.Plus(e.Amount.Units)
		} else {
			s.Releasable = s.Releasable.Plus(e.Amount.Units)
		}
		s.Refunded = s.Refunded.Minus(e.Amount.Units)
		s.Withdrawn = s.Withdrawn.Minus(s.Withdrawn.Min(e.Amount.Units))
		s.OpenRefunds = without(s.OpenRefunds, e.Refund)
	case RefundSettled:
		s.OpenRefunds = without(s.OpenRefunds, e.Refund)
		s = s.forget(e.Refund)
	case RefundUnsettled:
		s.OpenRefunds = append(slices.Clone(s.OpenRefunds), e.Refund)
	case ClawedBack:
		s.ClawedBack = s.ClawedBack.Plus(e.Amount.Units)
		s.OpenRefunds = append(slices.Clone(s.OpenRefunds), e.Refund)
	case ClawbackReturned:
		s.ClawedBack = s.ClawedBack.Minus(e.Amount.Units)
		s.OpenRefunds = without(s.OpenRefunds, e.Refund)
		s = s.restored(e)
	}
	return s
}

func disputes(s State, e Event) State {
	switch e := e.(type) {
	case Frozen:
		s.Held, s.Releasable = s.Held.Minus(e.FromHeld.Units), s.Releasable.Minus(e.FromReleasable.Units)
		s.Disputed = s.Disputed.Plus(e.FromHeld.Units).Plus(e.FromReleasable.Units)
		s.Contested = &Contested{Dispute: e.Dispute, FromHeld: e.FromHeld.Units, FromReleasable: e.FromReleasable.Units}
	case Unfrozen:
		s.Held, s.Releasable = s.Held.Plus(e.ToHeld.Units), s.Releasable.Plus(e.ToReleasable.Units)
		s.Disputed, s.Contested = money.Zero, nil
	case DisputeSettled:
		fees := e.PlatformFee.Units.Plus(e.DisputeFee.Units)
		s.Held, s.Releasable = s.Held.Plus(e.ToHeld.Units), s.Releasable.Plus(e.ToReleasable.Units)
		s.Released = s.Released.Plus(e.Seller.Units).Plus(e.Reserve.Units).Plus(fees)
		if e.Withholds {
			s = s.withheld(e.Seller.Units, e.Reserve.Units, e.ReserveUntil)
		}
		s.NetPaid, s.FeesTaken = s.NetPaid.Plus(e.Seller.Units), s.FeesTaken.Plus(e.PlatformFee.Units)
		s.Refunded = s.Refunded.Plus(e.Buyer.Units)
		s.Disputed, s.Contested = money.Zero, nil
		if e.Refund != "" {
			s.OpenRefunds = append(slices.Clone(s.OpenRefunds), e.Refund)
		}
	}
	return s
}

func without(ids []domain.RefundID, id domain.RefundID) []domain.RefundID {
	return slices.DeleteFunc(slices.Clone(ids), func(o domain.RefundID) bool { return o == id })
}
