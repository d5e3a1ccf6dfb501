package reactors

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
	"holdfast/eventstore/audit"
)

const shop = "0x00000000000000000000000000000000000A11cE"

func (w *world) by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: w.now()} }

// instructed takes a payout of n units up to its instruction.
func (w *world) instructed(n uint64) (domain.PayoutID, outgoing.Transfer) {
	w.t.Helper()
	id := domain.PayoutID(uuid.NewString())
	w.do(settlement.RequestPayout{Issue: w.by(asSeller), Payout: id, Seller: seller, Amount: money.Of(usdc, units(n)), Wallet: shop, Available: w.balance(ledger.SellerAvailable(seller), usdc)})
	t := w.transferTo(shop, n)
	w.do(settlement.BuildPayoutInstruction{Issue: w.by(asAdmin), Payout: id, Instruction: t})
	return id, t
}

// outbid signs a transfer again at a higher price.
func (w *world) outbid(t outgoing.Transfer, old outgoing.Tx) (outgoing.Tx, string) {
	w.t.Helper()
	u, err := w.client.Outbid(w.t.Context(), t, old)
	require.NoError(w.t, err)
	raw, err := w.signer.Sign(evm.TreasuryPath, u)
	require.NoError(w.t, err)
	tx, err := evm.Decode(raw)
	require.NoError(w.t, err)
	require.NoError(w.t, tx.Outbids(old))
	require.NoError(w.t, w.rows.Transactions.Keep(w.t.Context(), tx.Chain, tx.Hash, raw))
	return tx, raw
}

// sent records a payout's transaction and sends it.
func (w *world) sent(n uint64) (domain.PayoutID, outgoing.Transfer, outgoing.Tx) {
	w.t.Helper()
	id, t := w.instructed(n)
	tx, raw := w.sign(t)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: tx})
	_, err := w.client.Send(w.t.Context(), raw)
	require.NoError(w.t, err)
	return id, t, tx
}

func (w *world) payout(id domain.PayoutID) payout.State {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), eventstore.NewExecutor(w.store), payout.Decider, string(id))
	require.NoError(w.t, err)
	return s
}

func (w *world) refund(id domain.RefundID) refund.State {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), eventstore.NewExecutor(w.store), refund.Decider, string(id))
	require.NoError(w.t, err)
	return s
}

// follow mines and lets a fresh follower look, as often as it takes to settle what is under way.
// Each pass is another process's where again is true.
func (w *world) follow(f *ChainFollower, rounds, blocks int) {
	w.t.Helper()
	for range rounds {
		w.caughtUp()
		w.passes(f.loop)
		w.chain.Mine(blocks)
	}
	w.caughtUp()
	w.passes(f.loop)
}

// got is what the chain says a recipient has.
func (w *world) got(who string) money.Units {
	w.t.Helper()
	b, err := w.chain.Balance(w.t.Context(), devchain.USDC, who)
	require.NoError(w.t, err)
	return b
}

// booked demands that the log verifies: chain of hashes, books equal to the events, sums.
func (w *world) booked() {
	w.t.Helper()
	head, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	totals, err := w.store.Balances(w.t.Context(), "", 0)
	require.NoError(w.t, err)
	r, err := audit.Verify(w.t.Context(), w.codec, audit.Subject{Read: w.store.ReadRaw, Head: head, Balances: totals})
	require.NoError(w.t, err)
	require.True(w.t, r.OK, "%+v", r)
}

func TestAPayoutIsReplacedByAHigherTipAndPaidOnce(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	id, transfer, first := w.sent(900)
	second, raw := w.outbid(transfer, first)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin2), Payout: id, Tx: second})
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: second}) // told twice
	_, err := w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	f := w.follower(nil)
	w.follow(f, 4, 2)
	assert.Equal(t, payout.PhaseConfirmed, w.payout(id).Phase)
	assert.Equal(t, 1, w.count("payout.replaced", string(id)))
	assert.Equal(t, 1, w.count("payout.confirmed", string(id)))
	assert.Equal(t, units(900), w.got(shop))
	assert.Equal(t, units(75), w.balance(ledger.SellerAvailable(seller), usdc))
	assert.True(t, w.balance(ledger.ClearingPayout(id), usdc).IsZero())
	w.booked()
}

