package reactors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/reconciliation"
	"holdfast/domain/treasury"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/bookview"
	"holdfast/projections/breakview"
	"holdfast/projections/views"
	"holdfast/projections/watchview"
)

// withBooks is withChain with every read model, and books that agree with the chain.
func withBooks(t *testing.T) *world {
	t.Helper()
	w := withChain(t)
	registry, err := projections.NewRegistry(views.Projectors()...)
	require.NoError(t, err)
	w.runner, err = projections.New(w.pool, w.codec, registry, projections.Options{Poll: 20 * time.Millisecond, Linger: time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, w.runner.Register(t.Context()))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.runner.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	chain, err := network.New(devchain.Network())
	require.NoError(t, err)
	for _, token := range chain.Tokens(devchain.ChainID) {
		account := ledger.Treasury
		if token.Asset() == network.NativeAsset(devchain.ChainID) {
			account = ledger.Gas(fmt.Sprint(devchain.ChainID))
		}
		w.endow(token.Asset(), account)
	}
	return w
}

// endow books what the chain gave the treasury at its beginning.
func (w *world) endow(asset money.Asset, account ledger.Account) {
	balance, err := w.client.Balance(w.t.Context(), asset, devchain.Treasury)
	require.NoError(w.t, err)
	if balance.IsZero() {
		return
	}
	w.do(funding.ContributeCapital{
		Entry:   funding.Entry{Issue: domain.Issue{By: asAdmin, At: w.now()}, Approver: asAdmin2, Ref: string(asset), Amount: money.Of(asset, balance), Reason: "initial"},
		Custody: account,
	})
}

// reconciler makes one that waits only a moment before it looks again.
func (w *world) reconciler(change ...func(*ReconcilerOptions)) *Reconciler {
	w.t.Helper()
	registry, err := network.New(devchain.Network())
	require.NoError(w.t, err)
	o := ReconcilerOptions{
		Pool: w.pool, Executor: w.x, Books: bookview.New(w.pool), Breaks: breakview.New(w.pool, w.codec), Positions: w.runner,
		Chains: func() map[uint64]Statement { return map[uint64]Statement{devchain.ChainID: w.client} }, Tokens: registry.Tokens,
		Treasury: devchain.Treasury, Hour: -1, Page: 2, Tries: 2, Settle: time.Millisecond,
	}
	for _, c := range change {
		c(&o)
	}
	return NewReconciler(o)
}

// reconcile makes a run and gives the standing breaks by kind.
func (w *world) reconcile(r *Reconciler) (reconciliation.RunCompleted, []breakview.Row) {
	w.t.Helper()
	_, result, err := r.Reconcile(w.t.Context(), asAdmin, nil)
	require.NoError(w.t, err)
	head, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	require.NoError(w.t, w.runner.WaitFor(w.t.Context(), breakview.Name, head.Position))
	page, err := breakview.New(w.pool, w.codec).List(w.t.Context(), breakview.Filter{Standing: true}, projections.Page{Limit: 100, Sort: projections.Oldest})
	require.NoError(w.t, err)
	return result, page.Rows
}

func kinds(rows []breakview.Row) []string {
	all := []string{}
	for _, row := range rows {
		all = append(all, fmt.Sprintf("%s %s %s", row.Doc.Finding.Kind, row.Doc.Finding.Amount.Units, row.Doc.Phase))
	}
	slices.Sort(all)
	return all
}

// paidAndSwept brings an order's money in, confirms it and sweeps it to the treasury.
func (w *world) paidAndSwept(due uint64) bill {
	w.t.Helper()
	b := w.paid(due)
	f := w.follower(nil)
	for range 6 {
		w.caughtUp()
		w.passes(w.sweeper().loop)
		w.chain.Mine(3)
		w.passes(f.loop)
	}
	require.Equal(w.t, 1, w.count("destination.sweep_confirmed", string(w.payment(b.payment).Destination)))
	return b
}

func (w *world) resolve(id string, way reconciliation.Way, shown *network.Deposit) error {
	f := funding.ResolveBreak{Issue: domain.Issue{By: asAdmin, At: w.now()}, Approver: asAdmin2, Break: id, Way: way, Reason: "looked into it", Shown: shown}
	_, err := w.x.Execute(w.t.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
	return err
}

func TestAWorldInWhichAllAgreeHasNoBreaks(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	w.paidAndSwept(1000)
	w.paid(500)
	b := w.order(300)
	w.pay(b, 300) // seen, not confirmed
	w.passes(w.follower(nil).loop)
	for range 5 {
		w.order(100) // nobody has paid these
	}
	result, breaks := w.reconcile(w.reconciler())
	assert.Empty(t, kinds(breaks))
	assert.True(t, result.OK(), "%+v", result)
	assert.Equal(t, int64(8), result.Counts.Payments)
	assert.Equal(t, int64(3), result.Counts.Transfers)
	assert.Equal(t, w.chain.Head(), result.Heads[fmt.Sprint(devchain.ChainID)])
	assert.Equal(t, 1, w.count("reconciliation.run_completed", ""))

	// A sweep that was recorded, sent and mined, but is not confirmed: chain and ledger see it at
	// different stages, and that is no break.
	for range 4 {
		w.caughtUp()
		w.passes(w.sweeper().loop)
		w.chain.Mine(1)
	}
	_, breaks = w.reconcile(w.reconciler())
	assert.Empty(t, kinds(breaks), "while sweeps are under way")
}

// TestMoneyToASweptAddressIsFoundAndBooked: the scanner is off, and the payment has long closed.
func TestMoneyToASweptAddressIsFoundAndBooked(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	b := w.paidAndSwept(1000)
	_, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, b.address, units(70))
	require.NoError(t, err)
	_, err = w.chain.Transfer(t.Context(), 2, devchain.USDT, b.address, units(5))
	require.NoError(t, err)
	r := w.reconciler()
	result, breaks := w.reconcile(r)
	require.Equal(t, []string{"missing_in_ledger 70 Open", "wrong_asset 5 Open"}, kinds(breaks))
	assert.False(t, result.OK())
	_, again := w.reconcile(r)
	require.Len(t, again, 2, "the second run lists the same two")
	assert.Equal(t, 1, again[0].Doc.Times)

	for _, row := range breaks {
		f := row.Doc.Finding
		shown, err := r.Shown(t.Context(), *f.Deposit)
		require.NoError(t, err)
		require.NotNil(t, shown)
		elsewhere := *shown
		elsewhere.Log++
		require.ErrorIs(t, w.resolve(row.ID, reconciliation.Rescan, &elsewhere), reconciliation.ErrNothingThere)
		require.NoError(t, w.resolve(row.ID, reconciliation.Rescan, shown))
		require.ErrorIs(t, w.resolve(row.ID, reconciliation.Rescan, shown), reconciliation.ErrResolved)
	}
	assert.Equal(t, units(5), w.balance(ledger.Suspense, network.TokenAsset(devchain.ChainID, devchain.USDT)), "it is nobody's until somebody assigns it")
	w.chain.Mine(3)
	w.caughtUp()
	w.passes(w.follower(nil).loop)
	assert.Equal(t, units(70), w.balance(ledger.BuyerAvailable(buyer), usdc), "more than was due is the buyer's credit")
	result, breaks = w.reconcile(r)
	assert.Empty(t, kinds(breaks))
	assert.True(t, result.OK())
	assert.Equal(t, int64(2), result.Counts.Closed)
	picture, err := r.Payment(t.Context(), b.payment)
	require.NoError(t, err)
	assert.Empty(t, picture.Breaks)
	assert.Len(t, picture.Ledger.Transfers, 3)
	assert.Equal(t, "70", picture.Chain.Balances[usdc])
}

// TestABookingWithNoChainAndADrainedTreasury: both are losses; each is booked once, by two people.
func TestABookingWithNoChainAndADrainedTreasury(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	w.paid(1000)
	w.float(100)
	other := w.order(40)
	e := payment.Evidence{Chain: devchain.ChainID, Tx: "0x" + strings.Repeat("de", 32), Log: 0, Block: 1, BlockHash: "0x" + strings.Repeat("0a", 32)}
	witness := domain.Issue{By: domain.Machine(domain.Chain, "liar"), At: w.now()}
	w.do(funding.RecordTransfer{Issue: witness, Payment: other.payment, Evidence: e, Amount: money.Of(usdc, units(40)), From: devchain.Payer(1)})
	w.do(funding.ConfirmTransfer{Issue: witness, Payment: other.payment, Evidence: e, Depth: 9})
	// Somebody moves tokens of the treasury past the service.
	_, raw := w.sign(w.transferTo(devchain.Payer(2), 25))
	_, err := w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	w.chain.Mine(1)

	r := w.reconciler()
	_, breaks := w.reconcile(r)
	listed := kinds(breaks)
	require.Contains(t, listed, "missing_on_chain 40 Open")
	require.Contains(t, listed, "custody_short 25 Open")
	require.Len(t, listed, 3, "and the gas of the theft: %v", listed)

	picture, err := r.Payment(t.Context(), other.payment)
	require.NoError(t, err)
	require.Len(t, picture.Breaks, 1)
	assert.Equal(t, reconciliation.MissingOnChain, picture.Breaks[0].Finding.Kind)
	assert.False(t, picture.Ledger.Transfers[0].OnChain)

	before := w.position()
	alone := funding.ResolveBreak{Issue: domain.Issue{By: asAdmin, At: w.now()}, Approver: asAdmin, Break: breaks[0].ID, Way: reconciliation.WriteOff, Reason: "x"}
	_, err = w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, alone.Run)
	require.ErrorIs(t, err, reconciliation.ErrSelfApproval)
	require.Equal(t, before, w.position(), "a refusal writes nothing")
	for _, row := range breaks {
		require.NoError(t, w.resolve(row.ID, reconciliation.WriteOff, nil))
	}
	assert.Equal(t, 3, w.count("treasury.custody_variance_recorded", ""))
	assert.Equal(t, units(65), w.balance(ledger.ChainLoss, usdc))
	result, breaks := w.reconcile(r)
	assert.Equal(t, []string{"missing_on_chain 40 Settled"}, kinds(breaks), "the chain will never show it, but it is booked off")
	assert.Equal(t, int64(2), result.Counts.Closed)
	assert.True(t, result.OK())
}

