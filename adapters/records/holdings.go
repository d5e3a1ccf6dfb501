package records

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// Holding is a row about a person, as JSON.
type Holding struct {
	Table string
	Row   json.RawMessage
}

// readOtherwise are tables whose sealed text is read by their own records, or that hold nothing
// but bytes of ours.
var readOtherwise = []string{"profiles", "addresses", "seller_applications", "data_exports"}

// Holdings gives every row that dies with a person, in whichever table. Bytes, hashes and
// secrets are left out: they say nothing about the person.
func Holdings(ctx context.Context, pool *pgxpool.Pool, u domain.UserID) ([]Holding, error) {
	rows, err := pool.Query(ctx, ownedSQL)
	if err != nil {
		return nil, failed("list a person's tables", err)
	}
	type owned struct{ table, column string }
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o owned, err error) {
		err = row.Scan(&o.table, &o.column)
		return o, err
	})
	if err != nil {
		return nil, failed("list a person's tables", err)
	}
	var all []Holding
	for _, o := range tables {
		if slices.Contains(readOtherwise, o.table) {
			continue
		}
		rows, err := pool.Query(ctx, `SELECT to_jsonb(t) FROM `+o.table+` t WHERE `+pgx.Identifier{o.column}.Sanitize()+` = $1`, string(u))
		if err != nil {
			return nil, failed("read a person's rows", err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[map[string]any])
		if err != nil {
			return nil, failed("read a person's rows", err)
		}
		for _, row := range found {
			raw, err := json.Marshal(tellable(row))
			if err != nil {
				return nil, fmt.Errorf("encode a row of %s: %w", o.table, err)
			}
			all = append(all, Holding{Table: o.table, Row: raw})
		}
	}
	return all, nil
}

// tellable drops what is a secret of the service rather than something about a person.
func tellable(row map[string]any) map[string]any {
	for column, value := range row {
		text, isText := value.(string)
		secret := strings.Contains(column, "hash") || strings.Contains(column, "secret") || column == "sealed"
		if secret || isText && strings.HasPrefix(text, `\x`) || value == nil {
			delete(row, column)
		}
	}
	return row
}

// Letters gives a person's letters that were sent more than a day ago, newest first, at most a
// thousand: younger ones may hold a code that is still good.
func (s *Mails) Letters(ctx context.Context, u domain.UserID) ([]json.RawMessage, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, template, done_at FROM mails WHERE user_id = $1 AND status = 'sent'
		AND done_at < clock_timestamp() - interval '1 day' ORDER BY done_at DESC LIMIT 1000`, string(u))
	if err != nil {
		return nil, failed("list a person's letters", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m MailRow, err error) {
		err = row.Scan(&m.ID, &m.Template, &m.DoneAt)
		return m, err
	})
	if err != nil {
		return nil, failed("list a person's letters", err)
	}
	var all []json.RawMessage
	for _, m := range found {
		raw, ok, err := s.Bytes(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		line, err := json.Marshal(map[string]any{"template": m.Template, "sentAt": m.DoneAt.UTC(), "message": string(raw)})
		if err != nil {
			return nil, fmt.Errorf("encode a letter: %w", err)
		}
		all = append(all, line)
	}
	return all, nil
}
