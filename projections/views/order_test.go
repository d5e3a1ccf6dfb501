package views_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/request"
	"holdfast/domain/settlement"
	"holdfast/projections"
	"holdfast/projections/disputeview"
	"holdfast/projections/escrowview"
	"holdfast/projections/offerview"
	"holdfast/projections/paymentview"
	"holdfast/projections/requestview"
)

const (
	usdt  money.Asset = "USDT@56"
	buyer             = domain.UserID("bea")
	ann               = domain.UserID("ann") // sellers
	bob               = domain.UserID("bob")
)

var (
	asBuyer = domain.User(buyer, domain.Buyer)
	asAnn   = domain.User(ann, domain.Seller)
	asBob   = domain.User(bob, domain.Seller)
	chain   = domain.Machine(domain.Chain, "test")
)

func (w *world) request(id domain.RequestID, title string, min, max string, publish bool, invited ...domain.UserID) {
	w.Do(order.CreateRequest{Issue: w.By(asBuyer), Request: id, Buyer: buyer, Publish: publish, Invited: invited, Details: request.Details{
		Title: title, Description: domain.About(buyer, "as good as new, secretly"), CategoryID: "tools", Urgency: "low", Quantity: 1,
		DeliveryType: "physical", Delivery: domain.About(buyer, "Elm Street 1"), Budget: request.Budget{Min: min, Max: max, Currency: "USD"},
	}})
}

func (w *world) offer(id domain.OfferID, of domain.RequestID, by domain.Actor, units uint64) {
	w.Do(order.SubmitOffer{Issue: w.By(by), Offer: id, Request: of, Seller: by.User(), Terms: w.terms(by, units)})
}

func (w *world) terms(by domain.Actor, units uint64) offer.Terms {
	return offer.Terms{
		Title: "here it is", Description: domain.About(by.User(), "mint"), ValidUntil: w.Now().Add(time.Hour), DeliveryTime: "2 days", RequestRevision: 1,
		Price: offer.Price{Amount: money.Of(usdt, money.FromUint64(units)), Currency: "USDT", Display: "1"},
	}
}

// funded brings an order to Processing: ann's offer of 1000 is selected and paid.
func (w *world) funded() {
	w.request("r1", "A drill", "5", "20", true)
	w.offer("o1", "r1", asAnn, 1200)
	w.offer("o2", "r1", asBob, 1100)
	w.Do(order.CounterOffer{
		Issue: w.By(asBuyer), Offer: "o1", Counter: "c1", ExpiresAt: w.Now().Add(time.Hour), Message: domain.About(buyer, "too dear"),
		Price: &offer.Price{Amount: money.Of(usdt, money.FromUint64(1000)), Currency: "USDT", Display: "1"},
	})
	w.Do(order.AcceptCounter{Issue: w.By(asAnn), Offer: "o1"})
	w.Do(order.SelectOffer{
		Issue: w.By(asBuyer), Request: "r1", Offer: "o1", Revision: 2, Hold: "h1",
		Terms: escrow.Terms{FeeBPS: 250, Inspection: time.Hour, AutoRelease: time.Hour, DisputeWindow: 24 * time.Hour},
	})
	w.Do(funding.InitiatePayment{
		Issue: w.By(asBuyer), Payment: "p1", Request: "r1", Offer: "o1", Asset: usdt, ExpiresAt: w.Now().Add(time.Hour),
		Threshold:   payment.Threshold{Need: 3, Floor: 3},
		Destination: funding.Destination{ID: "d1", Fingerprint: "f", Index: 1, Path: "m/1", Address: "0xABCdef", Token: "0xT", Chain: 56},
		Intent:      funding.Intent{Provider: "request-network", RequestID: "rn-1", Reference: "0x00112233445566AA", Topic: "0x1", Proxy: "0xP"},
	})
	w.Do(funding.ReportTransaction{Issue: w.By(asBuyer), Payment: "p1", Tx: "0xF1"})
	at := payment.Evidence{Chain: 56, Tx: "0xf1", Log: 2, Block: 100, BlockHash: "0xb100"}
	w.Do(funding.RecordTransfer{Issue: w.By(chain), Payment: "p1", Evidence: at, Amount: money.Of(usdt, money.FromUint64(1000)), From: "0xbea"})
	w.Do(funding.ConfirmTransfer{Issue: w.By(chain), Payment: "p1", Evidence: at, Depth: 3})
	w.caughtUp()
}

func TestAnOrderAsItsReadersSeeIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.funded()
	ctx := t.Context()

	r, err := w.views.Requests.Get(ctx, "r1")
	require.NoError(t, err)
	require.Equal(t, "processing", r.Doc.LegacyStatus)
	require.Equal(t, "as good as new, secretly", r.Doc.Details.Description.Text)
	require.Equal(t, ann, r.Doc.Seller())
	require.NotNil(t, r.Doc.FundedAt)
	for _, row := range w.dump("requests") {
		require.NotContains(t, row, "secretly")
	}
	same, err := w.views.Requests.OfHold(ctx, "h1")
	require.NoError(t, err)
	require.Equal(t, r, same)

	o, err := w.views.Offers.Get(ctx, "o1")
	require.NoError(t, err)
	require.Equal(t, []string{"", "c1"}, []string{o.Doc.Revisions[0].Counter, o.Doc.Revisions[1].Counter})
	require.Equal(t, "accepted", o.Doc.Counters[0].Outcome)
	require.Equal(t, "too dear", o.Doc.Counters[0].Message.Text)
	all, err := w.views.Offers.OfRequest(ctx, "r1", "")
	require.NoError(t, err)
	require.Len(t, all, 2)
	own, err := w.views.Offers.List(ctx, offerview.Filter{Seller: bob}, projections.Page{})
	require.NoError(t, err)
	require.Len(t, own.Rows, 1)

	p, err := w.views.Payments.Get(ctx, "p1")
	require.NoError(t, err)
	require.Equal(t, payment.PaidPhase, p.Doc.Phase)
	require.Equal(t, "completed", p.Doc.LegacyStatus)
	require.Equal(t, []string{"0xf1"}, p.Doc.Txs)
	for name, find := range map[string]func() (paymentview.Row, error){
		"provider request": func() (paymentview.Row, error) { return w.views.Payments.ByProviderRequest(ctx, "rn-1") },
		"reference":        func() (paymentview.Row, error) { return w.views.Payments.ByReference(ctx, "0x00112233445566aa") },
		"address":          func() (paymentview.Row, error) { return w.views.Payments.ByAddress(ctx, "0xabcDEF") },
	} {
		found, err := find()
		require.NoError(t, err, name)
		require.Equal(t, p, found, name)
	}
	_, err = w.views.Payments.ByReference(ctx, "")
	require.ErrorIs(t, err, fault.ErrNotFound)
	in, err := w.views.Payments.ByTransaction(ctx, "0xF1")
	require.NoError(t, err)
	require.Len(t, in, 1)
	paid, err := w.views.Payments.List(ctx, paymentview.Filter{Party: ann, EscrowState: "funded", From: w.Now().AddDate(-1, 0, 0)}, projections.Page{})
	require.NoError(t, err)
	require.Len(t, paid.Rows, 1)
	stats, err := w.views.Payments.Stats(ctx, paymentview.Filter{Buyer: buyer})
	require.NoError(t, err)
	require.Equal(t, []paymentview.Stat{{Asset: usdt, Phase: payment.PaidPhase, LegacyStatus: "completed", Count: 1, Due: money.FromUint64(1000)}}, stats)

	h, err := w.views.Holds.Latest(ctx, "r1")
	require.NoError(t, err)
	require.Equal(t, "funded", h.Doc.EscrowState)
	d, err := w.views.Destinations.OfPayment(ctx, "p1")
	require.NoError(t, err)
	require.Equal(t, "Funded", d.Doc.PhaseName)

	events, err := w.views.Timelines.OfOrder(ctx, "r1", 0, 1000)
	require.NoError(t, err)
	require.Equal(t, "request.created", events[0].Type)
	kinds := map[string]bool{}
	for _, e := range events {
		kinds[e.Stream.Type] = true
	}
	require.Equal(t, map[string]bool{"purchase_request": true, "seller_offer": true, "payment": true, "escrow_hold": true}, kinds)
	id, ok, err := w.views.Timelines.OrderOf(ctx, domain.Stream{Type: "payment", ID: "p1"})
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, "r1", id)
	w.rebuiltEqualsLive()
}

func TestADisputeAsItsReadersSeeIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.funded()
	ctx := t.Context()
	w.Do(settlement.OpenDispute{
		Issue: w.By(asBuyer), Dispute: "x1", Hold: "h1", Category: "not_as_described", Priority: "high",
		Reason: domain.About(buyer, "it is a spoon"), Amount: money.Of(usdt, money.FromUint64(1000)), Terms: dispute.StandardTerms(),
		Evidence: []dispute.Evidence{{ID: "e1", Kind: "text", Text: domain.About(buyer, "look")}},
	})
	w.caughtUp()
	d, err := w.views.Disputes.Get(ctx, "x1")
	require.NoError(t, err)
	require.Equal(t, "it is a spoon", d.Doc.Reason.Text)
	require.Equal(t, "look", d.Doc.Evidence[0].Text.Text)
	require.Equal(t, "pending", d.Doc.LegacyStatus)
	require.True(t, d.Doc.IsOpen)
	require.NotNil(t, d.Doc.DueAt)
	mine, err := w.views.Disputes.List(ctx, disputeview.Filter{Party: ann, OpenOnly: true, Unassigned: true}, projections.Page{Sort: disputeview.DueFirst})
	require.NoError(t, err)
	require.Len(t, mine.Rows, 1)
	stats, err := w.views.Disputes.Statistics(ctx, disputeview.Filter{}, w.Now().AddDate(1, 0, 0))
	require.NoError(t, err)
	require.Equal(t, disputeview.Statistics{
		Total: 1, Open: 1, Overdue: 1, ByPhase: map[string]int64{dispute.PhaseAwaitingResponse: 1},
		ByStatus: map[string]int64{"pending": 1}, ByCategory: map[string]int64{"not_as_described": 1},
	}, stats)
	h, err := w.views.Holds.Get(ctx, "h1")
	require.NoError(t, err)
	require.Equal(t, escrow.DisputedPhase, h.Doc.PhaseName)
	list, err := w.views.Holds.List(ctx, escrowview.Filter{Seller: ann, Phase: escrow.DisputedPhase}, projections.Page{})
	require.NoError(t, err)
	require.Len(t, list.Rows, 1)
	r, err := w.views.Requests.Get(ctx, "r1")
	require.NoError(t, err)
	require.EqualValues(t, "x1", r.Doc.Dispute)
	w.rebuiltEqualsLive()
}

func TestWhichRequestsASellerSees(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.funded() // r1: selected ann
	w.request("draft", "A draft", "1", "2", false, bob)
	w.request("open", "100% wool", "10", "30", true)
	w.request("gone", "Cancelled hat", "40", "50", true, bob)
	w.Do(order.CancelRequest{Issue: w.By(asBuyer), Request: "gone", Reason: "no"})
	w.caughtUp()
	ids := func(f requestview.Filter, sort projections.Sort) (all []string) {
		list, err := w.views.Requests.List(t.Context(), f, projections.Page{Sort: sort})
		require.NoError(t, err)
		for _, row := range list.Rows {
			all = append(all, row.ID)
		}
		return all
	}
	require.Equal(t, []string{"open", "r1"}, ids(requestview.Filter{VisibleTo: ann}, projections.Newest))
	require.Equal(t, []string{"gone", "open"}, ids(requestview.Filter{VisibleTo: bob}, projections.Newest))
	require.Equal(t, []string{"open"}, ids(requestview.Filter{VisibleTo: "carl"}, projections.Newest))
	require.Equal(t, []string{"open"}, ids(requestview.Filter{Search: "100% W"}, projections.Newest))
	require.Empty(t, ids(requestview.Filter{Search: "100_"}, projections.Newest))
	require.Equal(t, []string{"draft", "r1", "open", "gone"}, ids(requestview.Filter{Buyer: buyer}, requestview.CheapestFirst))
	require.Equal(t, []string{"gone", "open"}, ids(requestview.Filter{BudgetMin: "25"}, projections.Newest))
	require.Equal(t, []string{"r1"}, ids(requestview.Filter{Buyer: buyer, BudgetMin: "5", BudgetMax: "9", Phase: request.Processing}, projections.Newest))
	for _, id := range []domain.RequestID{"r1", "draft", "open", "gone"} {
		row, err := w.views.Requests.Get(t.Context(), id)
		require.NoError(t, err)
		for _, seller := range []domain.UserID{ann, bob, "carl"} {
			require.Equal(t, row.Doc.Visible(seller), slices.Contains(ids(requestview.Filter{VisibleTo: seller}, projections.Newest), row.ID), "%s and %s", seller, id)
		}
	}
}