// TestAnExplanationHoldsWhileTheDifferenceDoes.
func TestAnExplanationHoldsWhileTheDifferenceDoes(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	r := w.reconciler()
	gift := func() {
		_, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, devchain.Treasury, units(11))
		require.NoError(t, err)
	}
	gift()
	_, breaks := w.reconcile(r)
	require.Equal(t, []string{"custody_over 11 Open"}, kinds(breaks))
	require.NoError(t, w.resolve(breaks[0].ID, reconciliation.Explain, nil))
	result, breaks := w.reconcile(r)
	assert.Equal(t, []string{"custody_over 11 Explained"}, kinds(breaks))
	assert.True(t, result.OK(), "nothing is left to explain")
	gift()
	result, breaks = w.reconcile(r)
	assert.Equal(t, []string{"custody_over 22 Open"}, kinds(breaks), "another difference needs another explanation")
	assert.False(t, result.OK())
	require.NoError(t, w.resolve(breaks[0].ID, reconciliation.BookFound, nil))
	assert.Equal(t, units(22), w.balance(ledger.Suspense, usdc))
	_, breaks = w.reconcile(r)
	assert.Empty(t, breaks)

	// The same reference is booked once, whoever asks.
	twice := funding.RecordCustodyVariance{Entry: funding.Entry{
		Issue: domain.Issue{By: asAdmin, At: w.now()}, Approver: asAdmin2, Ref: "reconciliation:x:1", Amount: money.Of(usdc, units(1)), Reason: "x",
	}, Custody: ledger.Treasury}
	w.do(twice)
	_, err := w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, twice.Run)
	require.ErrorIs(t, err, treasury.ErrBooked)
}

