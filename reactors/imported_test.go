package reactors

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/migration"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/request"
)

// imported takes a payment of the old backend with its order and its own address, n tells them apart.
func (w *world) imported(n int, status string) bill {
	w.t.Helper()
	oid := func(kind string) string { return "65a00000000000000000" + kind + strconv.Itoa(10+n) }
	networks, err := network.New(devchain.Network())
	require.NoError(w.t, err)
	names := func(collection, id string) string {
		switch {
		case id == "" || collection == migration.Users:
			return id
		}
		return migration.ID(collection, id)
	}
	from := func(id string) migration.Found {
		return migration.Found{Legacy: domain.Legacy{ObjectID: id, Hash: id + status, CreatedAt: w.now().Add(-48 * time.Hour)}}
	}
	i := migration.Import(domain.Issue{At: w.now()})
	rules := migration.Policy{Networks: networks, Escrow: escrow.Terms{FeeBPS: 250}, Grace: time.Hour, Migration: "legacy", Topic: evm.ReferenceTopic, Enforced: true}
	d := w.destination()
	b := bill{
		request: migration.RequestID(oid("b")), hold: migration.HoldID(oid("b")), payment: migration.PaymentID(oid("a")), address: d.Address, reference: "0x11223344556677" + strconv.Itoa(10+n), at: w.now(),
	}
	w.do(migration.TakeRequest{Issue: i, Names: names, Document: migration.Request{
		Found: from(oid("b")), Buyer: string(buyer), Seller: string(seller), SelectedOffer: oid("c"), Status: "payment",
		Details: request.Details{Title: "A drill", Quantity: 1, DeliveryType: "physical"}, Description: "as good as new",
	}})
	w.do(migration.TakeOffer{Issue: i, Names: names, Document: migration.Offer{
		Found: from(oid("c")), Request: oid("b"), Seller: string(seller), Status: "pending", Title: "A drill", Price: offer.Price{Amount: money.Of(usdc, money.FromUint64(1_000_000)), Currency: "USDC", Display: "1"},
	}})
	p := migration.Payment{
		Found: from(oid("a")), Request: oid("b"), Offer: oid("c"), Buyer: string(buyer), Seller: string(seller), Amount: "1", Currency: "USDC", Provider: "request.network", Reference: b.reference,
		Chain: devchain.ChainID, Token: devchain.USDC, Receiver: d.Address, Status: status, ExpiresAt: w.now().Add(-24 * time.Hour),
	}
	m, err := rules.Judge(p, nil)
	require.NoError(w.t, err)
	w.do(migration.TakePayment{Issue: i, Names: names, Document: p, Money: m, Policy: rules, Address: migration.PaidTo{Destination: oid("d"), Address: d.Address, Path: d.Path}})
	w.do(migration.TakeDestination{Issue: i, Names: names, Policy: rules, Fingerprint: "dev", Document: migration.Destination{
		Found: from(oid("d")), Address: d.Address, Path: d.Path, Chain: devchain.ChainID, Index: d.Index, Payment: oid("a"), Status: "assigned",
	}})
	return b
}

// The follower finds what comes to an address that the old backend had given out, through the payment
// contract and directly, for payments that wait and for those that had been given up.
func TestTheFollowerFindsMoneyForImportedPayments(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	f := w.follower(nil)
	byProxy, direct, late := w.imported(1, "pending"), w.imported(2, "pending"), w.imported(3, "cancelled")
	w.pay(byProxy, 1_000_000)
	for _, b := range []bill{direct, late} {
		_, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, b.address, money.FromUint64(1_000_000))
		require.NoError(t, err)
	}
	for range 3 {
		w.chain.Mine(30)
		w.passes(f.loop)
	}
	for name, b := range map[string]bill{"through the contract": byProxy, "directly": direct, "late": late} {
		assert.Equal(t, payment.PaidPhase, w.payment(b.payment).Phase, name)
		assert.Equal(t, escrow.FundedPhase, w.hold(b.hold).Phase(), name)
		held, err := w.store.Balance(t.Context(), ledger.Held(b.hold), usdc)
		require.NoError(t, err)
		assert.Equal(t, money.FromUint64(1_000_000), held.CreditsPosted, name)
	}
	// What came, and was not there for any payment that had expired here meanwhile, is unmatched.
	over := w.imported(4, "pending")
	w.do(funding.ExpirePayment{Issue: domain.Issue{By: asAdmin, At: w.now()}, Payment: over.payment})
	w.pay(over, 1_000_000)
	for range 2 {
		w.chain.Mine(30)
		w.passes(f.loop)
	}
	assert.Equal(t, payment.ExpiredPhase, w.payment(over.payment).Phase)
	assert.Equal(t, 1, w.count("suspense.recorded", ""))
}
