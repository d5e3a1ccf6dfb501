package migration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/migration"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/safety"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/audit"
	"holdfast/eventstore/memory"
)

const (
	usdt    = money.Asset("eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955")
	paidOID = "65a0000000000000000000a1"
	reqOID  = "65a0000000000000000000b1"
	argOID  = "65a0000000000000000000c1"
	addrOID = "65a0000000000000000000d1"
	address = "0x1111111111111111111111111111111111111111"
)

var (
	bridge = domain.Machine(domain.Import, "legacy")
	buyer  = domain.User(domain.UserID(name("users", "buyer")), domain.Buyer)
	seller = domain.User(domain.UserID(name("users", "seller")), domain.Seller)
	admin  = domain.User("A1", domain.Admin)
	policy = domain.Machine(domain.Process, "policy")
	chain  = domain.Machine(domain.Chain, "56")
	timer  = domain.Machine(domain.Timer, "timers")
	hold   = migration.HoldID(reqOID)
	paid   = migration.PaymentID(paidOID)
	where  = migration.DestinationID(addrOID)
	stands = ledger.Derived(where)
)

// name is our name of a document; the tests call people by their parts.
func name(collection, objectID string) string {
	if objectID == "" {
		return ""
	}
	return migration.ID(collection, objectID)
}

// units are whole tokens with 18 decimals.
func units(n uint64) money.Units {
	return money.FromUint64(n).MulDivFloor(money.MustUnits("1000000000000000000"), money.FromUint64(1))
}

func amount(n uint64) money.Amount { return money.Of(usdt, units(n)) }

// world is a log with the bridge's rules.
type world struct {
	*scenariotest.World
	policy migration.Policy
}

func newWorld(t testing.TB) *world {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	require.NoError(t, err)
	networks, err := network.Known()
	require.NoError(t, err)
	return &world{scenariotest.NewWorld(t, memory.New(codec)), migration.Policy{
		Networks: networks, Escrow: escrow.Terms{FeeBPS: 500, Inspection: 48 * time.Hour, DisputeWindow: time.Hour}, Safety: safety.Policy{},
		Grace: 24 * time.Hour, Migration: "legacy", Topic: func(string) (string, error) { return "0xtopic", nil }, Enforced: true,
	}}
}

// document is a payment of 100 USDT on BNB Smart Chain.
func document(status, state string) migration.Payment {
	return migration.Payment{
		Found:   migration.Found{Legacy: domain.Legacy{ObjectID: paidOID, Hash: "hash of " + status + state, CreatedAt: scenariotest.Start.Add(-time.Hour)}},
		Request: reqOID, Offer: "offer", Buyer: "buyer", Seller: "seller", Amount: "100", Currency: "USDT",
		Provider: "request.network", ProviderPayment: "01ab", Reference: "0x1122334455667788",
		Chain: 56, Token: "0x55d398326f99059fF775485246999027B3197955", Receiver: address, Confirmations: 15, Status: status, EscrowState: state,
	}
}

var own = migration.PaidTo{Destination: addrOID, Address: address, Path: "0/7"}

// moves are the entries of the old books: type, amount, type, amount …
func moves(of ...string) (all []migration.Entry) {
	for i := 0; i < len(of); i += 2 {
		all = append(all, migration.Entry{
			Found: migration.Found{Legacy: domain.Legacy{ObjectID: fmt.Sprintf("65a0000000000000000e%04d", i)}}, Payment: paidOID, Type: of[i], Amount: of[i+1], Currency: "USDT",
		})
	}
	return all
}

// take judges a payment and gives the flow that takes it.
func (w *world) take(d migration.Payment, a migration.PaidTo, entries ...migration.Entry) (scenariotest.Flow, error) {
	m, err := w.policy.Judge(d, entries)
	return migration.TakePayment{Issue: w.By(bridge), Document: d, Money: m, Address: a, Names: name, Policy: w.policy}, err
}

func (w *world) pay(d migration.Payment, a migration.PaidTo, entries ...migration.Entry) {
	w.T.Helper()
	f, err := w.take(d, a, entries...)
	require.NoError(w.T, err)
	w.Do(f)
}

// argue takes a dispute's document.
func (w *world) argue(status string) {
	w.T.Helper()
	w.Do(migration.TakeDispute{Issue: w.By(bridge), Names: name, Policy: w.policy, Terms: dispute.StandardTerms(), Document: migration.Dispute{
		Found:   migration.Found{Legacy: domain.Legacy{ObjectID: argOID, Hash: "hash of " + status}},
		Payment: paidOID, Request: reqOID, Buyer: "buyer", Seller: "seller", Opener: "buyer", Resolver: "resolver",
		Category: "damaged", Priority: "high", Reason: "It is broken.", Amount: "100", Status: status,
	}})
}

// derive takes the document of the address that the payment was made to.
func (w *world) derive(status string) {
	w.T.Helper()
	w.Do(migration.TakeDestination{Issue: w.By(bridge), Names: name, Policy: w.policy, Fingerprint: "xpub", Document: migration.Destination{
		Found:   migration.Found{Legacy: domain.Legacy{ObjectID: addrOID, Hash: "hash of " + status}},
		Address: address, Path: "0/7", Chain: 56, Index: 7, Payment: paidOID, Status: status,
		Balances: []migration.Balance{{Currency: "USDT", Token: "0x55d398326f99059fF775485246999027B3197955", Units: units(100).String()}},
	}})
}

func (w *world) hold() escrow.State {
	return scenariotest.StateOf(w.World, escrow.Decider, string(hold))
}

// balances compares accounts, and the identity of every hold with the ledger.
func (w *world) balances(want map[ledger.Account]uint64) {
	w.T.Helper()
	for a, n := range want {
		if got := w.Balance(a, usdt); got != units(n) {
			w.T.Errorf("%s is %s, want %d tokens", a, got, n)
		}
	}
	w.sound()
}

// sound checks what `holdfast verify` checks: the ledger is what the events imply, its sums agree,
// and each hold is what its accounts say.
func (w *world) sound() []eventstore.Totals {
	w.T.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	require.NoError(w.T, err)
	books, holds := audit.NewLedger(codec), audit.Holds{}
	for _, r := range w.Read(0) {
		require.NoError(w.T, books.Apply(r))
		holds.Apply(r)
	}
	totals := books.Totals()
	problems, err := audit.CheckTotals(totals)
	require.NoError(w.T, err)
	more, err := holds.Check(totals)
	require.NoError(w.T, err)
	require.Empty(w.T, append(problems, more...))
	for _, t := range totals {
		have, err := w.Store.Balance(w.T.Context(), t.Account, t.Asset)
		require.NoError(w.T, err)
		require.Equal(w.T, t, have)
	}
	return totals
}
