package order

import "holdfast/domain"

// Flow is one command over one or several streams.
type Flow interface {
	Run(u *domain.Unit) (any, error)
}

// Due builds the flow of a deadline of this slice's streams; ok is false for a command that
// is not this slice's. A stale timer leads to a harmless refusal.
func Due(command string, s domain.Stream, i domain.Issue) (f Flow, ok bool) {
	switch command {
	case "order.expire_request":
		return ExpireRequest{Issue: i, Request: domain.RequestID(s.ID)}, true
	case "order.expire_offer":
		return ExpireOffer{Issue: i, Offer: domain.OfferID(s.ID)}, true
	case "order.lapse_counter":
		return LapseCounter{Issue: i, Offer: domain.OfferID(s.ID)}, true
	case "order.expire_quote":
		return ExpireQuote{Issue: i, Quote: domain.QuoteID(s.ID)}, true
	}
	return nil, false
}