func TestTwoSignersCannotPayOneInstructionTwice(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	id, transfer, _ := w.sent(400)
	try := func(change func(*outgoing.Transfer)) string {
		other := transfer
		change(&other)
		u := outgoing.Tx{Hash: "0x" + strings.Repeat("ab", 32), Transfer: other}
		before := w.position()
		_, err := w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, settlement.SignPayout{Issue: w.by(asAdmin2), Payout: id, Tx: u}.Run)
		assert.Equal(t, before, w.position(), "a refusal wrote something")
		return code(err)
	}
	assert.Equal(t, "PAYOUT_IN_PROGRESS", try(func(o *outgoing.Transfer) { o.Nonce++ }), "another nonce is another payment")
	assert.Equal(t, "INSTRUCTION_MISMATCH", try(func(o *outgoing.Transfer) { o.To = devchain.Payer(2) }))
	assert.Equal(t, "INSTRUCTION_MISMATCH", try(func(o *outgoing.Transfer) { o.Amount = money.Of(usdc, units(401)) }))
	assert.Equal(t, "INSTRUCTION_MISMATCH", try(func(o *outgoing.Transfer) { o.From = devchain.Payer(2) }))
	// Another payout cannot have the nonce either.
	second := domain.PayoutID(uuid.NewString())
	w.do(settlement.RequestPayout{Issue: w.by(asSeller), Payout: second, Seller: seller, Amount: money.Of(usdc, units(400)), Wallet: shop, Available: units(575)})
	_, err := w.x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, settlement.BuildPayoutInstruction{Issue: w.by(asAdmin), Payout: second, Instruction: transfer}.Run)
	assert.Equal(t, "NONCE_IN_USE", code(err))
	w.follow(w.follower(nil), 3, 2)
	assert.Equal(t, units(400), w.got(shop))
	w.booked()
}

// The replacement is mined in one fork and the first transaction in another: it is one payment
// in both.
func TestBothTransactionsOfAReplacedPairMinedOnForks(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	id, transfer, first := w.sent(900)
	firstRaw, _, err := w.rows.Transactions.Raw(t.Context(), devchain.ChainID, first.Hash)
	require.NoError(t, err)
	second, raw := w.outbid(transfer, first)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: second})
	_, err = w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	f := w.follower(nil)
	w.follow(f, 3, 2)
	require.Equal(t, payout.PhaseConfirmed, w.payout(id).Phase)
	// The fork has neither, and then the first one.
	require.NoError(t, w.chain.ReplaceSince(w.minedAt(id), true))
	_, err = w.client.Send(t.Context(), firstRaw)
	require.NoError(t, err)
	w.chain.Mine(1)
	w.follow(f, 4, 2)
	s := w.payout(id)
	assert.Equal(t, payout.PhaseConfirmed, s.Phase)
	assert.Equal(t, 1, w.count("payout.reorged", string(id)))
	assert.Equal(t, 2, w.count("payout.confirmed", string(id)))
	assert.Equal(t, units(900), w.got(shop), "paid once")
	assert.True(t, w.balance(ledger.ClearingPayout(id), usdc).IsZero())
	out, err := w.client.Outcome(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, out.Fee, w.balance(ledger.NetworkFee, coin), "the gas of the one that is not mined any more is not booked any more")
	w.booked()
}

// A stuck payout is given up by hand: another transaction takes the nonce. Neither the first
// transaction nor its replacement can be mined any more, so the money is the seller's again.
func TestAPayoutWhoseNonceIsTakenFailsAlthoughItWasReplaced(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	id, transfer := w.instructed(900)
	first, _ := w.sign(transfer)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: first})
	second, _ := w.outbid(transfer, first)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: second})
	nothing := transfer // one unit to ourselves
	nothing.To, nothing.Amount = devchain.Treasury, money.Of(usdc, units(1))
	_, raw := w.outbid(nothing, second)
	_, err := w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	w.chain.Mine(1)
	f := w.follower(nil)
	w.caughtUp()
	w.passes(f.loop)
	assert.Equal(t, payout.PhaseBroadcast, w.payout(id).Phase, "not before the other one stands firmly")
	w.follow(f, 4, 2)
	assert.Equal(t, payout.PhaseFailed, w.payout(id).Phase)
	assert.True(t, w.got(shop).IsZero())
	assert.Equal(t, units(975), w.balance(ledger.SellerAvailable(seller), usdc))
	// The seller asks again, and is paid once.
	again, _, _ := w.sent(900)
	w.follow(f, 4, 2)
	assert.Equal(t, payout.PhaseConfirmed, w.payout(again).Phase)
	assert.Equal(t, units(900), w.got(shop))
	w.booked()
}

// The token refuses: its transfer reverts, as a blocklisted recipient's would.
func TestARevertedPayoutIsTheSellersAgain(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	id := domain.PayoutID(uuid.NewString())
	w.do(settlement.RequestPayout{Issue: w.by(asSeller), Payout: id, Seller: seller, Amount: money.Of(usdc, units(900)), Wallet: shop, Available: units(975)})
	away := w.transferTo(devchain.Payer(2), 0)
	away.Amount = money.Of(usdc, w.got(devchain.Treasury))
	transfer := w.transferTo(shop, 900)
	transfer.Nonce++
	w.do(settlement.BuildPayoutInstruction{Issue: w.by(asAdmin), Payout: id, Instruction: transfer})
	tx, raw := w.sign(transfer)
	_, awayRaw := w.sign(away) // all tokens leave the treasury before the payout is mined
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: tx})
	for _, r := range []string{awayRaw, raw} {
		_, err := w.client.Send(t.Context(), r)
		require.NoError(t, err)
	}
	w.follow(w.follower(nil), 4, 2)
	assert.Equal(t, payout.PhaseFailed, w.payout(id).Phase)
	assert.True(t, w.got(shop).IsZero())
	assert.Equal(t, units(975), w.balance(ledger.SellerAvailable(seller), usdc))
	assert.Equal(t, 1, w.count("treasury.network_fee_incurred", ""), "what failed costs gas too")
	w.booked()
}

