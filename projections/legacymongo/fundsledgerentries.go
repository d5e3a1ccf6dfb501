package legacymongo

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/escrow"
	"holdfast/domain/legacyentry"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

// fundsLedgerEntries is the collection of what was booked: one document a side of a posting, named
// <position>/<line>/<d or c>. They never change.
func fundsLedgerEntries() Collection {
	return Collection{
		Name: "fundsledgerentries", Domain: Payment, Version: 1, Find: findEntries, Render: renderEntry, Reads: []string{legacyentry.Decider.Category},
		About: "What was booked, one document a side: the original had one document for both. `direction` tells them apart; the sum of all debits is that of all credits. Entries never change. Those of the old backend stand here as it wrote them; they are history, and what they led to is booked as opening balances.",
		Fields: []Field{
			{"account", "string, the account's path", "every event that posts"},
			{"direction", "debit, credit", "every event that posts"},
			{"amount", "{amount, currency, baseUnits, asset}, strings", "every event that posts"},
			{"mode", "post, pending, post_pending, void", "every event that posts"},
			{"entryType", "string: the event's type", "every event that posts"},
			{"eventId", "string, a UUID", "every event that posts"},
			{"position", "long", "every event that posts"},
			{"escrowHoldId", "ObjectId → escrowholds, or null", "the account or the stream"},
			{"paymentId", "ObjectId → payments, or null", "the stream"},
			{"userId", "ObjectId → users, or null", "the account"},
		},
	}
}

// findEntries names what the events of a batch have posted.
func findEntries(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) ([]string, error) {
	positions := make([]int64, len(batch))
	for i, e := range batch {
		positions[i] = e.Position
	}
	rows, err := tx.Query(ctx, entriesSQL, positions)
	if err != nil {
		return nil, fmt.Errorf("look up what was posted: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// entriesSQL finds postings, imported entries, and those of the latter that hold text about somebody
// who is erased.
const entriesSQL = `SELECT id FROM (
	SELECT position, format('%s/%s/%s', position, line, CASE WHEN debit THEN 'd' ELSE 'c' END) AS id, line, debit
		FROM public.ledger_entries WHERE position = ANY($1)
	UNION ALL
	SELECT position, stream_id, 0, false FROM public.events WHERE position = ANY($1) AND stream_type = 'legacy_entry'
	UNION ALL
	SELECT e.position, s.document, 0, false
		FROM public.events e JOIN public.legacy_sources s ON s.collection = 'fundsledgerentries' AND s.stream = 'erasure/' || e.stream_id
		WHERE e.position = ANY($1) AND e.type = 'user.erased'
	) AS found ORDER BY position, line, debit DESC`

func renderEntry(r *Reading, id string) (*Document, error) {
	if !strings.Contains(id, "/") {
		return renderLegacyEntry(r, id)
	}
	parts := strings.Split(id, "/")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q names no entry", id)
	}
	position, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, err
	}
	all, err := r.Entries(position)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if strconv.Itoa(e.Line) == parts[1] && e.Debit == (parts[2] == "d") {
			return r.entry(e)
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

func (r *Reading) entry(e Entry) (*Document, error) {
	r.pos = e.Position
	kind, who, _ := strings.Cut(e.Account, ":")
	who, _, _ = strings.Cut(who, ":")
	refs := make([]name, 3)
	switch kind {
	case "escrow":
		refs[0] = name{"escrowholds", who}
	case "buyer", "seller":
		refs[2] = user(who)
	case "points":
		if id, ok := strings.CutPrefix(e.Account, "points:user:"); ok {
			refs[2] = user(id)
		}
	}
	switch e.Stream.Type {
	case escrow.Decider.Category:
		refs[0] = name{"escrowholds", e.Stream.ID}
	case payment.Decider.Category:
		refs[1] = name{"payments", e.Stream.ID}
	}
	named, err := r.refs(refs...)
	if err != nil {
		return nil, err
	}
	direction := "credit"
	if e.Debit {
		direction = "debit"
	}
	return &Document{Version: 1, First: e.Position, Fields: stamped(bson.D{
		{Key: "account", Value: e.Account},
		{Key: "direction", Value: direction},
		{Key: "amount", Value: r.amount(e.Amount)},
		{Key: "mode", Value: e.Mode},
		{Key: "entryType", Value: e.Type},
		{Key: "eventId", Value: e.EventID.String()},
		{Key: "position", Value: e.Position},
		{Key: "escrowHoldId", Value: named[0]},
		{Key: "paymentId", Value: named[1]},
		{Key: "userId", Value: named[2]},
	}, e.RecordedAt, e.RecordedAt)}, nil
}
