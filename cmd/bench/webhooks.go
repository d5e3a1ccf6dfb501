package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"holdfast/adapters/requestnetwork"
)

// webhookLoad is how many deliveries a second the provider may send at its worst, and for how long.
type webhookLoad struct {
	rate    int
	seconds int
	other   int // requests a second to the other route; 0: as many as its clients can
}

const (
	webhookClients = 32
	otherClients   = 4
)

// webhooks sends signed deliveries at a fixed rate and counts: every 200 must be a row. Another
// route is measured beside it, without the load and with it.
func (b *bench) webhooks(ctx context.Context) error {
	l := b.hooks
	d := time.Duration(l.seconds) * time.Second
	f, err := b.made(ctx) // the other route lists the payments in it
	if err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	fmt.Printf("\nwebhooks (%d deliveries a second for %d s: signature, JSON rules, stored before the 200)\n", l.rate, l.seconds)
	read := f.read()
	quiet, err := hammer(ctx, b.service.addr, otherClients, min(d, 10*time.Second), atPace(l.other, read))
	if err != nil {
		return fmt.Errorf("the other route, alone: %w", err)
	}
	run := "bench-" + uuid.NewString()
	var sent load
	var beside load
	before, err := b.spent(ctx)
	if err != nil {
		return err
	}
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		sent, err = hammer(inner, b.service.addr, webhookClients, d, b.paced(l, run))
		return err
	})
	group.Go(func() (err error) {
		beside, err = hammer(inner, b.service.addr, otherClients, d, atPace(l.other, read))
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	after, err := b.spent(ctx)
	if err != nil {
		return err
	}
	var rows int
	err = b.core.Jobs.QueryRow(ctx, `SELECT count(*) FROM inbox WHERE delivery_id LIKE $1 || '%'`, run).Scan(&rows)
	if err != nil {
		return err
	}
	fmt.Printf("  %-34s %10.0f per s, p50 %s, p99 %s   (wanted: p99 under 500 ms)\n", "answered 200", sent.rate(), ms(sent.quantile(0.5)), ms(sent.quantile(0.99)))
	fmt.Printf("  %34s %s\n", "", after.since(before, sent.count))
	fmt.Printf("  %-34s %10d answered 200, %d rows, %d refused %s\n", "stored", sent.count, rows, sent.refused, sent.firstBad)
	pace := "as fast as it goes"
	if l.other > 0 {
		pace = fmt.Sprintf("%d/s", l.other)
	}
	fmt.Printf("  %-34s p99 %s alone, %s beside the load, %.2f×   (wanted: at most doubled)\n", "GET /api/payment, "+pace,
		ms(quiet.quantile(0.99)), ms(beside.quantile(0.99)), float64(beside.quantile(0.99))/float64(max(quiet.quantile(0.99), 1)))
	if err := b.ingested(ctx, run); err != nil {
		return err
	}
	if rows < sent.count {
		return fmt.Errorf("%d deliveries were answered 200 and %d are stored", sent.count, rows)
	}
	return nil
}

// ingested waits until the worker is through with what was stored, and tells how far it was when the
// load ended: it must not work at the expense of people, but it must keep up.
func (b *bench) ingested(ctx context.Context, run string) error {
	atEnd := -1
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		var waiting int
		if err := b.core.Jobs.QueryRow(ctx, `SELECT count(*) FROM inbox WHERE delivery_id LIKE $1 || '%' AND status = 'received'`, run).Scan(&waiting); err != nil {
			return err
		}
		if atEnd < 0 {
			atEnd = waiting
		}
		if waiting == 0 {
			fmt.Printf("  %-34s %10d waited when the load ended, none %s later\n", "worked off", atEnd, time.Since(begin).Round(100*time.Millisecond))
			return nil
		}
		if time.Since(begin) > 5*time.Minute {
			return fmt.Errorf("%d deliveries still wait", waiting)
		}
	}
}

// atPace lets clients send so many a second together: one that is early waits for its turn. The
// turns are dealt by one counter, so that a slow answer makes the others no slower.
func atPace(rate int, write func(client, i int, buf *bytes.Buffer)) func(client, i int, buf *bytes.Buffer) {
	if rate == 0 {
		return write
	}
	var turns atomic.Int64
	begin := time.Now()
	each := time.Second / time.Duration(rate)
	return func(client, _ int, buf *bytes.Buffer) {
		turn := turns.Add(1) - 1
		time.Sleep(time.Until(begin.Add(time.Duration(turn) * each)))
		write(client, int(turn), buf)
	}
}

// paced writes deliveries at the rate that is asked for.
func (b *bench) paced(l webhookLoad, run string) func(client, i int, buf *bytes.Buffer) {
	begin := time.Now()
	events := []string{"payment.confirmed", "payment.confirmed.client_id", "payment.processing", "secure_payment.user_event"}
	return atPace(l.rate, func(_, turn int, buf *bytes.Buffer) {
		id := fmt.Sprintf("01%064x", turn)
		body, err := json.Marshal(map[string]any{
			"event": events[turn%len(events)], "requestId": id, "requestID": id, "paymentReference": fmt.Sprintf("0x%016x", turn),
			"amount": "1.0", "totalAmountPaid": "1.0", "expectedAmount": "1.0", "timestamp": begin.UTC(), "txHash": "0x" + strings.Repeat("0", 48) + fmt.Sprintf("%016x", turn),
			"network": "devchain", "currency": "USDC", "paymentCurrency": "USDC", "subStatus": "", "paymentProcessor": "request-network", "run": run,
		})
		if err != nil {
			panic(err) // strings and numbers
		}
		fmt.Fprintf(buf, "POST /api/payment/request-network/webhook HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n%s: %s\r\n%s: %s-%d\r\nContent-Length: %s\r\n\r\n",
			requestnetwork.HeaderSignature, requestnetwork.Sign(b.config.RequestNetworkWebhookSecret, body), requestnetwork.HeaderDelivery, run, turn, strconv.Itoa(len(body)))
		buf.Write(body)
	})
}

// read writes a query of the signed-in buyer.
func (f *fixture) read() func(client, i int, b *bytes.Buffer) {
	return func(_, _ int, b *bytes.Buffer) {
		fmt.Fprintf(b, "GET /api/payment?limit=20 HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n", f.token)
	}
}