// liar is a provider's API over HTTP that claims whatever a test puts into it.
func liar(t *testing.T, claims *[]map[string]any) Statements {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, one := strings.CutPrefix(r.URL.Path, "/v2/request/"); one {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"requestId": id, "hasBeenPaid": true})
			return
		}
		found := []map[string]any{}
		for _, c := range *claims {
			if id := r.URL.Query().Get("requestId"); id == "" || c["request"].(map[string]string)["requestId"] == id {
				found = append(found, c)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"payments": found, "pagination": map[string]bool{"hasMore": false}})
	}))
	t.Cleanup(s.Close)
	registry, err := network.New(devchain.Network())
	require.NoError(t, err)
	c, err := requestnetwork.New(requestnetwork.Options{BaseURL: s.URL, APIKey: "k", Registry: registry})
	require.NoError(t, err)
	return paidLists{c}
}

type paidLists struct{ *requestnetwork.Client }

func (p paidLists) Paid(ctx context.Context, from, to time.Time, offset int) ([]network.Hint, bool, error) {
	return p.Payments(ctx, requestnetwork.Query{From: from, To: to, Offset: offset})
}

func claim(b bill, tx, amount string) map[string]any {
	return map[string]any{"amount": amount, "sourceNetwork": devchain.Network().Name, "sourceTxHash": tx, "request": map[string]string{"requestId": b.provider, "paymentReference": b.reference}}
}

