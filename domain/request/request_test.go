package request_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/request"
)

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer  = domain.User("B1", domain.Buyer)
	seller = domain.User("S1", domain.Seller)
	other  = domain.User("S2", domain.Seller)
	admin  = domain.User("A1", domain.Admin)
	timer  = domain.Machine(domain.Timer, "timers")
	policy = domain.Machine(domain.Process, "orders")
	price  = money.Of("USDC@8453", money.FromUint64(100))
	code   = []byte("0123456789abcdef")
)

type events = []request.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }
func at(a domain.Actor, d time.Duration) domain.Issue {
	return domain.Issue{By: a, At: t0.Add(d)}
}

var (
	wish = request.Details{
		Title: "a lamp", Description: domain.About("B1", "a lamp for reading"), CategoryID: "c1", ProductType: "lamp", Quantity: 1,
		Budget: request.Budget{Min: "10", Max: "20.5", Currency: "EUR"}, Urgency: "low", DeliveryType: "physical",
		Delivery: domain.About("B1", "Main St 1"), Specifications: []request.Spec{{Key: "colour", Value: "red"}}, ExpiresAt: t0.Add(24 * time.Hour),
	}
	created   = request.Created{Request: "q1", Buyer: "B1", Details: wish, Invited: []domain.UserID{"S1"}, At: t0}
	published = request.Published{At: t0}
	received  = request.OfferReceived{Offer: "o1", Seller: "S1"}
	second    = request.OfferReceived{Offer: "o2", Seller: "S2"}
	countered = request.NegotiationStarted{Offer: "o1"}
	selected  = request.OfferSelected{Offer: "o1", Revision: 1, Seller: "S1", Hold: "h1", Price: price}
	secured   = request.PaymentSecured{Hold: "h1"}
	shipped   = request.Shipped{Carrier: "DHL", Tracking: domain.About("B1", "123"), At: t0}
	issued    = request.DeliveryCodeIssued{MAC: code, ExpiresAt: t0.Add(time.Hour)}
	delivered = request.DeliveryConfirmed{Method: "code", By: seller, At: t0}
	again     = request.RevisionRequested{N: 1, Reason: domain.About("B1", "too dark")}
	flagged   = request.DisputeFlagged{Dispute: "d1"}
)

func path(phase string, more ...request.Event) events {
	market := events{created, published, received, second}
	order := append(market[:4:4], selected)
	all := map[string]events{
		"":                      nil,
		request.Draft:           {created},
		request.Open:            {created, published},
		request.OffersReceived:  market,
		request.Negotiating:     append(market[:4:4], countered),
		request.AwaitingPayment: order,
		request.Processing:      append(order[:5:5], secured),
		request.ShippedPhase:    append(order[:5:5], secured, shipped),
		request.DeliveredPhase:  append(order[:5:5], secured, shipped, delivered),
		request.CompletedPhase:  append(order[:5:5], secured, shipped, delivered, request.Completed{At: t0}),
		request.CancelledPhase:  append(order[:5:5], request.Cancelled{By: buyer, Reason: "r"}),
		request.ExpiredPhase:    {created, published, request.Expired{At: t0}},
	}[phase]
	return append(all[:len(all):len(all)], more...)
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]request.State{}
	for _, p := range request.Table().Phases {
		states[p] = machinetest.Fold(request.Decider, path(p)...)
	}
	for _, s := range []request.State{states[request.Draft], states[request.Negotiating], machinetest.Fold(request.Decider, path(request.Negotiating, selected, secured, issued, flagged)...)} {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, request.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, request.Aggregate(), created, published, received, countered, selected, secured, shipped, issued, delivered, again, flagged,
		request.DetailsUpdated{Revision: 2, Details: wish}, request.SellersInvited{Sellers: []domain.UserID{"S2"}}, request.OfferGone{Offer: "o1", Reason: "withdrawn"},
		request.NegotiationEnded{Offer: "o1"}, request.OfferSelectionReleased{Offer: "o1", Reason: "expired"}, request.PaymentLost{Hold: "h1", Reason: "reorg"},
		request.DeliveryCodeFailed{Attempt: 3}, request.DisputeUnflagged{Dispute: "d1"}, request.Completed{At: t0},
		request.Cancelled{By: buyer, Reason: "r"}, request.Expired{At: t0}, fromBefore,
		request.OfferImported{Offer: "o1", Seller: "S1", Revision: 1, Price: price, Live: true})
}

