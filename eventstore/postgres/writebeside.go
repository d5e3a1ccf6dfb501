package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
)

const (
	claimSQL = `INSERT INTO claims (name, stream_type, stream_id, position)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
		ON CONFLICT (name) DO UPDATE SET stream_type = excluded.stream_type, stream_id = excluded.stream_id, position = excluded.position`
	unclaimSQL  = `DELETE FROM claims WHERE name = ANY($1::text[])`
	deadlineSQL = `INSERT INTO timers (stream_type, stream_id, key, due_at, command, position)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[])
		ON CONFLICT (stream_type, stream_id, key) DO UPDATE SET id = DEFAULT, due_at = excluded.due_at, command = excluded.command,
			position = excluded.position, attempts = 0, claimed_until = NULL, last_error = NULL, fired_at = NULL`
	cancelSQL = `DELETE FROM timers t USING unnest($1::text[], $2::text[], $3::text[]) AS w(st, si, k)
		WHERE t.stream_type = w.st AND t.stream_id = w.si AND t.key = w.k`
)

// queueClaims writes who holds each name when the batch is over; what happened to a name in
// between nobody will have seen.
func (b *batch) queueClaims(q *pgx.Batch) {
	last := map[string]int64{}
	for _, g := range b.granted {
		for _, c := range g.written.Claims {
			last[c.Name] = c.Position
		}
	}
	var free, names, types, ids []string
	var positions []int64
	for name, position := range last {
		holder, held := b.book.Claims[name]
		if !held {
			free = append(free, name)
			continue
		}
		names, types, ids, positions = append(names, name), append(types, holder.Type), append(ids, holder.ID), append(positions, position)
	}
	if len(free) > 0 {
		q.Queue(unclaimSQL, free)
	}
	if len(names) > 0 {
		q.Queue(claimSQL, names, types, ids, positions)
	}
}

type deadlineKey struct {
	stream domain.Stream
	key    string
}

// queueDeadlines writes the last word of the batch on each deadline.
func (b *batch) queueDeadlines(q *pgx.Batch) {
	seen := map[deadlineKey]bool{}
	var types, ids, keys, commands []string
	var due []time.Time
	var positions []int64
	var offTypes, offIDs, offKeys []string
	for i := len(b.granted) - 1; i >= 0; i-- {
		deadlines := b.granted[i].written.Deadlines
		for j := len(deadlines) - 1; j >= 0; j-- {
			d := deadlines[j]
			if !first(seen, deadlineKey{d.Stream, d.Key}) {
				continue
			}
			if d.Cancel {
				offTypes, offIDs, offKeys = append(offTypes, d.Stream.Type), append(offIDs, d.Stream.ID), append(offKeys, d.Key)
				continue
			}
			types, ids, keys = append(types, d.Stream.Type), append(ids, d.Stream.ID), append(keys, d.Key)
			due, commands, positions = append(due, d.Due), append(commands, d.Command), append(positions, d.Position)
		}
	}
	if len(offKeys) > 0 {
		q.Queue(cancelSQL, offTypes, offIDs, offKeys)
	}
	if len(keys) > 0 {
		q.Queue(deadlineSQL, types, ids, keys, due, commands, positions)
	}
}
