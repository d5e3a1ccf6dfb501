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

// importTools are what taking documents needs beside the log.
type importTools struct {
	records *records.Records
}

// takers lists the collections that are imported, in the order in which they are: what others name
// comes before them. A new one is a line here and a function.
func (i importTools) takers() []legacyimport.Taker {
	return []legacyimport.Taker{
		i.categories(),
		i.purchaseRequests(),
	}
}

func (i importTools) categories() legacyimport.Taker {
	return legacyimport.Take(legacy.Categories, legacydb.Category, func(c legacy.Category) legacy.Found { return c.Found },
		func(_ context.Context, c legacy.Category, t legacyimport.Taking) (legacyimport.Step, error) {
			row := records.Category{ID: t.ID, Parent: t.Names(legacy.Categories, c.Parent), Name: c.Name, Slug: c.Slug, Active: c.Active}
			return legacyimport.Step{Rows: []eventstore.Row{i.records.Categories.Imported(row, c.Order)}, Alone: []string{legacy.Categories}}, nil
		})
}

func (i importTools) purchaseRequests() legacyimport.Taker {
	return legacyimport.Take(legacy.PurchaseRequests, legacydb.PurchaseRequest, func(r legacy.Request) legacy.Found { return r.Found },
		func(_ context.Context, r legacy.Request, t legacyimport.Taking) (legacyimport.Step, error) {
			s := legacyimport.Step{
				Flow:     legacy.TakeRequest{Issue: t.Issue, Document: r, Names: t.Names},
				Streams:  []domain.Stream{{Type: request.Decider.Category, ID: t.ID}},
				Subjects: []domain.UserID{domain.UserID(t.Names(legacy.Users, r.Buyer))},
			}
			if r.SelectedOffer != "" {
				s.Streams = append(s.Streams, domain.Stream{Type: offer.Decider.Category, ID: t.Names(legacy.SellerOffers, r.SelectedOffer)})
			}
			return s, nil
		}, legacyimport.Warm(request.Decider), legacyimport.Warm(offer.Decider))
}