func TestTheWishHasLimits(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*request.Details){
		"no title":                func(d *request.Details) { d.Title = " " },
		"a long title":            func(d *request.Details) { d.Title = strings.Repeat("ü", 201) },
		"a short description":     func(d *request.Details) { d.Description.Text = "lamp" },
		"a long description":      func(d *request.Details) { d.Description.Text = strings.Repeat("x", 2001) },
		"no quantity":             func(d *request.Details) { d.Quantity = 0 },
		"another delivery":        func(d *request.Details) { d.DeliveryType = "pigeon" },
		"an end that is over":     func(d *request.Details) { d.ExpiresAt = t0 },
		"a budget upside down":    func(d *request.Details) { d.Budget.Min = "21" },
		"a budget that stalls":    func(d *request.Details) { d.Budget.Max = "1e30000000" },
		"a budget below zero":     func(d *request.Details) { d.Budget.Min = "-1" },
		"half a budget":           func(d *request.Details) { d.Budget.Min = "" },
		"too many specifications": func(d *request.Details) { d.Specifications = make([]request.Spec, 51) },
		"too many attachments":    func(d *request.Details) { d.Attachments = make([]string, 21) },
	} {
		d := wish
		spoil(&d)
		_, err := request.Decider.Decide(request.State{}, request.Create{Issue: by(buyer), Request: "q1", Buyer: "B1", Details: d})
		if f, ok := fault.From(err); !ok || f.Code != "VALIDATION_FAILED" {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := wish
	d.Title, d.Budget = strings.Repeat("ü", 200), request.Budget{}
	if _, err := request.Decider.Decide(request.State{}, request.Create{Issue: by(buyer), Request: "q1", Buyer: "B1", Details: d}); err != nil {
		t.Errorf("the limits themselves: %v", err)
	}
}

func TestTheMarket(t *testing.T) {
	t.Parallel()
	create := request.Create{Issue: by(buyer), Request: "q1", Buyer: "B1", Details: wish, Invited: []domain.UserID{"S1"}}
	stranger, self := create, create
	stranger.Issue = by(seller)
	self.Invited = []domain.UserID{"B1"}
	dearer, retitled := wish, wish
	dearer.Quantity = 2
	retitled.Title = "a red lamp"
	pick := request.SelectOffer{Issue: by(buyer), Offer: "o1", Revision: 1, Seller: "S1", Hold: "h1", Price: price}
	unknown, wrong := pick, pick
	unknown.Offer = "o9"
	wrong.Seller = "S2"
	machinetest.Run(t, request.Decider, []machinetest.Case[request.Event]{
		{Name: "created", When: create, Then: events{created}},
		{Name: "not in another's name", When: stranger, Err: fault.ErrForbidden},
		{Name: "nobody invites himself", When: self, Err: fault.ErrValidation},
		{Name: "published", Given: path(request.Draft), When: request.Publish{Issue: by(buyer)}, Then: events{published}},
		{Name: "not after its end", Given: path(request.Draft), When: request.Publish{Issue: at(buyer, 24*time.Hour)}, Err: fault.ErrInvalidState},
		{Name: "a draft takes no offers", Given: path(request.Draft), When: request.ReceiveOffer{Issue: by(policy), Offer: "o1", Seller: "S1"}, Err: request.ErrNotOpen},
		{Name: "nor does an order", Given: path(request.Processing), When: request.ReceiveOffer{Issue: by(policy), Offer: "o3", Seller: "S3"}, Err: request.ErrNotOpen},
		{Name: "a change that matters to a price", Given: path(request.OffersReceived), When: request.Update{Issue: by(buyer), Details: dearer}, Then: events{request.DetailsUpdated{Revision: 2, Details: dearer}}},
		{Name: "before there are offers it does not", Given: path(request.Open), When: request.Update{Issue: by(buyer), Details: dearer}, Then: events{request.DetailsUpdated{Revision: 1, Details: dearer}}},
		{Name: "nor does a title", Given: path(request.OffersReceived), When: request.Update{Issue: by(buyer), Details: retitled}, Then: events{request.DetailsUpdated{Revision: 1, Details: retitled}}},
		{Name: "an order is not changed", Given: path(request.Processing), When: request.Update{Issue: by(buyer), Details: dearer}, Err: request.ErrLocked},
		{Name: "not by another", Given: path(request.Open), When: request.Update{Issue: by(seller), Details: dearer}, Err: fault.ErrForbidden},
		{Name: "invited once", Given: path(request.Open), When: request.Invite{Issue: by(buyer), Sellers: []domain.UserID{"S1", "S2", "S2"}}, Then: events{request.SellersInvited{Sellers: []domain.UserID{"S2"}}}},
		{Name: "selected", Given: path(request.OffersReceived), When: pick, Then: events{selected}},
		{Name: "a second selection", Given: path(request.AwaitingPayment), When: pick, Err: request.ErrAlreadySelected},
		{Name: "an offer that is gone", Given: path(request.OffersReceived, request.OfferGone{Offer: "o1"}), When: pick, Err: request.ErrNotSelectable},
		{Name: "an unknown offer", Given: path(request.OffersReceived), When: unknown, Err: request.ErrNotSelectable},
		{Name: "another seller's offer", Given: path(request.OffersReceived), When: wrong, Err: request.ErrNotSelectable},
		{Name: "the seller does not select", Given: path(request.OffersReceived), When: request.SelectOffer{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "released", Given: path(request.AwaitingPayment), When: request.ReleaseSelection{Issue: by(timer), Reason: "expired"}, Then: events{request.OfferSelectionReleased{Offer: "o1", Reason: "expired"}}},
		{Name: "expired", Given: path(request.OffersReceived), When: request.Expire{Issue: at(timer, 24*time.Hour)}, Then: events{request.Expired{At: t0.Add(24 * time.Hour)}}},
		{Name: "not early", Given: path(request.Open), When: request.Expire{Issue: by(timer)}, Err: fault.ErrInvalidState},
		{Name: "never an order", Given: path(request.AwaitingPayment), When: request.Expire{Issue: at(timer, 24*time.Hour)}, Err: fault.ErrInvalidState},
	})
}

func TestTheOrder(t *testing.T) {
	t.Parallel()
	ship := request.MarkShipped{Issue: by(seller), Carrier: "DHL", Tracking: shipped.Tracking, Funded: true}
	unfunded, watched, stranger := ship, ship, ship
	unfunded.Funded = false
	watched.AMLHold = true
	stranger.Issue = by(other)
	try := func(mac string, d time.Duration) request.VerifyCode {
		return request.VerifyCode{Issue: at(seller, d), MAC: []byte(mac)}
	}
	coded := func(failures ...request.Event) events {
		return path(request.ShippedPhase, append(events{issued}, failures...)...)
	}
	fail := func(n int) request.Event { return request.DeliveryCodeFailed{Attempt: n} }
	revise := request.RequestRevision{Issue: by(buyer), Reason: again.Reason, InspectionTo: t0.Add(time.Hour)}
	over := revise
	over.Issue = at(buyer, time.Hour)
	machinetest.Run(t, request.Decider, []machinetest.Case[request.Event]{
		{Name: "secured", Given: path(request.AwaitingPayment), When: request.SecurePayment{Issue: by(policy), Hold: "h1"}, Then: events{secured}},
		{Name: "lost", Given: path(request.Processing), When: request.LosePayment{Issue: by(policy), Hold: "h1", Reason: "reorg"}, Then: events{request.PaymentLost{Hold: "h1", Reason: "reorg"}}},
		{Name: "goods on their way are not called back", Given: path(request.ShippedPhase), When: request.LosePayment{Issue: by(policy), Hold: "h1"}},
		{Name: "shipped", Given: path(request.Processing), When: ship, Then: events{shipped}},
		{Name: "not unpaid", Given: path(request.Processing), When: unfunded, Err: request.ErrNotFunded},
		{Name: "not before the money is there", Given: path(request.AwaitingPayment), When: ship, Err: request.ErrNotFunded},
		{Name: "not under an aml hold", Given: path(request.Processing), When: watched, Err: request.ErrNotFunded},
		{Name: "not by a seller who was not selected", Given: path(request.Processing), When: stranger, Err: fault.ErrForbidden},
		{Name: "the code", Given: coded(), When: try(string(code), 0), Then: events{delivered}},
		{Name: "a wrong code is counted", Given: coded(), When: try("wrong", 0), Then: events{request.DeliveryCodeFailed{Attempt: 1}}},
		{Name: "the fifth still is", Given: coded(fail(4)), When: try("wrong", 0), Then: events{request.DeliveryCodeFailed{Attempt: 5}}},
		{Name: "then it is locked, even for the right one", Given: coded(fail(5)), When: try(string(code), 0), Err: request.ErrCodeLocked},
		{Name: "a new code opens it", Given: coded(fail(5), issued), When: try(string(code), 0), Then: events{delivered}},
		{Name: "its time is over", Given: coded(), When: try(string(code), time.Hour), Err: request.ErrCodeExpired},
		{Name: "there is none", Given: path(request.ShippedPhase), When: try(string(code), 0), Err: request.ErrCodeExpired},
		{Name: "the buyer does not give it", Given: coded(), When: request.VerifyCode{Issue: by(buyer), MAC: code}, Err: fault.ErrForbidden},
		{Name: "the seller issues none", Given: path(request.ShippedPhase), When: request.IssueCode{Issue: by(seller), MAC: code, ExpiresAt: t0.Add(time.Hour)}, Err: fault.ErrForbidden},
		{Name: "a short MAC is none", Given: path(request.ShippedPhase), When: request.IssueCode{Issue: by(buyer), MAC: code[:15], ExpiresAt: t0.Add(time.Hour)}, Err: fault.ErrValidation},
		{Name: "the buyer confirms", Given: path(request.ShippedPhase), When: request.ConfirmDelivery{Issue: by(buyer)}, Then: events{request.DeliveryConfirmed{Method: "buyer", By: buyer, At: t0}}},
		{Name: "the seller does not", Given: path(request.ShippedPhase), When: request.ConfirmDelivery{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "an admin needs a reason", Given: path(request.ShippedPhase), When: request.ConfirmDelivery{Issue: by(admin)}, Err: fault.ErrValidation},
		{Name: "revision", Given: path(request.DeliveredPhase), When: revise, Then: events{again}},
		{Name: "within the inspection", Given: path(request.DeliveredPhase), When: over, Err: request.ErrRevisionLimit},
		{Name: "three times", Given: path(request.DeliveredPhase, request.RevisionRequested{N: 3}, delivered), When: revise, Err: request.ErrRevisionLimit},
		{Name: "another dispute's mark stays", Given: path(request.ShippedPhase, flagged), When: request.UnflagDispute{Issue: by(policy), Dispute: "d2"}},
		{Name: "cancelled", Given: path(request.AwaitingPayment), When: request.Cancel{Issue: by(buyer), Reason: "r"}, Then: events{request.Cancelled{By: buyer, Reason: "r"}}},
		{Name: "a funded one only with its refund", Given: path(request.Processing), When: request.Cancel{Issue: by(seller)}, Err: request.ErrRefundRequired},
		{Name: "not by a seller who was not selected either", Given: path(request.OffersReceived), When: request.Cancel{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "not once it is shipped", Given: path(request.ShippedPhase), When: request.Cancel{Issue: by(buyer), Refund: true}, Err: fault.ErrInvalidState},
		{Name: "completed", Given: path(request.DeliveredPhase), When: request.Complete{Issue: by(policy)}, Then: events{request.Completed{At: t0}}},
		{Name: "completed once", Given: path(request.CompletedPhase), When: request.Complete{Issue: by(policy)}},
	})
}

// backward are the arrows of domain.md §2.4 that lead back; all others lead forward.
var backward = map[[2]string]bool{
	{request.Negotiating, request.OffersReceived}: true, {request.AwaitingPayment, request.OffersReceived}: true,
	{request.Processing, request.AwaitingPayment}: true, {request.DeliveredPhase, request.ShippedPhase}: true,
	// The last offer is gone: nothing is drawn for it, but no order was begun.
	{request.OffersReceived, request.Open}: true, {request.Negotiating, request.Open}: true,
}

func TestOneSelectionAndNoWayBack(t *testing.T) {
	t.Parallel()
	phases := request.Table().Phases
	rapid.Check(t, func(t *rapid.T) {
		s := request.State{}
		for range rapid.IntRange(10, 80).Draw(t, "steps") {
			n := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "offer")
			id, who := domain.OfferID("o"+n), domain.UserID("S"+n)
			actor := by(domain.User(who, domain.Seller))
			own := by(policy)
			c := rapid.SampledFrom([]domain.Command{
				request.Create{Issue: by(buyer), Request: "q1", Buyer: "B1", Details: wish},
				request.Publish{Issue: by(buyer)},
				request.Update{Issue: by(buyer), Details: wish},
				request.Invite{Issue: by(buyer), Sellers: []domain.UserID{who}},
				request.ReceiveOffer{Issue: own, Offer: id, Seller: who},
				request.LoseOffer{Issue: own, Offer: id},
				request.StartNegotiation{Issue: own, Offer: id},
				request.EndNegotiation{Issue: own, Offer: id},
				request.SelectOffer{Issue: by(buyer), Offer: id, Revision: 1, Seller: who, Hold: domain.HoldID("h" + n), Price: price},
				request.ReleaseSelection{Issue: own},
				request.SecurePayment{Issue: own, Hold: "h1"},
				request.LosePayment{Issue: own, Hold: "h1"},
				request.MarkShipped{Issue: actor, Funded: true},
				request.IssueCode{Issue: by(buyer), MAC: code, ExpiresAt: t0.Add(time.Hour)},
				request.VerifyCode{Issue: actor, MAC: code},
				request.VerifyCode{Issue: actor, MAC: []byte("wrong")},
				request.ConfirmDelivery{Issue: by(buyer)},
				request.RequestRevision{Issue: by(buyer)},
				request.FlagDispute{Issue: own, Dispute: "d1"},
				request.UnflagDispute{Issue: own, Dispute: "d1"},
				request.Complete{Issue: own},
				request.Cancel{Issue: by(buyer), Refund: true},
				request.Expire{Issue: at(timer, 24*time.Hour)},
			}).Draw(t, "command")
			next, events, err := machinetest.Step(t, request.Table(), request.Decider, s, c)
			if err != nil || len(events) == 0 {
				continue
			}
			from, to := slices.Index(phases, s.Phase), slices.Index(phases, next.Phase)
			if to < from && !backward[[2]string{s.Phase, next.Phase}] {
				t.Fatalf("%T leads back from %q to %q", c, s.Phase, next.Phase)
			}
			switch next.Phase {
			case request.AwaitingPayment, request.Processing, request.ShippedPhase, request.DeliveredPhase, request.CompletedPhase:
				if next.Selected == nil || next.Selected.Seller == next.Buyer {
					t.Fatalf("%T: %q with the selection %+v", c, next.Phase, next.Selected)
				}
				if s.Selected != nil && *s.Selected != *next.Selected {
					t.Fatalf("%T: the selection changed from %+v to %+v", c, s.Selected, next.Selected)
				}
			case request.Draft, request.Open, request.OffersReceived, request.Negotiating:
				if next.Selected != nil {
					t.Fatalf("%T: %q with the selection %+v", c, next.Phase, next.Selected)
				}
			}
			if next.Code != nil && next.Code.Failures > request.CodeAttempts {
				t.Fatalf("%d wrong codes were counted", next.Code.Failures)
			}
			s = next
		}
	})
}
