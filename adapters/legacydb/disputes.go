package legacydb

import (
	"strings"

	"holdfast/domain/migration"
)

// ReleaseHold decodes a document of releaseholds.
func ReleaseHold(raw []byte) migration.ReleaseHold {
	f, found := read(raw)
	h := migration.ReleaseHold{
		Payment: f.Ref("paymentId", migration.Payments), Request: f.Ref("purchaseRequestId", migration.PurchaseRequests),
		Type: f.status("type", migration.HoldTypes()...), Reason: f.Text("reason"), Status: f.status("status", "active", "released"),
		PlacedBy: f.Ref("placedBy", migration.Users), ReleasedBy: f.Ref("releasedBy", migration.Users),
		ReleasedAt: f.Time("releasedAt"), ReleaseReason: f.Text("releaseReason"),
	}
	if h.Payment == "" && h.Request == "" {
		f.Problem("paymentId", "a payment or a purchase request")
	}
	if h.Reason == "" {
		f.Note("reason", "missing: none")
	}
	h.Found = *found
	return h
}

// Dispute decodes a document of disputes.
func Dispute(raw []byte) migration.Dispute {
	f, found := read(raw)
	d := migration.Dispute{
		Payment: f.Ref("paymentId", migration.Payments), Request: f.MustRef("purchaseRequestId", migration.PurchaseRequests),
		Buyer: f.Ref("buyerId", migration.Users), Seller: f.Ref("sellerId", migration.Users), Opener: f.Ref("initiatorId", migration.Users), Resolver: f.Ref("resolverId", migration.Users),
		Category: f.Text("category"), Priority: f.OneOf("priority", "medium", "low", "medium", "high", "urgent"), Reason: f.Text("reason"), Desired: f.Text("desiredOutcome"),
		Status: f.status("status", migration.DisputeStatuses()...), DueAt: f.Time("dueAt"), ResolvedAt: f.Time("resolvedAt"), ClosedAt: f.Time("closedAt"),
	}
	d.Amount, d.Currency = amountOf(f, "amount", false)
	if d.Category == "" {
		d.Category = "other"
		f.Note("category", "missing: other")
	}
	if d.Opener == "" {
		if d.Opener = d.Buyer; d.Buyer == "" {
			f.Problem("initiatorId", "who began it")
		} else {
			f.Note("initiatorId", "missing: the buyer")
		}
	}
	for _, x := range f.Each("evidence") {
		d.Evidence = append(d.Evidence, evidence(x, d.Opener))
	}
	if !f.Has("evidence") {
		f.Note("evidence", "missing: none")
	}
	if f.Has("resolution") {
		r := f.Under("resolution")
		d.Resolution = &migration.Resolution{
			Action: r.status("action", migration.DisputeActions()...), Reason: r.Text("reason"), By: r.Ref("resolvedBy", migration.Users), At: r.Time("decidedAt"),
			SellerBPS: uint16(r.Int("sellerShareBps", share(r.Text("action")), 0, 10_000)), //nolint:gosec // 10000 at most
		}
	}
	d.Found = *found
	return d
}

// share is what a decision left the seller, where it did not say.
func share(action string) int {
	switch action {
	case "refund", "return_then_refund":
		return 0
	case "split", "compensation":
		return 5000
	}
	return 10_000
}

func evidence(f Fields, opener string) migration.Evidence {
	e := migration.Evidence{
		ID: f.OptionalID("_id"), Kind: f.Text("type"), Text: f.Text("description"), Hash: strings.ToLower(f.Text("fileHash")), By: f.Ref("submittedBy", migration.Users), At: f.Time("submittedAt"),
	}
	if e.ID == "" {
		e.ID = f.found.ObjectID + "/" + f.under
	}
	if e.Kind == "" {
		e.Kind = "text"
		f.Note("type", "missing: text")
	}
	if e.By == "" {
		e.By = opener
		f.Note("submittedBy", "missing: who began it")
	}
	return e
}
