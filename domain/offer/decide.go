package offer

import (
	"unicode/utf8"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Refusals of an offer.
var (
	ErrExists        = fault.New(fault.Conflict, "OFFER_EXISTS", "you have a live offer for this request already")
	ErrOwnRequest    = fault.New(fault.Forbidden, "OWN_REQUEST", "nobody may offer on their own request")
	ErrLocked        = fault.New(fault.Conflict, "OFFER_LOCKED", "the offer can no longer be changed")
	ErrExpired       = fault.New(fault.Conflict, "OFFER_EXPIRED", "the offer's time is over")
	ErrStale         = fault.New(fault.Conflict, "OFFER_REVISION_STALE", "the offer was changed meanwhile; read it again")
	ErrCounterOpen   = fault.New(fault.Conflict, "COUNTER_OPEN", "a counter-offer is open; it must be answered first")
	ErrCounterOver   = fault.New(fault.Conflict, "COUNTER_EXPIRED", "the counter-offer's time is over")
	ErrNotSelectable = fault.New(fault.Conflict, "OFFER_NOT_SELECTABLE", "the offer cannot be selected in its state")
)

func (t Terms) check(c domain.Issue) error {
	switch {
	case t.Title == "" || utf8.RuneCountInString(t.Title) > 200:
		return fault.ErrValidation.At("title", "1 … 200 characters")
	case utf8.RuneCountInString(t.Description.Text) > 1000:
		return fault.ErrValidation.At("description", "at most 1000 characters")
	case t.Price.Amount.IsZero() || t.Price.Amount.Asset == "":
		return fault.ErrValidation.At("price.amount", "must be more than nothing")
	case !t.ValidUntil.After(c.At):
		return fault.ErrValidation.At("validUntil", "must be later than now")
	}
	return nil
}

func submit(_ State, c Submit) ([]Event, error) {
	if c.Buyer == c.Seller {
		return nil, ErrOwnRequest
	}
	if c.By.User() != "" && !c.By.Is(c.Seller) {
		return nil, fault.ErrForbidden
	}
	if err := c.Terms.check(c.Issue); err != nil {
		return nil, err
	}
	return []Event{Submitted{Offer: c.Offer, Request: c.Request, Buyer: c.Buyer, Seller: c.Seller, Terms: c.Terms, At: c.At}}, nil
}

func revise(s State, c Revise) ([]Event, error) {
	if s.Expired(c.At) {
		return nil, ErrExpired
	}
	if err := c.Terms.check(c.Issue); err != nil {
		return nil, err
	}
	return []Event{Revised{Revision: s.Revision + 1, Terms: c.Terms}}, nil
}

func counter(s State, c Counter) ([]Event, error) {
	switch {
	case s.Expired(c.At):
		return nil, ErrExpired
	case !c.ExpiresAt.After(c.At):
		return nil, fault.ErrValidation.At("expiresAt", "must be later than now")
	case c.Price != nil && (c.Price.Amount.IsZero() || c.Price.Amount.Asset != s.Terms.Price.Amount.Asset):
		return nil, fault.ErrValidation.At("price", "must be more than nothing, in the offer's asset")
	case c.Price == nil && c.DeliveryTime == "":
		return nil, fault.ErrValidation.At("price", "a price or a delivery time is needed")
	}
	return []Event{Countered{Counter: c.Counter, Price: c.Price, DeliveryTime: c.DeliveryTime, Message: c.Message, ExpiresAt: c.ExpiresAt}}, nil
}

func acceptCounter(s State, c AcceptCounter) ([]Event, error) {
	if !c.At.Before(s.Counter.ExpiresAt) {
		return nil, ErrCounterOver
	}
	t := s.Terms
	if s.Counter.Price != nil {
		t.Price = *s.Counter.Price
	}
	if s.Counter.DeliveryTime != "" {
		t.DeliveryTime = s.Counter.DeliveryTime
	}
	return []Event{CounterAccepted{Counter: s.Counter.Counter, Revision: s.Revision + 1, Terms: t}}, nil
}

func lapseCounter(s State, c LapseCounter) ([]Event, error) {
	if c.At.Before(s.Counter.ExpiresAt) {
		return nil, fault.ErrInvalidState.With("expires_at", s.Counter.ExpiresAt)
	}
	return []Event{CounterLapsed{Counter: s.Counter.Counter}}, nil
}

func accept(s State, c Accept) ([]Event, error) {
	switch {
	case s.Phase == CounteredPhase:
		return nil, ErrCounterOpen
	case s.Expired(c.At):
		return nil, ErrExpired
	case c.Revision != s.Revision:
		return nil, ErrStale.With("revision", s.Revision)
	case c.RequestRevision != s.Terms.RequestRevision:
		return nil, ErrStale.Because("the request was changed after this offer; the seller must confirm it by a new revision")
	}
	return []Event{Accepted{Revision: s.Revision, Hold: c.Hold}}, nil
}

func expire(s State, c Expire) ([]Event, error) {
	if !s.Expired(c.At) {
		return nil, fault.ErrInvalidState.With("valid_until", s.Terms.ValidUntil)
	}
	return []Event{Expired{Request: s.Request, Seller: s.Seller, At: c.At}}, nil
}

func revive(s State, c Revive) ([]Event, error) {
	if s.Expired(c.At) {
		return nil, nil
	}
	return []Event{Revived{Reason: c.Reason}}, nil
}

// refuse names the reason where INVALID_STATE would leave the caller guessing.
func refuse(s State, c domain.Command) error {
	switch c.(type) {
	case Accept:
		return ErrNotSelectable.With("state", s.Phase)
	case Revise, Withdraw:
		if s.Phase == CounteredPhase {
			return ErrCounterOpen
		}
		return ErrLocked.With("state", s.Phase)
	case Counter:
		if s.Phase == CounteredPhase {
			return ErrCounterOpen
		}
		return ErrLocked.With("state", s.Phase)
	}
	return nil
}