// slow answers to every sent transaction only after the client has given up; the node behind
// it has taken it all the same.
func slow(t *testing.T, node string, counted *atomic.Int32) *httptest.Server {
	t.Helper()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), http.MethodPost, node, strings.NewReader(string(body)))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		defer res.Body.Close()
		if strings.Contains(string(body), "eth_sendRawTransaction") {
			counted.Add(1)
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(rw, res.Body)
	}))
	t.Cleanup(func() { close(release); s.Close() })
	return s
}

func TestASendThatTimedOutAfterItWasTakenIsNotASecondPayment(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	var sends atomic.Int32
	node := slow(t, w.chain.URL(), &sends)
	bad, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{node.URL}, Timeout: 300 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(bad.Close)
	id, transfer := w.instructed(900)
	tx, raw := w.sign(transfer)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: tx})
	_, err = bad.Send(t.Context(), raw)
	assert.Equal(t, "CHAIN_UNAVAILABLE", code(err), "nobody can tell whether it was taken")
	f := w.follower(bad)
	for range 3 {
		w.caughtUp()
		_, _ = f.pass(t.Context())
	}
	w.chain.Mine(1)
	w.follow(w.follower(nil), 3, 2)
	assert.Equal(t, payout.PhaseConfirmed, w.payout(id).Phase)
	assert.Positive(t, sends.Load())
	assert.Equal(t, units(900), w.got(shop))
	assert.Equal(t, []string{outgoing.NormalHash(tx.Hash)}, w.payout(id).Txs)
	w.booked()
}

func TestReorganisationsAfterAPayoutAndAfterARefund(t *testing.T) {
	t.Parallel()
	const threshold = 3 // of the development chain
	for _, depth := range []int{1, threshold - 1, threshold, threshold + 5} {
		for _, drop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d blocks, dropped %v", depth, drop), func(t *testing.T) {
				t.Parallel()
				w := withChain(t)
				w.released(1000)
				b := w.paid(500)
				w.float(1000)
				p, _, _ := w.sent(900)
				r := domain.RefundID(uuid.NewString())
				w.do(settlement.RequestRefund{
					Issue: w.by(asAdmin), Refund: r, Hold: b.hold, Source: refund.FromHeld, Mode: refund.Full,
					Terms: &settlement.RefundTerms{Address: &refund.Address{Text: devchain.Payer(1), Origin: refund.VerifiedWallet, Screening: "clean"}},
				})
				had := w.got(devchain.Payer(1))
				tx, raw := w.sign(w.transferTo(devchain.Payer(1), 500))
				w.do(settlement.SignRefund{Issue: w.by(asAdmin), Refund: r, Tx: tx, From: devchain.Treasury, Screening: "clean"})
				_, err := w.client.Send(t.Context(), raw)
				require.NoError(t, err)
				w.chain.Mine(1)
				mined := w.chain.Head()
				f := w.follower(nil)
				w.caughtUp()
				w.passes(f.loop)
				w.chain.Mine(max(depth-1, 0))
				w.caughtUp()
				w.passes(f.loop)
				firm := depth >= threshold
				assert.Equal(t, firm, w.payout(p).Phase == payout.PhaseConfirmed)
				require.Equal(t, mined, w.chain.Head()-uint64(depth)+1)
				require.NoError(t, w.chain.Reorg(depth, drop))
				w.follow(w.follower(nil), 6, 2) // another process
				assert.Equal(t, payout.PhaseConfirmed, w.payout(p).Phase)
				assert.Equal(t, refund.PhaseConfirmed, w.refund(r).Phase)
				assert.Equal(t, units(900), w.got(shop), "paid once")
				assert.Equal(t, had.Plus(units(500)), w.got(devchain.Payer(1)), "refunded once")
				if firm {
					assert.Equal(t, 1, w.count("payout.reorged", string(p)))
					assert.Equal(t, 1, w.count("refund.reorged", string(r)))
				}
				assert.True(t, w.balance(ledger.ClearingPayout(p), usdc).IsZero())
				assert.True(t, w.balance(ledger.ClearingRefund(r), usdc).IsZero())
				assert.Equal(t, units(75), w.balance(ledger.SellerAvailable(seller), usdc))
				w.booked()
			})
		}
	}
}

func TestTwentyRequestsAtOnceTakeWhatThereIs(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000) // 975 for the seller
	var accepted, refused atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			x := eventstore.NewExecutor(w.store)
			_, err := x.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, settlement.RequestPayout{
				Issue: w.by(asSeller), Payout: domain.PayoutID(uuid.NewString()), Seller: seller, Amount: money.Of(usdc, units(100)), Wallet: shop, Available: units(975),
			}.Run)
			switch code(err) {
			case "":
				accepted.Add(1)
			case "INSUFFICIENT_AVAILABLE":
				refused.Add(1)
			default:
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 9, accepted.Load())
	assert.EqualValues(t, 11, refused.Load())
	assert.Equal(t, units(75), w.balance(ledger.SellerAvailable(seller), usdc))
	w.booked()
}
