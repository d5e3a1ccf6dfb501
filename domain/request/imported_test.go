package request_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/request"
)

var (
	importer = domain.Machine(domain.Import, "legacy")
	document = domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa", CreatedAt: t0.Add(-48 * time.Hour), UpdatedAt: t0.Add(-24 * time.Hour)}
	// fromBefore is an order that was under way when it was imported.
	fromBefore = request.Imported{
		Legacy: document, Request: "q1", Buyer: "B1", Phase: request.ShippedPhase, Details: wish, Invited: []domain.UserID{"S1"},
		Selected: &request.Selected{Offer: "o1", Revision: 1, Seller: "S1", Hold: "h1", Price: price},
		Parcel:   &request.Parcel{Carrier: "DHL", Tracking: domain.About("B1", "123"), At: t0}, PublishedAt: t0,
	}
)

// taken is an imported request in a phase.
func taken(phase, hash string) request.Imported {
	e := fromBefore
	e.Phase, e.Hash, e.Parcel = phase, hash, nil
	if phase == request.Open {
		e.Selected = nil
	}
	return e
}

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e request.Imported) request.Import { return request.Import{Issue: by(importer), Fact: e} }
	open, changed := taken(request.Open, "aa"), taken(request.Open, "bb")
	unselected, ownOffer, nameless := taken(request.Processing, "aa"), taken(request.Processing, "aa"), open
	unselected.Selected = nil
	ownOffer.Selected = &request.Selected{Offer: "o1", Seller: "B1"}
	nameless.ObjectID = ""
	offer := request.OfferImported{Offer: "o1", Seller: "S1", Revision: 1, Price: price, Live: true}
	note := request.ImportOffer{Issue: by(importer), Fact: offer}
	pick := request.SelectOffer{Issue: by(buyer), Offer: "o1", Revision: 1, Seller: "S1", Hold: "h1", Price: price}
	machinetest.Run(t, request.Decider, []machinetest.Case[request.Event]{
		{Name: "a document", When: take(open), Then: events{open}},
		{Name: "the same again changes nothing", Given: events{open}, When: take(open)},
		{Name: "a changed one replaces it", Given: events{open}, When: take(changed), Then: events{changed}},
		{Name: "not once we have changed it", Given: events{open, received}, When: take(changed), Err: domain.ErrLegacyConflict},
		{Name: "the same is still nothing then", Given: events{open, received}, When: take(open)},
		{Name: "an imported offer is no change of ours", Given: events{open, offer}, When: take(changed), Then: events{changed}},
		{Name: "never over one that began here", Given: path(request.Open), When: take(open), Err: domain.ErrLegacyConflict},
		{Name: "nobody else imports", When: request.Import{Issue: by(buyer), Fact: open}, Err: fault.ErrForbidden},
		{Name: "an order without its offer", When: take(unselected), Err: fault.ErrValidation},
		{Name: "nobody sells to himself", When: take(ownOffer), Err: fault.ErrValidation},
		{Name: "a document without a name", When: take(nameless), Err: fault.ErrValidation},
		{Name: "its offers", Given: events{open}, When: note, Then: events{offer}},
		{Name: "each once", Given: events{open, offer}, When: note},
		{Name: "an imported offer can be selected", Given: events{open, offer}, When: pick, Then: events{selected}},
		{Name: "an imported request takes offers", Given: events{open}, When: request.ReceiveOffer{Issue: by(policy), Offer: "o1", Seller: "S1"}, Then: events{received}},
		{Name: "goods that are on their way arrive", Given: events{fromBefore}, When: request.ConfirmDelivery{Issue: by(buyer)}, Then: events{request.DeliveryConfirmed{Method: "buyer", By: buyer, At: t0}}},
	})
	s := machinetest.Fold(request.Decider, events{open, offer, changed}...)
	if s.Phase != request.OffersReceived || s.Offers["o1"] != "S1" || s.Legacy != (domain.Snapshot{Hash: "bb"}) {
		t.Errorf("a document replaces all but the offers: %+v", s)
	}
	machinetest.CheckSnapshot(t, s)
}

func TestImportedRequestsExpire(t *testing.T) {
	t.Parallel()
	for phase, want := range map[string]domain.Deadline{
		request.Open:           {Key: "expiry", Due: wish.ExpiresAt, Command: "order.expire_request"},
		request.CompletedPhase: {Key: "expiry", Cancel: true},
	} {
		got := request.Deadlines(domain.Stream{}, taken(phase, "aa"))
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v", phase, got)
		}
	}
}
