package http_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/payment"
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

// BenchmarkKnowingWhoCalls is one read without identity, with a token and with a cookie: what it
// costs to know who calls. cmd/bench measures the same over the network.
func BenchmarkKnowingWhoCalls(b *testing.B) {
	w := setup(b)
	c := w.as(w.users.named("buyer"))
	h := w.server.Handler()
	for name, headers := range map[string]http.Header{
		"nobody": {}, "token": {"Authorization": {"Bearer " + c.token}}, "cookie": {"Cookie": {"__Host-hf_access=" + c.token}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				r := httptest.NewRequest(http.MethodGet, "/api/payment/health", nil)
				r.Header = headers
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Body.String())
				}
			}
		})
	}
}

// BenchmarkReleases is a keyed release on real PostgreSQL through the whole room, from 64
// callers at once; cmd/bench measures the same over the network.
func BenchmarkReleases(b *testing.B) {
	w := setup(b, checkingOut, onLog)
	admin := w.as(w.users.named("admin"))
	h := w.server.Handler()
	paths := make([]string, 300)
	for i := range paths {
		hold := w.funded(w.users.named("buyer").ID, w.users.named("seller").ID, 1_000_000_000)
		id := domain.PaymentID(uuid.NewString())
		paths[i] = "/api/payment/" + string(id) + "/release"
		w.onHold(hold, escrow.MarkReleasable{Issue: process(), Cause: "bench"})
		w.do(func(u *domain.Unit) error {
			_, err := domain.Do(u, payment.Decider, string(id), payment.Initiate{
				Issue: process(), Payment: id, Hold: hold, Request: "r", Offer: "o",
				Buyer: w.users.named("buyer").ID, Seller: w.users.named("seller").ID, Due: money.Of(usdt, money.FromUint64(1)),
				Threshold: payment.Threshold{Need: 1, Floor: 1}, ExpiresAt: time.Now().Add(time.Hour),
			})
			return err
		})
	}
	var n, refused atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			r := httptest.NewRequest(http.MethodPost, paths[int(i)%len(paths)], strings.NewReader(`{"amount":{"amount":"1"}}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+admin.token)
			r.Header.Set("Idempotency-Key", strconv.FormatInt(i, 10))
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			if rec.Code != http.StatusOK {
				refused.Add(1)
				b.Log(rec.Body.String())
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "releases/s")
	b.ReportMetric(float64(refused.Load()), "refused")
}
