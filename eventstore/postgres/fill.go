package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// The methods here put the rows of the first round trip into the batch's book.

func (b *batch) readHead(row pgx.Row) error {
	var edge []byte
	if err := row.Scan(&b.book.Position, &edge, &b.at); err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	var err error
	b.tree, err = eventstore.NewTree(b.book.Position, edge)
	return err
}

// readClock takes the database's time, but never one before the last event's.
func (b *batch) readClock(row pgx.Row) error {
	var now time.Time
	var isolation string
	if err := row.Scan(&now, &isolation); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if isolation != "read committed" {
		return fmt.Errorf("the append runs under %q: only READ COMMITTED sees the rows it waited for", isolation)
	}
	if now.After(b.at) {
		b.at = now
	}
	b.at = b.at.UTC()
	return nil
}

func (b *batch) readVersions(rows pgx.Rows, streams []domain.Stream) error {
	var n int64
	var version *int64
	_, err := pgx.ForEachRow(rows, []any{&n, &version}, func() error {
		if version != nil {
			b.book.Versions[streams[n-1]] = *version
		}
		return nil
	})
	return err
}

func (b *batch) readKeys(rows pgx.Rows) error {
	var id commit.KeyID
	var fingerprint, raw []byte
	var expires *time.Time
	_, err := pgx.ForEachRow(rows, []any{&id.Actor, &id.Key, &fingerprint, &raw, &expires}, func() error {
		known, err := remembered(fingerprint, raw, expires)
		b.book.Keys[id] = known
		return err
	})
	return err
}

func remembered(fingerprint, raw []byte, expires *time.Time) (commit.Remembered, error) {
	r := commit.Remembered{Fingerprint: append([]byte(nil), fingerprint...)}
	if expires != nil {
		r.Expires = *expires
	}
	if err := json.Unmarshal(raw, &r.Outcome); err != nil {
		return r, fmt.Errorf("read an outcome: %w", err)
	}
	return r, nil
}

func (b *batch) readClaims(rows pgx.Rows) error {
	var name string
	var holder domain.Stream
	_, err := pgx.ForEachRow(rows, []any{&name, &holder.Type, &holder.ID}, func() error {
		b.book.Claims[name] = holder
		return nil
	})
	return err
}

func (b *batch) readPending(rows pgx.Rows) error {
	var key string
	var debit, credit, asset, amount []string
	var p commit.Pending
	_, err := pgx.ForEachRow(rows, []any{&key, &debit, &credit, &asset, &amount, &p.Opened, &p.Closed, &p.Posted}, func() error {
		now := p
		now.Lines = nil
		for i := range debit {
			units, err := money.ParseUnits(amount[i])
			if err != nil {
				return fmt.Errorf("read pending %q: %w", key, err)
			}
			now.Lines = append(now.Lines, ledger.Dr(ledger.Account(debit[i]), ledger.Account(credit[i]), money.Of(money.Asset(asset[i]), units)))
		}
		b.book.Pending[key] = &now
		return nil
	})
	return err
}

func (b *batch) readBalances(rows pgx.Rows) error {
	var a commit.Account
	t := &a.Totals
	_, err := pgx.ForEachRow(rows, []any{&t.Account, &t.Asset, &t.DebitsPosted, &t.CreditsPosted, &t.DebitsPending, &t.CreditsPending, &a.Deficit}, func() error {
		now, was := a, a
		var err error
		if now.Kind, err = ledger.KindOf(t.Account); err != nil {
			return err
		}
		key := commit.AccountKey{Account: t.Account, Asset: t.Asset}
		b.book.Accounts[key], b.originals[key] = &now, &was
		return nil
	})
	return err
}
