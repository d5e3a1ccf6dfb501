package escrow

import (
	"maps"
	"slices"
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
	// Refund is the clawback that drew on the reserve before it was due; should it be cancelled, the
	// same lots are withheld again.
	Refund domain.RefundID `json:"refund,omitempty"`
}

// EventType implements domain.Event.
func (ReserveReleased) EventType() string { return "escrow.reserve_released" }
func (ReserveReleased) escrow()           {}

// ReleaseReserve gives back what is due by now; with Needed, so much of it, due or not, to cover
// something that Refund takes from the seller in the same unit.
type ReleaseReserve struct {
	domain.Issue
	Needed money.Units
	Cause  string
	Refund domain.RefundID
}

// ErrReserveNotDue: no part of the reserve is due yet.
var ErrReserveNotDue = fault.New(fault.Conflict, "RESERVE_NOT_DUE", "nothing of the reserve is due yet")

// Withheld is what of the hold's proceeds is still in the seller's reserve.
func (s State) Withheld() money.Units { return sumOf(s.Reserves) }

func sumOf(lots []Lot) (sum money.Units) {
	for _, l := range lots {
		sum = sum.Plus(l.Amount)
	}
	return sum
}

// ReserveFor is what is withheld of proceeds: the floor on all proceeds of the hold, less what was
// withheld before, so that splitting a release changes nothing.
func (s State) ReserveFor(proceeds money.Units) money.Units {
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
	return []Event{ReserveReleased{Hold: s.ID, Seller: s.Seller, Amount: s.Amount(amount), Cause: c.Cause, Refund: c.Refund}}, nil
}

// withheld notes what a release or a dispute's outcome has paid the seller and put into the reserve.
func (s State) withheld(net, reserve money.Units, until time.Time) State {
	s.Proceeds, s.Reserved = s.Proceeds.Plus(net).Plus(reserve), s.Reserved.Plus(reserve)
	if !reserve.IsZero() {
		s.Reserves = append(slices.Clone(s.Reserves), Lot{Amount: reserve, Until: until})
	}
	return s
}

// given takes from the oldest lots, which are the first to be due, and remembers what a clawback took.
func (s State) given(e ReserveReleased) State {
	s.NetPaid = s.NetPaid.Plus(e.Amount.Units)
	var left, taken []Lot
	rest := e.Amount.Units
	for _, l := range s.Reserves {
		part := l.Amount.Min(rest)
		l.Amount, rest = l.Amount.Minus(part), rest.Minus(part)
		if !part.IsZero() {
			taken = append(taken, Lot{Amount: part, Until: l.Until})
		}
		if !l.Amount.IsZero() {
			left = append(left, l)
		}
	}
	s.Reserves = left
	if e.Refund != "" {
		s.Drawn = maps.Clone(s.Drawn)
		if s.Drawn == nil {
			s.Drawn = map[domain.RefundID][]Lot{}
		}
		s.Drawn[e.Refund] = taken
	}
	return s
}

// restored withholds again what a clawback had drawn, each lot until the time that it had.
func (s State) restored(e ClawbackReturned) State {
	s.NetPaid = s.NetPaid.Minus(e.Reserve.Units)
	lots := slices.Clone(s.Reserves)
	for _, back := range e.Lots {
		if i := slices.IndexFunc(lots, func(l Lot) bool { return l.Until.Equal(back.Until) }); i >= 0 {
			lots[i].Amount = lots[i].Amount.Plus(back.Amount)
			continue
		}
		lots = append(lots, back)
	}
	slices.SortStableFunc(lots, func(a, b Lot) int { return a.Until.Compare(b.Until) })
	s.Reserves = lots
	return s.forget(e.Refund)
}

// forget drops what a clawback has drawn: it is back, or paid for good.
func (s State) forget(id domain.RefundID) State {
	if _, drew := s.Drawn[id]; drew {
		s.Drawn = maps.Clone(s.Drawn)
		delete(s.Drawn, id)
	}
	return s
}
