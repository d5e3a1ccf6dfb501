package legacymongo

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Entry is one side of a posting in the ledger.
type Entry struct {
	Position   int64
	Line       int
	Debit      bool
	Account    string
	Amount     money.Amount
	Mode       string
	Stream     domain.Stream // of the event that has posted it
	EventID    uuid.UUID
	Type       string
	RecordedAt time.Time
}

// Entries gives what an event has posted.
func (r *Reading) Entries(position int64) ([]Entry, error) {
	all, ok := r.entries[position]
	if !ok {
		r.unread[position] = true
		return nil, errWanted
	}
	return all, nil
}

func (r *Reading) fetchEntries(batch *pgx.Batch) {
	if len(r.unread) == 0 {
		return
	}
	var positions []int64
	for p := range r.unread {
		positions = append(positions, p)
		r.entries[p] = nil
	}
	batch.Queue(`SELECT l.position, l.line, l.debit, l.account, l.asset, l.amount::text, l.mode, e.stream_type, e.stream_id, e.event_id, e.type, e.recorded_at
		FROM public.ledger_entries l JOIN public.events e ON e.position = l.position
		WHERE l.position = ANY($1) ORDER BY l.position, l.line, l.debit DESC`, positions).Query(func(rows pgx.Rows) error {
		var e Entry
		var asset, amount string
		_, err := pgx.ForEachRow(rows, []any{&e.Position, &e.Line, &e.Debit, &e.Account, &asset, &amount, &e.Mode, &e.Stream.Type, &e.Stream.ID, &e.EventID, &e.Type, &e.RecordedAt}, func() error {
			e.RecordedAt = e.RecordedAt.UTC()
			units, err := money.ParseUnits(amount)
			e.Amount = money.Of(money.Asset(asset), units)
			r.entries[e.Position] = append(r.entries[e.Position], e)
			return err
		})
		return err
	})
}
