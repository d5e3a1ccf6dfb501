package reactors

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
)

// keys signs with the development chain's mnemonic.
type keys struct{ s *evm.LocalSigner }

func (k keys) SignDestination(_ context.Context, index uint32, u network.Unsigned) (string, error) {
	return k.s.Sign(evm.DestinationPath(index), u)
}

func (k keys) SignGas(_ context.Context, u network.Unsigned) (string, error) {
	return k.s.Sign(evm.TreasuryPath, u)
}

func (w *world) sweeper() *Sweeper {
	w.t.Helper()
	registry, err := network.New(devchain.Network())
	require.NoError(w.t, err)
	return NewSweeper(SweeperOptions{
		Network: devchain.Network(), Chain: w.client, Decode: evm.Decode, Signer: keys{w.signer}, Kept: w.rows.Transactions, Executor: w.x,
		Watch: w.watch, Treasury: devchain.Treasury, Gas: devchain.Treasury, Token: registry.Token,
	})
}

// balance of an account on its credit side, or debit side for custody.
func (w *world) balance(a ledger.Account, asset money.Asset) money.Units {
	w.t.Helper()
	b, err := w.store.Balance(w.t.Context(), a, asset)
	require.NoError(w.t, err)
	kind, err := ledger.KindOf(a)
	require.NoError(w.t, err)
	plus, minus := b.CreditsPosted, b.DebitsPosted
	if kind.Debit {
		plus, minus = minus, plus
	}
	left, ok := plus.Sub(minus)
	require.True(w.t, ok, "%s is below zero", a)
	return left
}

func units(n uint64) money.Units { return money.FromUint64(n) }

// paid brings an order's money in and confirms it.
func (w *world) paid(due uint64) bill {
	w.t.Helper()
	f := w.follower(nil)
	b := w.order(due)
	w.pay(b, due)
	w.passes(f.loop)
	w.chain.Mine(3)
	w.caughtUp()
	w.passes(f.loop)
	require.Equal(w.t, escrow.FundedPhase, w.hold(b.hold).Phase())
	return b
}

func TestConfirmedMoneyIsSweptOnceWithGasFromTheTreasury(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.paid(1000)
	before, err := w.chain.Balance(t.Context(), devchain.USDC, devchain.Treasury)
	require.NoError(t, err)
	f := w.follower(nil)
	for range 6 {
		w.caughtUp()
		w.passes(w.sweeper().loop) // each round is another process's
		w.chain.Mine(3)
		w.passes(f.loop)
	}
	assert.Equal(t, 1, w.count("destination.sweep_broadcast", ""))
	assert.Equal(t, 1, w.count("destination.sweep_confirmed", ""))
	assert.Equal(t, 2, w.count("treasury.network_fee_incurred", ""), "of the top-up and of the sweep")
	assert.Equal(t, units(1000), w.balance(ledger.Treasury, usdc))
	// What is left of the gas is where the books say.
	coin := network.NativeAsset(devchain.ChainID)
	onChain, err := w.client.Balance(t.Context(), coin, b.address)
	require.NoError(t, err)
	assert.Equal(t, onChain, w.balance(ledger.Derived(w.payment(b.payment).Destination), coin))
	assert.False(t, onChain.IsZero())
	after, err := w.chain.Balance(t.Context(), devchain.USDC, devchain.Treasury)
	require.NoError(t, err)
	assert.Equal(t, before.Plus(units(1000)), after)
	left, err := w.chain.Balance(t.Context(), devchain.USDC, b.address)
	require.NoError(t, err)
	assert.True(t, left.IsZero())
}

// deaf is a chain that drops what is sent to it, as if the process had died before.
type deaf struct{ SweepChain }

func (deaf) Send(context.Context, string) (string, error) { return "", errKilled }

func TestASweepThatWasRecordedAndNeverSentIsSentByTheFollower(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.paid(1000)
	s := w.sweeper()
	w.caughtUp()
	for w.count("destination.sweep_broadcast", "") == 0 {
		s.o.Chain = w.client
		if gas := w.hasGas(s); gas {
			s.o.Chain = deaf{w.client}
		}
		_, _ = s.pass(t.Context())
		w.chain.Mine(1)
	}
	f := w.follower(nil)
	for range 3 {
		w.caughtUp()
		w.passes(f.loop)
		w.chain.Mine(4)
	}
	w.passes(f.loop)
	assert.Equal(t, 1, w.count("destination.sweep_confirmed", ""))
	assert.Equal(t, units(1000), w.balance(ledger.Treasury, usdc))
}

// hasGas reports whether the one address to be swept got its top-up.
func (w *world) hasGas(s *Sweeper) bool {
	w.t.Helper()
	all, err := w.watch.Sweepable(w.t.Context(), devchain.ChainID)
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	gas, err := w.client.Balance(w.t.Context(), network.NativeAsset(devchain.ChainID), all[0].Address)
	require.NoError(w.t, err)
	return !gas.IsZero()
}

