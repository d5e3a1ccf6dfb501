package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/offer"
	"holdfast/projections"
	"holdfast/projections/offerview"
)

func offerQueries() []Route {
	route := func(rest, summary string, roles []domain.Capacity) Route {
		return Route{Method: "GET", Path: offersPath + rest, Roles: roles, Class: Query, Rate: RateGeneral, Views: []string{offerview.Name}, Summary: summary}
	}
	return []Route{
		on[listOffersInput, []OfferOut](route("", "Offers: a seller's own, those to a buyer's requests, all for an admin", Any), (*Server).listOffers),
		on[listOffersInput, []OfferOut](route("/mine", "The own offers", seller), (*Server).myOffers),
		on[offersToInput, []OfferOut](route("/request/{requestId}", "Offers to a request", Any), (*Server).offersTo),
		on[offerInput, OfferOut](route("/{id}", "An offer", Any), (*Server).getOffer),
		on[offerInput, []RevisionOut](route("/{id}/history", "Every revision it went through", Any), (*Server).offerHistory),
	}
}

// OfferOut is an offer as its parties see it.
type OfferOut struct {
	ID           domain.OfferID   `json:"id"`
	Version      int64            `json:"version"`
	RequestID    domain.RequestID `json:"purchaseRequestId"`
	SellerID     domain.UserID    `json:"sellerId"`
	Status       string           `json:"status" doc:"The original's word"`
	State        string           `json:"state"`
	Revision     int              `json:"revision"`
	Title        string           `json:"title"`
	Description  string           `json:"description,omitempty"`
	Price        offer.Price      `json:"price"`
	DeliveryTime string           `json:"deliveryTime,omitempty"`
	ValidUntil   *time.Time       `json:"validUntil,omitempty"`
	Notes        string           `json:"notes,omitempty"`
	Counter      *CounterOut      `json:"counter,omitempty" doc:"The open counter-offer"`
	CreatedAt    time.Time        `json:"createdAt"`
	UpdatedAt    time.Time        `json:"updatedAt"`
}

// CounterOut is a buyer's counter-offer.
type CounterOut struct {
	ID           string       `json:"id"`
	Price        *offer.Price `json:"price,omitempty"`
	DeliveryTime string       `json:"deliveryTime,omitempty"`
	Message      string       `json:"message"`
	ExpiresAt    time.Time    `json:"expiresAt"`
}

func offerOut(row offerview.Row) OfferOut {
	d := row.Doc
	out := OfferOut{
		ID: d.ID, Version: row.Version, RequestID: d.Request, SellerID: d.Seller, Status: d.LegacyStatus, State: d.Phase, Revision: d.Revision,
		Title: d.Terms.Title, Description: textOf(d.Terms.Description), Price: d.Terms.Price, DeliveryTime: d.Terms.DeliveryTime,
		ValidUntil: timeOf(d.Terms.ValidUntil), Notes: textOf(d.Terms.Notes), CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if n := d.Counter; n != nil {
		out.Counter = &CounterOut{ID: n.Counter, Price: n.Price, DeliveryTime: n.DeliveryTime, Message: textOf(n.Message), ExpiresAt: n.ExpiresAt.UTC()}
	}
	return out
}

type listOffersInput struct {
	Page
	Status string `query:"status" enum:"Submitted,Countered,Accepted,Rejected,Superseded,Withdrawn,Expired,Fulfilled,Voided"`
}

func (s *Server) listOffers(ctx context.Context, c *call, in *listOffersInput) (reply, error) {
	f := offerview.Filter{Phase: in.Status}
	switch {
	case c.has(domain.Admin):
	default: // who is both sees the offers made and those received
		f.Party = c.user()
	}
	return s.offers(ctx, f, in.Page)
}

func (s *Server) myOffers(ctx context.Context, c *call, in *listOffersInput) (reply, error) {
	return s.offers(ctx, offerview.Filter{Phase: in.Status, Seller: c.user()}, in.Page)
}

func (s *Server) offers(ctx context.Context, f offerview.Filter, page Page) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.Offers.List(ctx, f, page.ask(projections.Newest))
	return listed(list, err, offerOut)
}

type offersToInput struct {
	RequestID string `path:"requestId"`
}

func (s *Server) offersTo(ctx context.Context, c *call, in *offersToInput) (reply, error) {
	return s.offersOfRequest(ctx, c, &requestInput{ID: in.RequestID})
}

func (s *Server) offerRow(ctx context.Context, c *call, id string) (offerview.Row, error) {
	v, err := s.views()
	if err != nil {
		return offerview.Row{}, err
	}
	row, err := v.Offers.Get(ctx, domain.OfferID(id))
	if err == nil && !c.sees(OfOffer, row.Doc.Seller, row.Doc.Buyer) {
		err = fault.ErrNotFound
	}
	return row, err
}

func (s *Server) getOffer(ctx context.Context, c *call, in *offerInput) (reply, error) {
	row, err := s.offerRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	return reply{data: offerOut(row), version: row.Version}, nil
}

// RevisionOut is what an offer said from one moment on.
type RevisionOut struct {
	Revision     int         `json:"revision"`
	Title        string      `json:"title"`
	Price        offer.Price `json:"price"`
	DeliveryTime string      `json:"deliveryTime,omitempty"`
	ValidUntil   *time.Time  `json:"validUntil,omitempty"`
	At           time.Time   `json:"at"`
	CounterID    string      `json:"counterId,omitempty" doc:"The counter-offer that became this revision"`
}

func (s *Server) offerHistory(ctx context.Context, c *call, in *offerInput) (reply, error) {
	row, err := s.offerRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	all := []RevisionOut{}
	for _, r := range row.Doc.Revisions {
		all = append(all, RevisionOut{
			Revision: r.N, Title: r.Terms.Title, Price: r.Terms.Price, DeliveryTime: r.Terms.DeliveryTime,
			ValidUntil: timeOf(r.Terms.ValidUntil), At: r.At.UTC(), CounterID: r.Counter,
		})
	}
	return reply{data: all, version: row.Version}, nil
}
