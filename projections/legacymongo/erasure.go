package legacymongo

import (
	"context"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/eventstore"
)

// forgetful is the ring of keys as of a reading: who is erased in the log by then has none, even
// where this process still remembers the key for some seconds. What is written to Mongo stays.
type forgetful struct {
	keys eventstore.KeyRing
	r    *Reading
}

func (f forgetful) SubjectKey(ctx context.Context, subject domain.UserID, create bool) ([]byte, error) {
	erased, known := f.r.erased[subject]
	switch {
	case !known:
		f.r.unasked[subject] = true
		return nil, errWanted
	case erased:
		return nil, eventstore.ErrErased
	}
	return f.keys.SubjectKey(ctx, subject, create)
}

func (r *Reading) fetchErased(batch *pgx.Batch) {
	if len(r.unasked) == 0 {
		return
	}
	var subjects []string
	for s := range r.unasked {
		subjects = append(subjects, string(s))
		r.erased[s] = false
	}
	batch.Queue(`SELECT stream_id FROM public.events WHERE stream_type = $1 AND stream_id = ANY($2) AND type = $3 AND position <= $4`,
		people, subjects, erased, r.upTo).Query(func(rows pgx.Rows) error {
		var s domain.UserID
		_, err := pgx.ForEachRow(rows, []any{&s}, func() error { r.erased[s] = true; return nil })
		return err
	})
}
