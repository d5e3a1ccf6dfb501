package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The baselines are what a careful programmer writes in bare SQL without a log: one
// transaction a command, with an event, two entries and two balances. They run on the same
// server, in a database of their own, in the same run.
const baselineSQL = `
CREATE TABLE b_events (position bigserial PRIMARY KEY, stream uuid NOT NULL, version bigint NOT NULL,
    data json NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now(), UNIQUE (stream, version));
CREATE TABLE b_entries (id bigserial PRIMARY KEY, position bigint NOT NULL, account text NOT NULL, debit boolean NOT NULL, amount numeric(78,0) NOT NULL);
CREATE TABLE b_balances (account text PRIMARY KEY, debits numeric(78,0) NOT NULL, credits numeric(78,0) NOT NULL);
INSERT INTO b_balances SELECT 'a' || i, 0, 0 FROM generate_series(0, 9999) i;
INSERT INTO b_balances VALUES ('hot', 0, 0);
`

const (
	baseEvent   = `INSERT INTO b_events (stream, version, data) VALUES (gen_random_uuid(), 1, $1) RETURNING position`
	baseEntry   = `INSERT INTO b_entries (position, account, debit, amount) VALUES ($1, $2, $3, 100)`
	baseEntryAt = `INSERT INTO b_entries (position, account, debit, amount) VALUES (currval('b_events_position_seq'), $1, $2, 100)`
	baseDebit   = `UPDATE b_balances SET debits = debits + 100 WHERE account = $1`
	baseCredit  = `UPDATE b_balances SET credits = credits + 100 WHERE account = $1`
	baseData    = `{"hold":"6f9d0c52-5b1e-5c0e-9a55-7b1d64a9f001","gross":"100","fee":"2","net":"98","asset":"USDC@8453"}`
)

// baseline gives commands a second of n clients over d.
func baseline(ctx context.Context, pool *pgxpool.Pool, n int, d time.Duration, hot, pipelined bool) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var wg sync.WaitGroup
	var done atomic.Int64
	var failed atomic.Value
	start := time.Now()
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil {
				from, to := fmt.Sprintf("a%d", rand.IntN(10000)), fmt.Sprintf("a%d", rand.IntN(10000))
				if hot {
					to = "hot"
				}
				run := statementByStatement
				if pipelined {
					run = inOneRoundTrip
				}
				if err := run(ctx, pool, from, to); err == nil {
					done.Add(1)
				} else if ctx.Err() == nil && !isDeadlock(err) {
					failed.CompareAndSwap(nil, err)
					return
				}
			}
		})
	}
	wg.Wait()
	err, _ := failed.Load().(error)
	return float64(done.Load()) / time.Since(start).Seconds(), err
}

func statementByStatement(ctx context.Context, pool *pgxpool.Pool, from, to string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var position int64
		if err := tx.QueryRow(ctx, baseEvent, baseData).Scan(&position); err != nil {
			return err
		}
		for _, s := range []struct {
			sql  string
			args []any
		}{
			{baseEntry, []any{position, from, true}},
			{baseEntry, []any{position, to, false}},
			{baseDebit, []any{from}},
			{baseCredit, []any{to}},
		} {
			if _, err := tx.Exec(ctx, s.sql, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

func inOneRoundTrip(ctx context.Context, pool *pgxpool.Pool, from, to string) error {
	var b pgx.Batch
	b.Queue("BEGIN")
	b.Queue(baseEvent, baseData)
	b.Queue(baseEntryAt, from, true)
	b.Queue(baseEntryAt, to, false)
	b.Queue(baseDebit, from)
	b.Queue(baseCredit, to)
	b.Queue("COMMIT")
	return pool.SendBatch(ctx, &b).Close()
}
