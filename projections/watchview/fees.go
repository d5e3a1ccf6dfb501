package watchview

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/treasury"
)

func (w *writer) treasury(e treasury.Event) {
	switch e := e.(type) {
	case treasury.NetworkFeeIncurred:
		tx, _, _ := strings.Cut(e.Ref, ":")
		w.do(`INSERT INTO watched_fees (ref, tx, chain, asset, amount, custody) VALUES ($1, $2, $3, $4, $5, $6)`,
			e.Ref, strings.ToLower(tx), e.Chain, string(e.Amount.Asset), e.Amount.Units.String(), string(e.Custody))
	case treasury.NetworkFeeReversed:
		w.do(`UPDATE watched_fees SET reversed = true WHERE ref = $1`, e.Ref)
	}
}

// Fee is what a transaction cost, as it is booked.
type Fee struct {
	Ref      string // of the treasury's entry
	Tx       string
	Chain    string
	Amount   money.Amount
	Custody  ledger.Account // empty: the chain's gas account
	Reversed bool
}

// FeeRef names the booking of a transaction's fee: by its hash, and for a second one, after the
// first was reversed, with its number.
func FeeRef(tx string, before int) string {
	if before == 0 {
		return tx
	}
	return fmt.Sprintf("%s:%d", tx, before+1)
}

// Fees gives what is booked for the transactions of a payout, refund or sweep.
func (q Queries) Fees(ctx context.Context, kind, id string) ([]Fee, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (f Fee, err error) {
		var amount string
		if err := row.Scan(&f.Ref, &f.Tx, &f.Chain, &f.Amount.Asset, &amount, &f.Custody, &f.Reversed); err != nil {
			return f, err
		}
		f.Amount.Units, err = money.ParseUnits(amount)
		return f, err
	}, `SELECT f.ref, f.tx, f.chain, f.asset, f.amount, f.custody, f.reversed
		FROM views.watched_fees f JOIN (SELECT DISTINCT hash FROM views.watched_transactions WHERE kind = $1 AND id = $2) t ON t.hash = f.tx
		ORDER BY f.ref`, kind, id)
}

// Failed gives transactions of ours on a chain that were given up after a time.
func (q Queries) Failed(ctx context.Context, chain uint64, after time.Time) ([]Transaction, error) {
	return collect(ctx, q, scanTransaction, `SELECT `+transactionColumns+` FROM views.watched_transactions
		WHERE chain = $1 AND state = 'failed' AND failed_at > $2 ORDER BY kind, id, hash`, int64(chain), after)
}
