package http

import (
	"context"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/offer"
	"holdfast/eventstore"
)

// Happening is one event as people read it. What an event holds beside is shown by the
// resource it belongs to.
type Happening struct {
	Position int64     `json:"position"`
	At       time.Time `json:"at"`
	Type     string    `json:"type" example:"escrow.released"`
	What     string    `json:"what" example:"Escrow released"`
	By       string    `json:"by" enum:"buyer,seller,staff,system"`
}

type timelineInput struct {
	ID string `path:"id"`
	Page
}

func (s *Server) orderTimeline(ctx context.Context, c *call, in *timelineInput) (reply, error) {
	row, err := s.requestRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	d := row.Doc
	if !c.sees(OfRequest, d.Buyer, d.Seller()) {
		return reply{}, fault.ErrNotFound
	}
	after, err := readPositionCursor("timeline", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	events, err := s.deps.Views.Timeline.OfOrder(ctx, d.ID, after, in.Limit)
	if err != nil {
		return reply{}, err
	}
	seesAll := !c.is(d.Seller()) || c.has(domain.Admin)
	return happenings(events, in.Limit, d.Buyer, d.Seller(), func(r eventstore.Recorded) bool {
		foreign := r.Stream.Type == offer.Decider.Category && (d.Selected == nil || r.Stream.ID != string(d.Selected.Offer))
		return seesAll || !foreign
	}), nil
}

// happenings renders events for people; keep says which of them this caller may see.
func happenings(events []eventstore.Recorded, limit int, buyer, seller domain.UserID, keep func(eventstore.Recorded) bool) reply {
	all := []Happening{}
	var last int64
	for _, r := range events {
		last = r.Position
		if keep(r) {
			all = append(all, Happening{Position: r.Position, At: r.RecordedAt.UTC(), Type: r.Type, What: inWords(r.Type), By: part(r.Metadata.Actor, buyer, seller)})
		}
	}
	if len(events) < limit {
		last = 0
	}
	return reply{data: all, meta: nextPage("timeline", last)}
}

// part says who acted without naming anybody.
func part(a domain.Actor, buyer, seller domain.UserID) string {
	switch {
	case a.User() == "":
		return "system"
	case a.Is(buyer):
		return "buyer"
	case a.Is(seller):
		return "seller"
	case a.Has(domain.Admin) || a.Has(domain.Resolver) || a.Has(domain.Guard):
		return "staff"
	}
	return "seller" // a seller who was not selected
}

func inWords(eventType string) string {
	words := strings.NewReplacer(".", " ", "_", " ").Replace(eventType)
	return strings.ToUpper(words[:1]) + words[1:]
}
