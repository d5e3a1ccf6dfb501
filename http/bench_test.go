package http_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkCommandOverhead is what this room adds to a money command: routing, identity,
// strict JSON, idempotency, schema, envelope. The command itself names a payout that is not
// there, so no append is in it.
func BenchmarkCommandOverhead(b *testing.B) {
	w := setup(b)
	c := w.as(w.users.named("admin"))
	h := w.server.Handler()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r := httptest.NewRequest(http.MethodPost, "/api/payment/payouts/11111111-1111-4111-8111-111111111111/approve", strings.NewReader(`{"revision":1}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Idempotency-Key", strconv.Itoa(i))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != http.StatusNotFound {
			b.Fatal(rec.Body.String())
		}
	}
}