// sign signs a transfer with the treasury's key, as a custody signer would.
func (w *world) sign(t outgoing.Transfer) (outgoing.Tx, string) {
	w.t.Helper()
	u, err := w.client.Build(w.t.Context(), t)
	require.NoError(w.t, err)
	raw, err := w.signer.Sign(evm.TreasuryPath, u)
	require.NoError(w.t, err)
	tx, err := evm.Decode(raw)
	require.NoError(w.t, err)
	require.NoError(w.t, w.rows.Transactions.Keep(w.t.Context(), tx.Chain, tx.Hash, raw))
	return tx, raw
}

// float gives the treasury units on the chain and in the books.
func (w *world) float(n uint64) {
	w.t.Helper()
	_, err := w.chain.Transfer(w.t.Context(), 2, devchain.USDC, devchain.Treasury, units(n))
	require.NoError(w.t, err)
	w.do(funding.ContributeCapital{
		Entry:   funding.Entry{Issue: domain.Issue{By: asAdmin, At: w.now()}, Approver: asAdmin2, Ref: uuid.NewString(), Amount: money.Of(usdc, units(n)), Reason: "float"},
		Custody: ledger.Treasury,
	})
}

func (w *world) transferTo(to string, n uint64) outgoing.Transfer {
	w.t.Helper()
	nonce, err := w.client.NextNonce(w.t.Context(), devchain.Treasury)
	require.NoError(w.t, err)
	return outgoing.Transfer{Chain: devchain.ChainID, From: devchain.Treasury, To: to, Token: devchain.USDC, Amount: money.Of(usdc, units(n)), Nonce: nonce}
}

// released pays a seller out of an order, all of it, and books enough custody to send it.
func (w *world) released(due uint64) {
	w.t.Helper()
	b := w.paid(due)
	w.float(10 * due)
	w.do(funding.ReleaseEscrow{Issue: domain.Issue{By: asBuyer, At: w.now()}, Hold: b.hold, Early: true})
}

func TestAPayoutThatWasRecordedAndNeverSentArrivesOnce(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	to := "0x00000000000000000000000000000000000A11cE"
	id := domain.PayoutID(uuid.NewString())
	i := func(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: w.now()} }
	w.do(settlement.RequestPayout{Issue: i(asSeller), Payout: id, Seller: seller, Amount: money.Of(usdc, units(900)), Wallet: to, Available: units(975)})
	transfer := w.transferTo(to, 900)
	w.do(settlement.BuildPayoutInstruction{Issue: i(asAdmin), Payout: id, Instruction: transfer})
	tx, _ := w.sign(transfer)
	w.do(settlement.RecordPayoutSignature{Issue: i(asAdmin), Payout: id, Tx: tx})
	w.do(settlement.BroadcastPayout{Issue: i(asAdmin), Payout: id})
	// The process died here: nothing was sent.
	f := w.follower(nil)
	for range 4 {
		w.caughtUp()
		w.passes(f.loop)
		w.chain.Mine(1)
	}
	w.passes(f.loop)
	got, err := w.chain.Balance(t.Context(), devchain.USDC, to)
	require.NoError(t, err)
	assert.Equal(t, units(900), got)
	assert.Equal(t, 1, w.count("payout.confirmed", string(id)))
	assert.Equal(t, 1, w.count("treasury.network_fee_incurred", ""))

	// The block is undone, and the same transaction mined again: nothing is paid anew, and the
	// fee is not booked twice.
	require.NoError(t, w.chain.ReplaceSince(w.minedAt(id), false))
	for range 4 {
		w.caughtUp()
		w.passes(f.loop)
		w.chain.Mine(2)
	}
	w.passes(f.loop)
	assert.Equal(t, 1, w.count("payout.reorged", string(id)))
	assert.Equal(t, 2, w.count("payout.confirmed", string(id)))
	assert.Equal(t, 1, w.count("treasury.network_fee_incurred", ""))
	got, err = w.chain.Balance(t.Context(), devchain.USDC, to)
	require.NoError(t, err)
	assert.Equal(t, units(900), got)
}

func (w *world) minedAt(id domain.PayoutID) uint64 {
	w.t.Helper()
	all, err := w.store.LoadStream(w.t.Context(), domain.Stream{Type: payout.Category, ID: string(id)}, 0)
	require.NoError(w.t, err)
	for _, r := range all {
		if e, ok := r.Event.(payout.Confirmed); ok {
			return e.Evidence.Block
		}
	}
	w.t.Fatal("the payout was never confirmed")
	return 0
}

