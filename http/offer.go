package http

import (
	"context"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/request"
)

const offersPath = "/api/marketplace/offers"

func offerRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, errors ...string) Route {
		return Route{Method: method, Path: offersPath + rest, Roles: roles, Class: Command, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	selecting := []string{"OFFER_NOT_SELECTABLE", "OFFER_REVISION_STALE", "ALREADY_SELECTED", "OFFER_EXPIRED"}
	submit := route("POST", "", "Make an offer", seller, "OFFER_EXISTS", "REQUEST_NOT_OPEN", "OWN_REQUEST", "NOT_INVITED")
	submit.Status = 201
	below := submit
	below.Path, below.Aliases = requestsPath+"/{id}/offers", requestAliases("/{id}/offers")
	accept := route("POST", "/{id}/accept", "Take the offer: its hold is opened", buyer, selecting...)
	accept.Money = true
	return []Route{
		on[submitOfferInput, order.OfferAnswer](submit, (*Server).submitOffer),
		on[submitBelowInput, order.OfferAnswer](below, (*Server).submitOfferBelow),
		on[reviseOfferInput, order.OfferAnswer](route("PATCH", "/{id}", "Change the terms: a new revision", seller, "OFFER_LOCKED"), (*Server).reviseOffer),
		on[reviseOfferInput, order.OfferAnswer](route("PUT", "/{id}", "As PATCH", seller, "OFFER_LOCKED"), (*Server).reviseOffer),
		on[withdrawOfferInput, order.OfferAnswer](route("POST", "/{id}/withdraw", "Take it back", seller, "OFFER_LOCKED"), (*Server).withdrawOffer),
		on[offerInput, order.OfferAnswer](route("DELETE", "/{id}", "As withdraw", seller, "OFFER_LOCKED"), (*Server).deleteOffer),
		on[counterInput, order.OfferAnswer](route("POST", "/{id}/counter", "Propose other terms", buyer, "COUNTER_OPEN"), (*Server).counterOffer),
		on[offerInput, order.OfferAnswer](route("POST", "/{id}/counter/accept", "Agree to the buyer's terms: a new revision", seller, "COUNTER_EXPIRED"), (*Server).acceptCounter),
		on[offerInput, order.OfferAnswer](route("POST", "/{id}/counter/decline", "Stay with the own terms", seller, "COUNTER_EXPIRED"), (*Server).declineCounter),
		on[acceptOfferInput, order.SelectionAnswer](accept, (*Server).acceptOffer),
		on[rejectOfferInput, order.OfferAnswer](route("POST", "/{id}/reject", "Not this one", buyer), (*Server).rejectOffer),
	}
}

// offerFor gives an offer that the caller may see: its seller, the request's buyer, an admin.
func (s *Server) offerFor(ctx context.Context, c *call, id string) (offer.State, error) {
	state, _, err := stateOf(ctx, s, offer.Decider, id)
	if err == nil && !c.sees(OfOffer, state.Seller, state.Buyer) {
		err = fault.ErrNotFound
	}
	return state, err
}

func (s *Server) onOffer(ctx context.Context, c *call, id string, f func(domain.OfferID, offer.State) (flow, error)) (reply, error) {
	state, err := s.offerFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	command, err := f(domain.OfferID(id), state)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(offer.Decider, domain.OfferID(id)), command)
}

type submitOfferInput struct {
	Body struct {
		RequestID string `json:"purchaseRequestId" maxLength:"36"`
		OfferIn
	}
}

type submitBelowInput struct {
	ID   string `path:"id"`
	Body OfferIn
}

func (s *Server) submitOffer(ctx context.Context, c *call, in *submitOfferInput) (reply, error) {
	if !wellFormedID(in.Body.RequestID) {
		return reply{}, errInvalidID.At("purchaseRequestId", "expected a UUID or 24 hex digits")
	}
	return s.submit(ctx, c, strings.ToLower(in.Body.RequestID), in.Body.OfferIn)
}

func (s *Server) submitOfferBelow(ctx context.Context, c *call, in *submitBelowInput) (reply, error) {
	return s.submit(ctx, c, in.ID, in.Body)
}

func (s *Server) submit(ctx context.Context, c *call, id string, in OfferIn) (reply, error) {
	state, _, err := stateOf(ctx, s, request.Decider, id)
	if err != nil {
		return reply{}, err
	}
	if state.Phase == request.Draft && state.Buyer != c.user() {
		return reply{}, fault.ErrNotFound
	}
	terms, err := s.offerTerms(c, in)
	if err != nil {
		return reply{}, err
	}
	f := order.SubmitOffer{Issue: c.issue(), Offer: domain.OfferID(c.newID("offer")), Request: domain.RequestID(id), Seller: c.user(), Terms: terms}
	return s.run(ctx, c, of(offer.Decider, f.Offer), f)
}

