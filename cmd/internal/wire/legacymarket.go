package wire

import (
	"context"

	"holdfast/adapters/legacydb"
	"holdfast/adapters/records"
	"holdfast/domain"
	legacy "holdfast/domain/migration"
	"holdfast/domain/offer"
	"holdfast/domain/request"
	"holdfast/eventstore"
	"holdfast/reactors/legacyimport"
)

func (i importTools) categories() legacyimport.Taker {
	return legacyimport.Take(legacy.Categories, legacydb.Category, func(c legacy.Category) legacy.Found { return c.Found },
		func(_ context.Context, c legacy.Category, t legacyimport.Taking) (legacyimport.Step, error) {
			row := records.Category{ID: t.ID, Parent: t.Names(legacy.Categories, c.Parent), Name: c.Name, Slug: c.Slug, Active: c.Active}
			return legacyimport.Step{Rows: []eventstore.Row{i.records.Categories.Imported(row, c.Order)}, Alone: []string{"slug/" + c.Slug}}, nil
		})
}

func (i importTools) purchaseRequests() legacyimport.Taker {
	return legacyimport.Take(legacy.PurchaseRequests, legacydb.PurchaseRequest, func(r legacy.Request) legacy.Found { return r.Found },
		func(_ context.Context, r legacy.Request, t legacyimport.Taking) (legacyimport.Step, error) {
			s := legacyimport.Step{
				Flow:     legacy.TakeRequest{Issue: t.Issue, Document: r, Names: t.Names, Escrow: i.money.policy.Escrow},
				Streams:  []domain.Stream{{Type: request.Decider.Category, ID: t.ID}},
				Subjects: []domain.UserID{domain.UserID(t.Names(legacy.Users, r.Buyer))},
			}
			if r.SelectedOffer != "" {
				s.Streams = append(s.Streams, domain.Stream{Type: offer.Decider.Category, ID: t.Names(legacy.SellerOffers, r.SelectedOffer)})
			}
			return s, nil
		}, legacyimport.Warm(request.Decider), legacyimport.Warm(offer.Decider))
}

func (i importTools) sellerOffers() legacyimport.Taker {
	return legacyimport.Take(legacy.SellerOffers, legacydb.SellerOffer(i.currencies), func(o legacy.Offer) legacy.Found { return o.Found },
		func(_ context.Context, o legacy.Offer, t legacyimport.Taking) (legacyimport.Step, error) {
			id := t.Names(legacy.PurchaseRequests, o.Request)
			return legacyimport.Step{
				Flow:     legacy.TakeOffer{Issue: t.Issue, Document: o, Names: t.Names, Escrow: i.money.policy.Escrow},
				Streams:  []domain.Stream{{Type: offer.Decider.Category, ID: t.ID}, {Type: request.Decider.Category, ID: id}},
				Alone:    []string{id}, // the offers of one request are told to it one after the other
				Subjects: []domain.UserID{domain.UserID(t.Names(legacy.Users, o.Seller))},
			}, nil
		}, legacyimport.Warm(offer.Decider), legacyimport.Warm(request.Decider))
}
