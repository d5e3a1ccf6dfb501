package escrow

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// A part of what a seller is paid may be withheld for some time, so that something is there when
// money must be taken back (a rolling reserve).

// Lot is what one release has withheld, as far as it is still there.
type Lot struct {
	Amount money.Units `json:"amount"`
	Until  time.Time   `json:"until"`
}

// ReserveReleased: withheld proceeds are the seller's to use. Posts.
type ReserveReleased struct {
	Hold   domain.HoldID `json:"hold"`
	Seller domain.UserID `json:"seller"`
	Amount money.Amount  `json:"amount"`
	Cause  string        `json:"cause"` // time, or what it was needed for
}

// EventType implements domain.Event.
func (ReserveReleased) EventType() string { return "escrow.reserve_released" }
func (ReserveReleased) escrow()           {}

// ReleaseReserve gives back what is due by now; with Needed, so much of it, due or not, to cover
// something that is taken from the seller in the same unit.
type ReleaseReserve struct {
	domain.Issue
	Needed money.Units
	Cause  string
}

// ErrReserveNotDue: no part of the reserve is due yet.
var ErrReserveNotDue = fault.New(fault.Conflict, "RESERVE_NOT_DUE", "nothing of the reserve is due yet")

// Withheld is what of the hold's proceeds is still in the seller's reserve.
func (s State) Withheld() (sum money.Units) {
	for _, l := range s.Reserves {
		sum = sum.Plus(l.Amount)
	}
	return sum
}

// reserveFor is what is withheld of proceeds: the floor on all proceeds of the hold, less what was
// withheld before, so that splitting a release changes nothing.
func (s State) reserveFor(proceeds money.Units) money.Units {
	more, ok := s.Terms.ReserveBPS.Of(s.Proceeds.Plus(proceeds)).Sub(s.Reserved)
	if !ok {
		return money.Zero
	}
	return more.Min(proceeds)
}

func releaseReserve(s State, c ReleaseReserve) ([]Event, error) {
	amount := s.Withheld().Min(c.Needed)
	if c.Needed.IsZero() {
		if len(s.ReleaseHolds) > 0 {
			return nil, ErrReleaseHold.With("kinds", s.Stopped())
		}
		for _, l := range s.Reserves {
			if !l.Until.After(c.At) {
				amount = amount.Plus(l.Amount)
			}
		}
		if amount.IsZero() && !s.Withheld().IsZero() {
			return nil, ErrReserveNotDue
		}
	}
	if amount.IsZero() {
		return nil, nil
	}
	return []Event{ReserveReleased{Hold: s.ID, Seller: s.Seller, Amount: s.Amount(amount), Cause: c.Cause}}, nil
}

// withheld notes what a release has put into the reserve.
func (s State) withheld(e Released) State {
	s.Proceeds, s.Reserved = s.Proceeds.Plus(e.Net.Units).Plus(e.Reserve.Units), s.Reserved.Plus(e.Reserve.Units)
	if !e.Reserve.IsZero() {
		s.Reserves = append(append([]Lot(nil), s.Reserves...), Lot{Amount: e.Reserve.Units, Until: e.ReserveUntil})
	}
	return s
}

// given takes from the oldest lots, which are the first to be due.
func (s State) given(e ReserveReleased) State {
	s.NetPaid = s.NetPaid.Plus(e.Amount.Units)
	var left []Lot
	rest := e.Amount.Units
	for _, l := range s.Reserves {
		part := l.Amount.Min(rest)
		l.Amount, rest = l.Amount.Minus(part), rest.Minus(part)
		if !l.Amount.IsZero() {
			left = append(left, l)
		}
	}
	s.Reserves = left
	return s
}