type reviseOfferInput struct {
	ID   string `path:"id"`
	Body struct {
		Title        string      `json:"title,omitempty" minLength:"1" maxLength:"200" pattern:"\\S"`
		Description  string      `json:"description,omitempty" maxLength:"1000"`
		Price        *PriceIn    `json:"price,omitempty"`
		DeliveryTime *DurationIn `json:"deliveryTime,omitempty"`
		ValidUntil   time.Time   `json:"validUntil,omitempty"`
		Notes        string      `json:"notes,omitempty" maxLength:"1000"`
	}
}

func (s *Server) reviseOffer(ctx context.Context, c *call, in *reviseOfferInput) (reply, error) {
	return s.onOffer(ctx, c, in.ID, func(id domain.OfferID, o offer.State) (flow, error) {
		if c.user() != o.Seller {
			return nil, fault.ErrForbidden
		}
		terms, b := o.Terms, in.Body
		if b.Title != "" {
			terms.Title = b.Title
		}
		if b.Description != "" {
			terms.Description = c.about(b.Description)
		}
		if b.Notes != "" {
			terms.Notes = c.about(b.Notes)
		}
		if b.DeliveryTime != nil {
			terms.DeliveryTime = b.DeliveryTime.String()
		}
		if !b.ValidUntil.IsZero() {
			terms.ValidUntil = b.ValidUntil.UTC()
		}
		if b.Price != nil {
			p, err := s.price(*b.Price)
			if err != nil {
				return nil, err
			}
			terms.Price = p
		}
		return order.ReviseOffer{Issue: c.issue(), Offer: id, Terms: terms}, nil
	})
}

type offerInput struct {
	ID string `path:"id"`
}

type withdrawOfferInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Server) withdrawOffer(ctx context.Context, c *call, in *withdrawOfferInput) (reply, error) {
	return s.withdraw(ctx, c, in.ID, in.Body.Reason)
}

func (s *Server) deleteOffer(ctx context.Context, c *call, in *offerInput) (reply, error) {
	return s.withdraw(ctx, c, in.ID, "")
}

func (s *Server) withdraw(ctx context.Context, c *call, id, reason string) (reply, error) {
	return s.onOffer(ctx, c, id, func(id domain.OfferID, _ offer.State) (flow, error) {
		return order.WithdrawOffer{Issue: c.issue(), Offer: id, Reason: c.about(reason)}, nil
	})
}

type counterInput struct {
	ID   string `path:"id"`
	Body struct {
		Price        *PriceIn    `json:"price,omitempty"`
		DeliveryTime *DurationIn `json:"deliveryTime,omitempty"`
		Message      string      `json:"message" minLength:"1" maxLength:"1000"`
		ExpiresAt    time.Time   `json:"expiresAt"`
	}
}

func (s *Server) counterOffer(ctx context.Context, c *call, in *counterInput) (reply, error) {
	return s.onOffer(ctx, c, in.ID, func(id domain.OfferID, _ offer.State) (flow, error) {
		f := order.CounterOffer{
			Issue: c.issue(), Offer: id, Counter: c.newID("counter"), DeliveryTime: in.Body.DeliveryTime.String(),
			Message: c.about(in.Body.Message), ExpiresAt: in.Body.ExpiresAt.UTC(),
		}
		if in.Body.Price != nil {
			p, err := s.price(*in.Body.Price)
			if err != nil {
				return nil, err
			}
			f.Price = &p
		}
		return f, nil
	})
}

func (s *Server) acceptCounter(ctx context.Context, c *call, in *offerInput) (reply, error) {
	return s.onOffer(ctx, c, in.ID, func(id domain.OfferID, _ offer.State) (flow, error) {
		return order.AcceptCounter{Issue: c.issue(), Offer: id}, nil
	})
}

func (s *Server) declineCounter(ctx context.Context, c *call, in *offerInput) (reply, error) {
	return s.onOffer(ctx, c, in.ID, func(id domain.OfferID, _ offer.State) (flow, error) {
		return order.DeclineCounter{Issue: c.issue(), Offer: id}, nil
	})
}

type acceptOfferInput struct {
	ID   string `path:"id"`
	Body struct {
		Revision int `json:"revision" minimum:"1" doc:"The one you have looked at"`
	}
}

func (s *Server) acceptOffer(ctx context.Context, c *call, in *acceptOfferInput) (reply, error) {
	o, err := s.offerFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	return s.selectRevision(ctx, c, string(o.Request), o.ID, in.Body.Revision)
}

type rejectOfferInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Server) rejectOffer(ctx context.Context, c *call, in *rejectOfferInput) (reply, error) {
	return s.onOffer(ctx, c, in.ID, func(id domain.OfferID, o offer.State) (flow, error) {
		return order.RejectOffer{Issue: c.issue(), Offer: id, Reason: domain.About(o.Seller, in.Body.Reason)}, nil
	})
}
