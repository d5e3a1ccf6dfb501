package offer

import "holdfast/domain"

// Aggregate registers the offer with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			Submitted{},
			Revised{},
			Countered{},
			CounterAccepted{},
			CounterDeclined{},
			CounterLapsed{},
			Accepted{},
			AcceptanceReverted{},
			Rejected{},
			Superseded{},
			Revived{},
			Withdrawn{},
			Quoted{},
			Expired{},
			Fulfilled{},
			Voided{},
			Imported{},
		},
		Claims: Claims, Deadlines: Deadlines,
	}
}

// Claims: one live offer a request and seller. A superseded offer keeps its place, because
// it may come back; a rejected, withdrawn or expired one gives it up.
func Claims(_ domain.Stream, e domain.Event) []domain.Claim {
	name := func(r domain.RequestID, s domain.UserID) string { return "offer:" + string(r) + "/" + string(s) }
	switch e := e.(type) {
	case Submitted:
		return []domain.Claim{{Name: name(e.Request, e.Seller), Taken: ErrExists}}
	case Imported:
		return []domain.Claim{{Name: name(e.Request, e.Seller), Free: !e.Live(), Taken: ErrExists}}
	case Rejected:
		return []domain.Claim{{Name: name(e.Request, e.Seller), Free: true}}
	case Withdrawn:
		return []domain.Claim{{Name: name(e.Request, e.Seller), Free: true}}
	case Expired:
		return []domain.Claim{{Name: name(e.Request, e.Seller), Free: true}}
	}
	return nil
}

// Deadlines: an offer ends at valid_until, a counter-offer at its own end.
func Deadlines(_ domain.Stream, e domain.Event) []domain.Deadline {
	valid := func(t Terms) domain.Deadline {
		return domain.Deadline{Key: "valid-until", Due: t.ValidUntil, Command: "order.expire_offer"}
	}
	noCounter := domain.Deadline{Key: "counter", Cancel: true}
	switch e := e.(type) {
	case Submitted:
		return []domain.Deadline{valid(e.Terms)}
	case Imported:
		if e.Phase == SubmittedPhase && !e.Terms.ValidUntil.IsZero() {
			return []domain.Deadline{valid(e.Terms)}
		}
		return []domain.Deadline{{Key: "valid-until", Cancel: true}}
	case Revised:
		return []domain.Deadline{valid(e.Terms)}
	case Countered:
		return []domain.Deadline{{Key: "counter", Due: e.ExpiresAt, Command: "order.lapse_counter"}}
	case CounterAccepted, CounterDeclined, CounterLapsed:
		return []domain.Deadline{noCounter}
	case Fulfilled, Voided, Withdrawn, Rejected:
		return []domain.Deadline{noCounter, {Key: "valid-until", Cancel: true}}
	}
	return nil
}