func TestTheProvidersWordIsHeldAgainstTheChain(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	unpaid, b := w.order(500), w.order(1000)
	sent := w.pay(b, 1000)
	f := w.follower(nil)
	w.passes(f.loop)
	w.chain.Mine(3)
	w.caughtUp()
	w.passes(f.loop)
	never := "0x" + strings.Repeat("ab", 32)
	claims := []map[string]any{claim(b, sent.Tx, "1000"), claim(b, sent.Tx, "1000"), claim(unpaid, never, "500")}
	r := w.reconciler(func(o *ReconcilerOptions) { o.Provider = liar(t, &claims) })
	result, breaks := w.reconcile(r)
	require.Equal(t, []string{"double_report 0 Open", "provider_only 500 Open"}, kinds(breaks))
	assert.Equal(t, int64(3), result.Counts.Reports)
	assert.Zero(t, w.count("payment.detected", string(unpaid.payment)), "its word moves nothing")
	picture, err := r.Payment(t.Context(), unpaid.payment)
	require.NoError(t, err)
	assert.True(t, picture.Told.Asked)
	require.Len(t, picture.Breaks, 1)

	// Without the provider nothing is known about its breaks; when it takes its word back they go.
	_, breaks = w.reconcile(w.reconciler())
	assert.Len(t, breaks, 2)
	claims = []map[string]any{claim(b, sent.Tx, "1000")}
	_, breaks = w.reconcile(r)
	assert.Empty(t, kinds(breaks))
}

// flaky is a chain that stops answering after some calls.
type flaky struct {
	Statement
	left int
	err  error
}

func (f *flaky) Look(ctx context.Context, txs []string) (map[string]network.Looked, error) {
	if f.left--; f.left < 0 {
		return nil, f.err
	}
	return f.Statement.Look(ctx, txs)
}

