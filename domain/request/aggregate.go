package request

import "holdfast/domain"

// Aggregate registers the request with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			Created{},
			DetailsUpdated{},
			Published{},
			SellersInvited{},
			OfferReceived{},
			OfferGone{},
			NegotiationStarted{},
			NegotiationEnded{},
			OfferSelected{},
			OfferSelectionReleased{},
			PaymentSecured{},
			PaymentLost{},
			Shipped{},
			DeliveryCodeIssued{},
			DeliveryCodeFailed{},
			DeliveryConfirmed{},
			RevisionRequested{},
			DisputeFlagged{},
			DisputeUnflagged{},
			Completed{},
			Cancelled{},
			Expired{},
			Imported{},
			OfferImported{},
		},
		Deadlines: Deadlines,
	}
}

// Deadlines: a request that nobody's offer was selected for expires.
func Deadlines(_ domain.Stream, e domain.Event) []domain.Deadline {
	const key, command = "expiry", "order.expire_request"
	switch e := e.(type) {
	case Created:
		if !e.Details.ExpiresAt.IsZero() {
			return []domain.Deadline{{Key: key, Due: e.Details.ExpiresAt, Command: command}}
		}
	case DetailsUpdated:
		if !e.Details.ExpiresAt.IsZero() {
			return []domain.Deadline{{Key: key, Due: e.Details.ExpiresAt, Command: command}}
		}
	case Imported:
		if (e.Phase == Draft || e.Phase == Open || e.Phase == OffersReceived || e.Phase == Negotiating) && !e.Details.ExpiresAt.IsZero() {
			return []domain.Deadline{{Key: key, Due: e.Details.ExpiresAt, Command: command}}
		}
		return []domain.Deadline{{Key: key, Cancel: true}}
	case Completed, Cancelled, Expired:
		return []domain.Deadline{{Key: key, Cancel: true}}
	}
	return nil
}
