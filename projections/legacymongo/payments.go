package legacymongo

import (
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/escrow"
	"holdfast/domain/payment"
	"holdfast/projections"
	"holdfast/projections/escrowview"
	"holdfast/projections/paymentview"
)

var paymentColumns = map[string]Column{
	"request": {Path: "request", Kind: "text"}, "hold": {Path: "hold", Kind: "text"}, "buyer": {Path: "buyer", Kind: "text"}, "seller": {Path: "seller", Kind: "text"},
	"phase": {Path: "phase", Kind: "text"}, "legacy_status": {Path: "legacy_status", Kind: "text"}, "exception": {Path: "exception", Kind: "text"},
	"asset": {Path: "due.asset", Kind: "text"}, "provider": {Path: "intent.provider", Kind: "text"}, "provider_request": {Path: "intent.request_id", Kind: "text"},
	"reference": {Path: "intent.reference", Kind: "lower"}, "address": {Path: "address", Kind: "lower"}, "txs": {Path: "txs", Kind: "list"},
	"unscreened": {Path: "unscreened", Kind: "bool"}, "in_review": {Path: "in_review", Kind: "bool"},
}

// payments is the collection of pay-ins.
func payments() Collection {
	return Collection{
		Name: "payments", Domain: Payment, Version: 1,
		Streams: []string{payment.Decider.Category}, Reads: []string{escrow.Decider.Category},
		View: paymentview.Name, Columns: paymentColumns, Render: renderPayment,
		About: "Pay-ins. Statistics must count `confirmed` and `completed`: a payment is `confirmed` from its last confirmation until its hold is funded. `escrowState` is that of the payment's hold.",
		Fields: []Field{
			{"purchaseRequestId", "ObjectId → purchaserequests", "payment.initiated"},
			{"sellerOfferId", "ObjectId → selleroffers", "payment.initiated"},
			{"buyerId", "ObjectId → users", "payment.initiated"},
			{"sellerId", "ObjectId → users", "payment.initiated"},
			{"amount", "{amount, currency, baseUnits, asset}, strings", "payment.initiated"},
			{"confirmedAmount", "the same", "payment.confirmed, payment.reorged"},
			{"provider", "string or null", "payment.intent_registered"},
			{"providerPaymentId", "string or null", "payment.intent_registered"},
			{"paymentReference", "string or null", "payment.intent_registered"},
			{"blockchain", "{chainId, receiver, tokenAddress, requiredConfirmations}", "payment.destination_assigned, payment.initiated"},
			{"transactionHash", "string or null: of the first transfer", "payment.detected"},
			{"transfers", "array of {transactionHash, logIndex, blockNumber, from, amount, confirmed}", "payment.detected, payment.confirmed, payment.reorged"},
			{"status", "pending, processing, confirmed, completed, failed, cancelled, refunded", "every event of the payment; funding and refunds of its hold"},
			{"escrowState", "funded, releasable, released, refunded, failed, cancelled, partial, or null", "every event of the hold"},
			{"paidAt", "date or null", "payment.paid"},
			{"expiresAt", "date", "payment.initiated"},
			{"failureReason", "string or null", "payment.cancelled, payment.failed"},
		},
	}
}

func renderPayment(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, paymentview.View(), paymentColumns, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	hold, held, missing := Row(r, escrowview.View(), string(d.Hold))
	named, err := r.refs(name{"purchaserequests", string(d.Request)}, name{"selleroffers", string(d.Offer)}, user(d.Buyer), user(d.Seller))
	if err == nil {
		err = missing
	}
	if err != nil {
		return nil, err
	}
	var provider, request, reference, escrowState, first any
	if d.Intent != nil {
		provider, request, reference = orNull(d.Intent.Provider), orNull(d.Intent.RequestID), orNull(d.Intent.Reference)
	}
	if held {
		escrowState = hold.Doc.EscrowState
	}
	if still(d, hold) {
		escrowState = orNull(d.Imported.EscrowState) // another payment counts, or nothing has happened yet
	}
	if held {
		part.columns = append(part.columns, bson.E{Key: "escrow_state", Value: hold.Doc.EscrowState})
	}
	transfers := bson.A{}
	for _, key := range slices.Sorted(maps.Keys(d.Transfers)) {
		t := d.Transfers[key]
		if first == nil {
			first = t.Evidence.Tx
		}
		transfers = append(transfers, bson.D{
			{Key: "transactionHash", Value: t.Evidence.Tx}, {Key: "logIndex", Value: int64(t.Evidence.Log)}, {Key: "blockNumber", Value: int64(t.Evidence.Block)}, //nolint:gosec // of a chain
			{Key: "from", Value: t.From}, {Key: "amount", Value: r.amount(t.Amount)}, {Key: "confirmed", Value: t.Confirmed},
		})
	}
	if first == nil && d.Imported != nil {
		first = orNull(d.Imported.Tx)
	}
	word := ""
	if d.Imported != nil {
		word = d.Imported.Currency
	}
	paid := d.Due
	paid.Units = d.Confirmed
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "purchaseRequestId", Value: named[0]},
		{Key: "sellerOfferId", Value: named[1]},
		{Key: "buyerId", Value: named[2]},
		{Key: "sellerId", Value: named[3]},
		{Key: "amount", Value: r.amountIn(d.Due, word)},
		{Key: "confirmedAmount", Value: r.amountIn(paid, word)},
		{Key: "provider", Value: provider},
		{Key: "providerPaymentId", Value: request},
		{Key: "paymentReference", Value: reference},
		{Key: "blockchain", Value: bson.D{
			{Key: "chainId", Value: int64(d.Chain)}, {Key: "receiver", Value: orNull(d.Address)}, {Key: "tokenAddress", Value: orNull(d.Token)}, {Key: "requiredConfirmations", Value: int64(d.Threshold.Need)}, //nolint:gosec // of a chain
		}},
		{Key: "transactionHash", Value: first},
		{Key: "transfers", Value: transfers},
		{Key: "status", Value: paymentStatus(d, hold)},
		{Key: "escrowState", Value: escrowState},
		{Key: "paidAt", Value: dateOf(d.PaidAt)},
		{Key: "expiresAt", Value: expiry(d)},
		{Key: "failureReason", Value: orNull(reason(d))},
	}, row.CreatedAt, later(row.UpdatedAt, hold.UpdatedAt))}, nil
}

// still reports that an imported payment is what its document says, and so is its hold; of a hold
// that another payment of the order stands for it has nothing to say.
func still(d paymentview.Doc, hold projections.Row[escrowview.Doc]) bool {
	h := hold.Doc
	return d.Untouched() && (h.Imported == nil || h.Imported.Payment != d.ID || h.Untouched())
}

func expiry(d paymentview.Doc) any {
	if d.Untouched() {
		return dateOf(d.Imported.Expires)
	}
	return dateOf(&d.ExpiresAt)
}

func reason(d paymentview.Doc) string {
	if d.Untouched() {
		return d.Imported.Failure
	}
	if d.CancelReason != "" {
		return d.CancelReason
	}
	return d.Failure
}

// paymentStatus is the original's word, with what only the hold knows.
func paymentStatus(d paymentview.Doc, hold projections.Row[escrowview.Doc]) string {
	switch {
	case still(d, hold):
		return d.Imported.Status
	case hold.Doc.EscrowState == "refunded" && d.Phase == payment.PaidPhase:
		return "refunded"
	case d.Phase == payment.PaidPhase && !hold.Doc.IsFunded && !hold.Doc.IsClosed:
		return "confirmed"
	}
	return d.LegacyStatus
}