func TestARunGoesOnWhereItStoppedAndOneAtATime(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	for range 5 {
		w.order(100)
	}
	b := w.paid(700)
	_, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, b.address, units(9))
	require.NoError(t, err)
	died := errors.New("the process died")
	dying := w.reconciler(func(o *ReconcilerOptions) {
		broken := &flaky{Statement: w.client, left: 2, err: died}
		o.Chains = func() map[uint64]Statement { return map[uint64]Statement{devchain.ChainID: broken} }
	})
	_, _, err = dying.Reconcile(t.Context(), asAdmin, nil)
	require.ErrorIs(t, err, died)
	_, err = w.reconciler().Start(t.Context(), asAdmin)
	require.ErrorIs(t, err, ErrReconciling, "the run is still open")

	// Another process holds the lock: the loop leaves the run alone.
	unlock, err := dying.rows.lock(t.Context())
	require.NoError(t, err)
	_, err = w.reconciler().work(t.Context(), time.Minute, nil)
	require.ErrorIs(t, err, ErrReconciling)
	more, err := w.reconciler().pass(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	unlock()

	// Two processes want to finish it: one works, both see the same result.
	var both sync.WaitGroup
	results := make([]reconciliation.RunCompleted, 2)
	for i := range results {
		both.Go(func() {
			var err error
			_, results[i], err = w.reconciler().Reconcile(t.Context(), asAdmin, nil)
			assert.NoError(t, err)
		})
	}
	both.Wait()
	assert.Equal(t, int64(6), results[0].Counts.Payments, "pages that were done are not done again")
	assert.Equal(t, int64(1), results[0].Counts.Breaks)
	assert.LessOrEqual(t, w.count("reconciliation.run_started", ""), 2)
	assert.Equal(t, w.count("reconciliation.run_started", ""), w.count("reconciliation.run_completed", ""))
	assert.Equal(t, 1, w.count("reconciliation.break_found", ""))
	var kept int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM reconciliation_marks`).Scan(&kept))
	assert.Zero(t, kept)
}

// TestAChainThatIsDownClosesNothing: what was not looked at is not gone.
func TestAChainThatIsDownClosesNothing(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	b := w.paid(700)
	_, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, b.address, units(9))
	require.NoError(t, err)
	_, breaks := w.reconcile(w.reconciler())
	require.Len(t, breaks, 1)
	down := w.reconciler(func(o *ReconcilerOptions) {
		o.Chains = func() map[uint64]Statement {
			return map[uint64]Statement{devchain.ChainID: &flaky{Statement: w.client, err: errNotRead}}
		}
	})
	result, breaks := w.reconcile(down)
	assert.Len(t, breaks, 1)
	assert.Equal(t, map[string]string{fmt.Sprint(devchain.ChainID): "CHAIN_NOT_CONFIGURED"}, result.Unread)
	assert.False(t, result.OK())
}

// TestTheNightBeginsOneRun, in however many processes.
func TestTheNightBeginsOneRun(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	for range 3 {
		w.passes(w.reconciler(func(o *ReconcilerOptions) { o.Hour = 0 }).loop)
	}
	assert.Equal(t, 1, w.count("reconciliation.run_started", ""))
	assert.Equal(t, 1, w.count("reconciliation.run_completed", ""))
	w.passes(w.reconciler().loop)
	assert.Equal(t, 1, w.count("reconciliation.run_started", ""), "and none where it is switched off")
}

// TestWhatNobodyFollowsIsFound: money under way without a transaction, a pending entry too old.
func TestWhatNobodyFollowsIsFound(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	b := w.paid(300)
	d := w.payment(b.payment).Destination
	sweep := domain.SweepID(uuid.NewString())
	w.do(funding.BroadcastSweep{Issue: domain.Issue{By: domain.Machine(domain.Process, "test"), At: w.now()}, Destination: d, Sweep: sweep, Amount: money.Of(usdc, units(300)), Tx: "0x" + strings.Repeat("cc", 32)})
	w.caughtUp()
	late := w.order(50)
	w.pay(late, 50)
	w.passes(w.follower(nil).loop)
	_, err := w.pool.Exec(t.Context(), `DELETE FROM views.watched_transactions`)
	require.NoError(t, err)
	_, breaks := w.reconcile(w.reconciler(func(o *ReconcilerOptions) { o.PendingLimit = time.Nanosecond }))
	listed := kinds(breaks)
	assert.Contains(t, listed, "in_transit_stuck 300 Open")
	assert.Contains(t, listed, "pending_too_old 50 Open")
	assert.Contains(t, listed, "custody_over 300 Open", "the tokens have not moved")
}

// Where another address than the treasury pays for gas, each is compared with its own account.
func TestGasIsComparedWithItsOwnAddress(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	gasAt := devchain.Payer(3)
	r := w.reconciler(func(o *ReconcilerOptions) { o.Gas = gasAt })
	treasury, station := w.coinOf(devchain.Treasury), w.coinOf(gasAt)
	result, rows := w.reconcile(r)
	assert.False(t, result.OK())
	var subjects []string
	for _, row := range rows {
		subjects = append(subjects, row.Doc.Finding.Subject.Type+" "+string(row.Doc.Finding.Account))
	}
	gas := ledger.Gas(fmt.Sprint(devchain.ChainID))
	assert.ElementsMatch(t, []string{"treasury " + string(ledger.Treasury), "gas " + string(gas)}, subjects, "the treasury's coin was booked as gas")

	entry := func(ref string, amount money.Units) funding.Entry {
		return funding.Entry{Issue: w.by(asAdmin), Approver: asAdmin2, Ref: ref, Amount: money.Of(coin, amount), Reason: "where it stands"}
	}
	w.do(funding.WithdrawCapital{Entry: entry("out", treasury), Custody: gas})
	w.do(funding.ContributeCapital{Entry: entry("in", treasury), Custody: ledger.Treasury})
	w.do(funding.ContributeCapital{Entry: entry("gas", station), Custody: gas})
	result, rows = w.reconcile(r)
	assert.Empty(t, kinds(rows))
	assert.True(t, result.OK())

	f := w.follower(nil)
	f.o.OwnGas = true
	payout := watchview.Transaction{Chain: devchain.ChainID, Hash: "0x01", Kind: watchview.Payout}
	fee, ok := f.fee(w.by(asAdmin), payout, payout.Hash, network.Outcome{Fee: units(1)}).(funding.RecordNetworkFee)
	require.True(t, ok)
	assert.Equal(t, ledger.Treasury, fee.Custody, "what the treasury sends, it pays for itself")
}
