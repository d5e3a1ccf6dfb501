package http_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

const webhookPath = "/api/payment/request-network/webhook"

func signed(body []byte) func(*http.Request) {
	return header("X-Request-Network-Signature", signature(body))
}

func TestWebhookSignatures(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := []byte(`{"event":"payment.confirmed","requestId":"r"}`)
	good := signature(body)
	flipped := []byte(good)
	flipped[10] ^= 1
	for name, sig := range map[string]string{
		"empty": "", "upper": strings.ToUpper(good), "prefix": "sha256=" + good, "short": good[:63],
		"long": good + "0", "one bit": string(flipped), "other secret": strings.Repeat("ab", 32), "not hex": strings.Repeat("zz", 32),
	} {
		a := w.anybody().post(webhookPath, body, header("X-Request-Network-Signature", sig))
		assert.Equal(t, 401, a.status, name)
		assert.Equal(t, "WEBHOOK_SIGNATURE_INVALID", a.code, name)
	}
	missing := w.anybody().post(webhookPath, body)
	assert.Equal(t, 401, missing.status)
	twice := w.anybody().post(webhookPath, body, signed(body), func(r *http.Request) { r.Header.Add("X-Request-Network-Signature", good) })
	assert.Equal(t, 401, twice.status)
	assert.Zero(t, w.inbox.count(), "nothing is written for a wrong signature")
	assert.Equal(t, 415, w.anybody().post(webhookPath, body, signed(body), header("Content-Type", "text/plain")).status)
	assert.Equal(t, 405, w.anybody().get(webhookPath).status)
}

func TestWebhookStoresBeforeItAnswers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := []byte("{ \"event\" : \"payment.confirmed\" }\n")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			a := w.anybody().post(webhookPath, body, signed(body), header("X-Request-Network-Delivery", "01J"))
			assert.Equal(t, 200, a.status, string(a.raw))
		})
	}
	all.Wait()
	assert.Equal(t, 1, w.inbox.count())
	assert.Equal(t, body, w.inbox.rows[0].Body, "the bytes are kept as they came")
	// The header is not signed: a new id is a new row, and ingestion knows better.
	assert.Equal(t, 200, w.anybody().post(webhookPath, body, signed(body), header("X-Request-Network-Delivery", "02J")).status)
	assert.Equal(t, 2, w.inbox.count())
	assert.Zero(t, w.events())
}

func TestSignedNonsenseIsKeptAndRefusedOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i, text := range []string{`{`, `[]`, strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), `{"a":"\u0000"}`, `{"amount":1e400}`} {
		body := []byte(text)
		a := w.anybody().post(webhookPath, body, signed(body), header("X-Request-Network-Delivery", fmt.Sprint(i)))
		assert.Equal(t, 400, a.status, text)
		assert.Equal(t, "INVALID_PAYLOAD", a.code, text)
		assert.NotEmpty(t, w.inbox.rows[i].Quarantine)
	}
	big := []byte(strings.Repeat(" ", 10<<20+1))
	assert.Equal(t, 413, w.anybody().post(webhookPath, big, signed(big)).status)
}

func TestDeliveriesAndReplay(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := []byte(`{"event":"payment.confirmed"}`)
	w.anybody().post(webhookPath, body, signed(body), header("X-Request-Network-Delivery", "01J"))
	guard, admin := w.as(w.users.named("guard")), w.as(w.users.named("admin"))
	assert.Contains(t, string(guard.get(webhookPath+"/deliveries").raw), "01J")
	assert.Equal(t, 403, guard.post(webhookPath+"/replay", map[string]string{"deliveryId": "01J"}).status)
	assert.Equal(t, "1", admin.post(webhookPath+"/replay", map[string]string{"deliveryId": "01J"}).text("count"))
	assert.Equal(t, 404, admin.post(webhookPath+"/replay", map[string]string{"deliveryId": "no"}).status)
	assert.Equal(t, "VALIDATION_FAILED", admin.post(webhookPath+"/replay", map[string]string{}).code)
	assert.Equal(t, "VALIDATION_FAILED", admin.post(webhookPath+"/replay", map[string]string{"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}).code)
}