func TestARefundWhoseNonceAnotherTransactionUsedFails(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.paid(1000)
	w.float(5000)
	to := "0x00000000000000000000000000000000000A11cE"
	id := domain.RefundID(uuid.NewString())
	w.do(settlement.RequestRefund{
		Issue: domain.Issue{By: asAdmin, At: w.now()}, Refund: id, Hold: b.hold, Source: refund.FromHeld, Mode: refund.Full, Reason: domain.About(buyer, "broken"),
		Terms: &settlement.RefundTerms{Address: &refund.Address{Text: to, Origin: "buyer", Screening: "clean"}},
	})
	transfer := w.transferTo(to, 1000)
	tx, _ := w.sign(transfer)
	w.do(settlement.BroadcastRefund{Issue: domain.Issue{By: asAdmin, At: w.now()}, Refund: id, Tx: tx, Screening: "clean"})
	other := transfer
	other.Amount = money.Of(usdc, units(1))
	_, raw := w.sign(other)
	_, err := w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	f := w.follower(nil)
	for range 4 {
		w.chain.Mine(2)
		w.caughtUp()
		w.passes(f.loop)
	}
	s, _, err := eventstore.State(t.Context(), eventstore.NewExecutor(w.store), refund.Decider, string(id))
	require.NoError(t, err)
	assert.Equal(t, refund.PhaseFailed, s.Phase)
	assert.Equal(t, units(1000), w.balance(ledger.BuyerAvailable(buyer), usdc), "it is the buyer's credit")
	w.passes(w.policies().loop)
	assert.Equal(t, escrow.ClosedPhase, w.hold(b.hold).Phase(), "nothing is left in the hold")
}

func TestABreachStopsTheAssetUntilItIsMended(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-time.Hour), 2*time.Hour)
	w.transfer(b, 1000, "0xa1")
	s := NewSolvency(w.pool, w.x, nil)
	w.passes(s.loop)
	assert.Zero(t, w.count("breaker.solvency_breached", ""))
	i := domain.Issue{By: domain.Machine(domain.Process, "test"), At: w.now()}
	entry := func(ref string, n uint64) funding.Entry {
		return funding.Entry{Issue: i, Ref: ref, Amount: money.Of(usdc, units(n)), Reason: "test"}
	}
	w.do(funding.RecordCustodyVariance{Entry: entry("stolen", 300), Custody: ledger.Derived(w.payment(b.payment).Destination), Loss: true})
	w.passes(s.loop)
	assert.Equal(t, 1, w.count("breaker.solvency_breached", ""))
	_, err := w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, funding.ReleaseEscrow{Issue: domain.Issue{By: asBuyer, At: w.now()}, Hold: b.hold, Early: true}.Run)
	assert.Equal(t, "ASSET_PAUSED", code(err))
	w.do(funding.ContributeCapital{Entry: entry("mended", 300), Custody: ledger.Treasury})
	w.passes(s.loop)
	w.passes(s.loop)
	assert.Equal(t, 1, w.count("breaker.solvency_breached", ""))
	assert.Equal(t, 1, w.count("breaker.solvency_restored", ""))

	// Adding up only what is new gives what adding up everything gives.
	fresh, _, err := readSums(t.Context(), w.pool, nil)
	require.NoError(t, err)
	for asset, want := range fresh.assets {
		got := s.sums.assets[asset]
		assert.Equal(t, want.custody.String(), got.custody.String(), asset)
		assert.Equal(t, want.liabilities.String(), got.liabilities.String(), asset)
		assert.Equal(t, want.overdrawn, got.overdrawn, asset)
	}
}

// X7: an undone sweep leaves the treasury below zero although the sum is right.
func TestAnOverdrawnPocketIsABreach(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.orderAt(1000, w.now().Add(-time.Hour), 2*time.Hour)
	w.transfer(b, 1000, "0xa1")
	i := domain.Issue{By: domain.Machine(domain.Process, "test"), At: w.now()}
	d := w.payment(b.payment).Destination
	w.do(funding.BroadcastSweep{Issue: i, Destination: d, Sweep: "w", Amount: money.Of(usdc, units(1000)), Tx: "0xb1"})
	w.do(funding.ConfirmSweep{Issue: i, Destination: d, Sweep: "w", Block: 9, BlockHash: "0x02"})
	w.do(funding.WithdrawCapital{Entry: funding.Entry{Issue: i, Ref: "spent", Amount: money.Of(usdc, units(1000)), Reason: "test"}, Custody: ledger.Treasury})
	s := NewSolvency(w.pool, w.x, nil)
	w.passes(s.loop)
	require.Equal(t, 1, w.count("breaker.solvency_breached", ""), "it owes the buyer")
	w.do(funding.ContributeCapital{Entry: funding.Entry{Issue: i, Ref: "back", Amount: money.Of(usdc, units(1000)), Reason: "test"}, Custody: ledger.Treasury})
	w.passes(s.loop)
	w.do(funding.WithdrawCapital{Entry: funding.Entry{Issue: i, Ref: "again", Amount: money.Of(usdc, units(500)), Reason: "test"}, Custody: ledger.Treasury})
	w.do(funding.ReorgSweep{Issue: i, Destination: d, Sweep: "w"})
	w.passes(s.loop)
	assert.Equal(t, 2, w.count("breaker.solvency_breached", ""))
	assert.Equal(t, map[string]bool{"custody:treasury": true}, s.sums.assets[usdc].overdrawn)
}

func TestTheLogIsSignedWhenItHasGrown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := NewCheckpointer(w.store, nil)
	w.passes(c.loop)
	w.order(1000)
	w.passes(c.loop)
	w.passes(c.loop)
	all, err := w.store.Checkpoints(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, w.position(), all[0].Position)
}
