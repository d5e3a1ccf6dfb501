package reactors

import (
	"context"
	"fmt"
	"maps"
	"math/big"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/money"
	"holdfast/domain/reconciliation"
)

// sums is what is in custody and what is owed, per asset, as of a position.
type sums struct {
	position int64
	assets   map[money.Asset]assetSums
}

// assetSums is how an asset stands. Both numbers may be below zero after facts.
type assetSums struct {
	custody, liabilities *big.Int
	// overdrawn are pockets of ours that hold less than nothing by our books: a sweep was undone
	// after its money had been paid out.
	overdrawn map[string]bool
}

func (s assetSums) solvent() bool {
	return reconciliation.Solvent(s.custody, s.liabilities, len(s.overdrawn) > 0)
}

// Everything is read in one snapshot, so that sums and position belong together. Points are
// backed by nothing; they are not money.
const (
	owed    = `(account LIKE 'escrow:%' OR account LIKE 'buyer:%' OR account LIKE 'seller:%' OR account LIKE 'clearing:%' OR account LIKE 'suspense:%')`
	inHand  = `account LIKE 'custody:%'`
	pockets = inHand + ` AND account NOT LIKE 'custody:gas:%'`

	allSumsSQL = `SELECT asset, COALESCE(sum(debits_posted - credits_posted) FILTER (WHERE ` + inHand + `), 0)::text,
			COALESCE(sum(credits_posted - debits_posted) FILTER (WHERE ` + owed + `), 0)::text
		FROM ledger_balances WHERE asset <> 'POINTS' AND $1::bigint = 0 GROUP BY asset`
	newSumsSQL = `SELECT asset, COALESCE(sum(CASE WHEN debit THEN amount ELSE -amount END) FILTER (WHERE ` + inHand + `), 0)::text,
			COALESCE(sum(CASE WHEN debit THEN -amount ELSE amount END) FILTER (WHERE ` + owed + `), 0)::text
		FROM ledger_entries WHERE asset <> 'POINTS' AND mode IN ('post', 'post_pending') AND position > $1 GROUP BY asset`

	allPocketsSQL = `SELECT account, asset, true FROM ledger_balances
		WHERE asset <> 'POINTS' AND ` + pockets + ` AND debits_posted < credits_posted AND $1::bigint = 0`
	newPocketsSQL = `SELECT b.account, b.asset, b.debits_posted < b.credits_posted FROM ledger_balances b
		JOIN (SELECT DISTINCT account, asset FROM ledger_entries WHERE position > $1 AND asset <> 'POINTS' AND ` + pockets + `) e USING (account, asset)`
)

// readSums gives the sums as they are now, and the assets that have moved since before (nil:
// adds everything up).
func readSums(ctx context.Context, pool *pgxpool.Pool, before *sums) (now *sums, moved []money.Asset, err error) {
	now = &sums{assets: map[money.Asset]assetSums{}}
	sumsSQL, pocketsSQL, from := allSumsSQL, allPocketsSQL, int64(0)
	if before != nil {
		maps.Copy(now.assets, before.assets)
		sumsSQL, pocketsSQL, from = newSumsSQL, newPocketsSQL, before.position
	}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, pool, snapshot, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT position FROM log_head`).Scan(&now.position); err != nil || now.position == from && before != nil {
			return err
		}
		if moved, err = now.add(ctx, tx, sumsSQL, from); err != nil {
			return err
		}
		return now.mark(ctx, tx, pocketsSQL, from)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("add the ledger up: %w", err)
	}
	return now, moved, nil
}

// add adds to the sums what a statement gives, and names the assets it is about.
func (s *sums) add(ctx context.Context, tx pgx.Tx, sql string, from int64) (moved []money.Asset, err error) {
	rows, err := tx.Query(ctx, sql, from)
	if err != nil {
		return nil, err
	}
	var asset money.Asset
	var custody, liabilities string
	_, err = pgx.ForEachRow(rows, []any{&asset, &custody, &liabilities}, func() error {
		a := s.of(asset)
		c, one := new(big.Int).SetString(custody, 10)
		l, two := new(big.Int).SetString(liabilities, 10)
		if !one || !two {
			return fmt.Errorf("sums of %s are %q and %q", asset, custody, liabilities)
		}
		a.custody, a.liabilities = c.Add(c, a.custody), l.Add(l, a.liabilities)
		s.assets[asset] = a
		moved = append(moved, asset)
		return nil
	})
	return moved, err
}

// mark notes which pockets are overdrawn now.
func (s *sums) mark(ctx context.Context, tx pgx.Tx, sql string, from int64) error {
	rows, err := tx.Query(ctx, sql, from)
	if err != nil {
		return err
	}
	var account string
	var asset money.Asset
	var below bool
	_, err = pgx.ForEachRow(rows, []any{&account, &asset, &below}, func() error {
		a := s.of(asset)
		if a.overdrawn[account] == below {
			return nil
		}
		a.overdrawn = maps.Clone(a.overdrawn)
		if delete(a.overdrawn, account); below {
			a.overdrawn[account] = true
		}
		s.assets[asset] = a
		return nil
	})
	return err
}

func (s *sums) of(asset money.Asset) assetSums {
	if a, ok := s.assets[asset]; ok {
		return a
	}
	return assetSums{custody: new(big.Int), liabilities: new(big.Int), overdrawn: map[string]bool{}}
}
