package legacymongo

import (
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/dispute"
	"holdfast/projections/disputeview"
)

var disputeColumns = map[string]Column{
	"request": {Path: "request", Kind: "text"}, "hold": {Path: "hold", Kind: "text"}, "buyer": {Path: "buyer", Kind: "text"}, "seller": {Path: "seller", Kind: "text"},
	"phase": {Path: "phase", Kind: "text"}, "legacy_status": {Path: "legacy_status", Kind: "text"}, "category": {Path: "category", Kind: "text"},
	"priority": {Path: "priority", Kind: "text"}, "resolver": {Path: "resolver", Kind: "text"}, "open": {Path: "open", Kind: "bool"}, "due_unix": {Path: "due_unix", Kind: "number"},
}

// disputes is the collection of what buyers and sellers could not agree on.
func disputes() Collection {
	return Collection{
		Name: "disputes", Domain: Dispute, Version: 2,
		Streams: []string{dispute.Category}, View: disputeview.Name, Columns: disputeColumns, Render: renderDispute,
		About: "What buyer and seller could not agree on. `waiting_response` needs an assigned resolver; before that it is `pending`. The timeline of the original is `evidence` and `resolution`; messages stand in chats.",
		Fields: []Field{
			{"purchaseRequestId", "ObjectId → purchaserequests", "dispute.opened"},
			{"escrowHoldId", "ObjectId → escrowholds", "dispute.opened"},
			{"paymentId", "ObjectId → payments, or null", "dispute.imported"},
			{"buyerId", "ObjectId → users", "dispute.opened"},
			{"sellerId", "ObjectId → users", "dispute.opened"},
			{"initiatorId", "ObjectId → users", "dispute.opened"},
			{"resolverId", "ObjectId → users, or null", "dispute.resolver_assigned"},
			{"category", "string", "dispute.opened"},
			{"priority", "string", "dispute.opened"},
			{"reason", "string; empty once erased", "dispute.opened"},
			{"desiredOutcome", "string or null", "dispute.opened"},
			{"amount", "{amount, currency, baseUnits, asset}, strings", "dispute.opened"},
			{"status", "pending, in_progress, waiting_response, resolved, rejected, closed", "every event of the dispute"},
			{"evidence", "array of {type, description, fileHash, submittedBy, submittedAt}; description empty once erased", "dispute.evidence_submitted"},
			{"resolution", "{action, sellerShareBps, feePayer, reason, resolvedBy, decidedAt, final} or null", "dispute.decided"},
			{"dueAt", "date or null", "every event of the dispute"},
			{"resolvedAt", "date or null", "dispute.resolved"},
			{"closedAt", "date or null", "dispute.closed"},
		},
	}
}

func renderDispute(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, disputeview.View(), disputeColumns, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	refs := []name{{"purchaserequests", string(d.Request)}, {"escrowholds", string(d.Hold)}, user(d.Buyer), user(d.Seller), user(d.Opener), user(d.Resolver), {"payments", string(d.Payment)}}
	fixed := len(refs)
	for _, e := range d.Evidence {
		refs = append(refs, user(e.By))
	}
	amount, word, due := d.Contested, "", d.DueAt
	if i := d.Imported; i != nil {
		if due, word = i.Due, i.Currency; i.Said != nil {
			amount = *i.Said
		}
	}
	var last *disputeview.Decision
	if n := len(d.Decisions); n > 0 {
		last = &d.Decisions[n-1]
		refs = append(refs, user(last.By))
	}
	named, err := r.refs(refs...)
	if err != nil {
		return nil, err
	}
	evidence := bson.A{}
	for i, e := range d.Evidence {
		evidence = append(evidence, bson.D{
			{Key: "type", Value: e.Kind},
			{Key: "description", Value: e.Text.Text},
			{Key: "fileHash", Value: orNull(e.SHA256)},
			{Key: "submittedBy", Value: named[fixed+i]},
			{Key: "submittedAt", Value: date(e.At)},
		})
	}
	var resolution any
	if last != nil {
		action := string(last.Action)
		if i := d.Imported; i != nil && i.Decision != nil {
			action = i.Decision.Word
		}
		resolution = bson.D{
			{Key: "action", Value: action}, {Key: "sellerShareBps", Value: int32(last.SellerBPS)}, {Key: "feePayer", Value: string(last.FeePayer)}, //nolint:gosec // 10000 at most
			{Key: "reason", Value: last.Reason.Text}, {Key: "resolvedBy", Value: named[len(named)-1]}, {Key: "decidedAt", Value: date(last.At)}, {Key: "final", Value: last.Final},
		}
	}
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "purchaseRequestId", Value: named[0]},
		{Key: "escrowHoldId", Value: named[1]},
		{Key: "paymentId", Value: named[6]},
		{Key: "buyerId", Value: named[2]},
		{Key: "sellerId", Value: named[3]},
		{Key: "initiatorId", Value: named[4]},
		{Key: "resolverId", Value: named[5]},
		{Key: "category", Value: d.Category},
		{Key: "priority", Value: d.Priority},
		{Key: "reason", Value: d.Reason.Text},
		{Key: "desiredOutcome", Value: orNull(d.DesiredOutcome)},
		{Key: "amount", Value: r.amountIn(amount, word)},
		{Key: "status", Value: d.LegacyStatus},
		{Key: "evidence", Value: evidence},
		{Key: "resolution", Value: resolution},
		{Key: "dueAt", Value: dateOf(due)},
		{Key: "resolvedAt", Value: dateOf(d.ResolvedAt)},
		{Key: "closedAt", Value: dateOf(d.ClosedAt)},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}
