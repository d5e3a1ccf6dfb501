package rndouble

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"holdfast/adapters/requestnetwork"
)

// announce sends the webhooks of a payment: the event and its variants, each a delivery of
// its own. The caller holds the lock.
func (d *Double) announce(ctx context.Context, r *request, p paid) {
	if d.how.Mute || d.webhook == "" {
		return
	}
	event := "payment.partial"
	if r.settled() {
		event = "payment.confirmed"
	}
	for _, e := range append([]string{""}, d.how.Variants...) {
		name, copies := event, max(d.how.Copies, 1)
		if e != "" {
			name, copies = event+"."+e, 1
		}
		d.send(ctx, d.body(name, r, p), copies)
	}
}

// send brings a body on its way; the caller holds the lock.
func (d *Double) send(ctx context.Context, body []byte, copies int) {
	url, delivery, scatter := d.webhook, ulid(), d.how.Scatter
	for range copies {
		d.work.Go(func() {
			if scatter == 0 || pause(ctx, rand.N(scatter)) {
				d.deliver(ctx, url, delivery, body)
			}
		})
	}
}

// Tell sends a webhook of any event about a request, with more fields than the usual: what no
// chain can make happen here, such as a failure, a refund or a compliance check.
func (d *Double) Tell(event, requestID string, more map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fields := map[string]any{"event": event, "requestId": requestID, "timestamp": time.Now().UTC().Format(time.RFC3339)}
	if r := d.find(requestID); r != nil {
		fields["requestID"], fields["paymentReference"] = r.ID, r.Reference
	}
	for k, v := range more {
		fields[k] = v
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err) // a test's own mistake
	}
	d.send(d.running, body, 1)
}

func (d *Double) body(event string, r *request, p paid) []byte {
	symbol := r.Currency
	if t, ok := d.registry.Token(r.Asset); ok {
		symbol = t.Symbol
	}
	amount := p.Amount
	if !d.how.WrongAmount.IsZero() {
		amount = d.how.WrongAmount
	}
	fields := map[string]any{
		"event": event, "requestId": r.ID, "requestID": r.ID, "paymentReference": r.Reference,
		"explorer": "https://scan.request.network/request/" + r.ID, "amount": amount.Decimal(r.Decimals),
		"totalAmountPaid": r.total().Decimal(r.Decimals), "expectedAmount": r.Due.Decimal(r.Decimals),
		"timestamp": p.At.Format("2006-01-02T15:04:05.000Z"), "txHash": p.Tx, "payerAddress": p.Payer, "payerEoaAddress": p.Payer,
		"network": d.o.Chain.Name, "currency": symbol, "paymentCurrency": symbol, "isCryptoToFiat": false, "subStatus": "",
		"paymentProcessor": "request-network", "fees": []any{},
	}
	if event != "payment.confirmed" && event != "payment.partial" {
		fields["clientId"], fields["origin"] = "cli_double", "https://double.invalid"
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings only
	}
	return body
}

// deliver tries a delivery until it is answered with 2xx or the retries are used up.
func (d *Double) deliver(ctx context.Context, url, delivery string, body []byte) {
	for try := 0; ; try++ {
		if d.post(ctx, url, delivery, try, body) {
			return
		}
		if try == len(d.o.Retries) {
			d.o.Log.WarnContext(ctx, "a webhook was given up", "delivery", delivery)
			return
		}
		if !pause(ctx, d.o.Retries[try]) {
			return
		}
	}
}

func (d *Double) post(ctx context.Context, url, delivery string, try int, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(requestnetwork.HeaderSignature, requestnetwork.Sign(d.o.Secret, body))
	req.Header.Set(requestnetwork.HeaderDelivery, delivery)
	req.Header.Set(requestnetwork.HeaderRetry, strconv.Itoa(try))
	resp, err := d.client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode/100 == 2
}
