package http_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// vault is a custody whose chain takes everything; its signer is a real one, so that what comes
// back is decoded and compared as in production.
type vault struct {
	mu     sync.Mutex
	signer *evm.LocalSigner
	next   uint64
	gas    uint64 // price of now
	limit  uint64
	kept   map[string]string
	sent   []string
	used   string // signed transaction that has the instruction's nonce
	down   bool   // the node does not answer
}

func newVault(t *testing.T) *vault {
	t.Helper()
	s, err := evm.NewLocalSigner(devchain.Mnemonic)
	require.NoError(t, err)
	return &vault{signer: s, next: 7, gas: 10, limit: 1000, kept: map[string]string{}}
}

func (v *vault) Treasury() string { return devchain.Treasury }

func (v *vault) Nonce(context.Context, uint64, string) (uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next++
	return v.next - 1, nil
}

func (v *vault) Instruction(ctx context.Context, amount money.Amount, to string) (outgoing.Transfer, error) {
	nonce, err := v.Nonce(ctx, 56, "")
	return outgoing.Transfer{Chain: 56, From: devchain.Treasury, To: to, Token: "0x55d398326f99059fF775485246999027B3197955", Amount: amount, Nonce: nonce}, err
}

func (v *vault) Unsigned(_ context.Context, t outgoing.Transfer, replaces outgoing.Tx) (network.Unsigned, error) {
	price := v.gas
	if !replaces.MaxFee.IsZero() {
		price *= 2
	}
	if price > v.limit {
		return network.Unsigned{}, evm.ErrGasTooHigh
	}
	return network.Unsigned{
		Chain: t.Chain, From: t.From, To: t.Token, Nonce: t.Nonce, Gas: 60000, MaxFee: money.FromUint64(price), Tip: money.FromUint64(price),
		Data: "0xa9059cbb" + fmt.Sprintf("%064s", t.To[2:]) + fmt.Sprintf("%064x", t.Amount.Units.Uint256().ToBig()),
	}, nil
}

func (v *vault) UsedBy(context.Context, outgoing.Transfer) (string, error) { return v.used, nil }

func (v *vault) Decode(_ context.Context, chain uint64, signed string) (outgoing.Tx, error) {
	tx, err := evm.Decode(signed)
	if err == nil && tx.Chain != chain {
		err = outgoing.ErrInstructionMismatch
	}
	return tx, err
}

func (v *vault) CheckFee(tx outgoing.Tx) error {
	if money.FromUint64(v.limit).Less(tx.MaxFee) {
		return evm.ErrGasTooHigh
	}
	return nil
}

func (v *vault) Fetch(_ context.Context, _ uint64, hash string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if raw, ok := v.kept[hash]; ok {
		return raw, nil
	}
	return "", evm.ErrTxUnknown
}

func (v *vault) Keep(_ context.Context, tx outgoing.Tx, signed string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kept[tx.Hash] = signed
	return nil
}

func (v *vault) Kept(ctx context.Context, chain uint64, hash string) (outgoing.Tx, bool, error) {
	raw, err := v.Fetch(ctx, chain, hash)
	if errors.Is(err, evm.ErrTxUnknown) {
		return outgoing.Tx{}, false, nil
	}
	tx, err := evm.Decode(raw)
	return tx, true, err
}

func (v *vault) Send(_ context.Context, _ outgoing.Tx, signed string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return evm.ErrUnavailable
	}
	v.sent = append(v.sent, signed)
	return nil
}

// signed signs what an answer asks for, at a price, with one thing changed.
func (v *vault) signed(t *testing.T, transfer outgoing.Transfer, price uint64) string {
	t.Helper()
	u, err := v.Unsigned(t.Context(), transfer, outgoing.Tx{})
	require.NoError(t, err)
	u.MaxFee, u.Tip = money.FromUint64(price), money.FromUint64(price)
	raw, err := v.signer.Sign(evm.TreasuryPath, u)
	require.NoError(t, err)
	return raw
}

// recipients screens from a list.
type recipients struct{ flagged string }

func (recipients) Read(_ money.Asset, text string) (string, error) { return evm.ParseAddress(text) }

func (r recipients) Screen(_ context.Context, _ uint64, address string) (string, error) {
	if outgoing.SameAddress(address, r.flagged) {
		return "flagged", nil
	}
	return "clean", nil
}

// sending is a world that can pay out of a funded treasury.
func sending(v *vault, options ...option) []option {
	return append([]option{paying, func(w *world) { w.deps.Custody, w.deps.Recipients = v, recipients{} }}, options...)
}

// float puts platform money into the treasury.
func (w *world) float(n uint64) {
	w.t.Helper()
	w.do(func(u *domain.Unit) error {
		_, err := funding.ContributeCapital{
			Entry:   funding.Entry{Issue: process(), Ref: fmt.Sprint("float", w.events()), Amount: money.Of(usdt, money.FromUint64(n)), Reason: "float"},
			Custody: ledger.Treasury,
		}.Run(u)
		return err
	})
}

// approved asks for a payout and has it approved.
func (w *world) approved(seller, admin *client, n string) string {
	w.t.Helper()
	asked := seller.post(payoutsPath, ask(n))
	require.Equal(w.t, 201, asked.status, string(asked.raw))
	path := payoutsPath + "/" + asked.text("payout")
	yes := admin.post(path+"/approve", map[string]any{"revision": 1})
	require.Equal(w.t, 200, yes.status, string(yes.raw))
	return path
}

func (w *world) transfer(path string) outgoing.Transfer {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), w.exec, payout.Decider, path[len(payoutsPath)+1:])
	require.NoError(w.t, err)
	require.NotNil(w.t, s.Instruction)
	return *s.Instruction
}

func TestAPayoutIsInstructedSignedAndReplaced(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := setup(t, sending(v)...)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	path := w.approved(seller, admin, "900")
	w.untouched(func() {
		short := admin.post(path+"/instruction", nil)
		assert.Equal(t, 409, short.status)
		assert.Equal(t, "CUSTODY_SHORT", short.code, "the decision stands and waits")
	})
	w.float(5000)
	v.gas = 5000
	w.untouched(func() {
		assert.Equal(t, "GAS_TOO_HIGH", admin.post(path+"/instruction", nil).code)
	})
	v.gas = 10
	built := admin.post(path+"/instruction", nil)
	require.Equal(t, 200, built.status, string(built.raw))
	assert.NotEmpty(t, built.text("unsigned.data"))
	right := w.transfer(path)
	w.untouched(func() {
		again := admin.post(path+"/instruction", nil)
		assert.Equal(t, built.text("instruction.nonce"), again.text("instruction.nonce"), "whoever signs twice signs one nonce")
		for name, c := range map[string]struct {
			change func(*outgoing.Transfer)
			code   string
		}{
			"to":     {func(x *outgoing.Transfer) { x.To = devchain.Payer(3) }, "INSTRUCTION_MISMATCH"},
			"amount": {func(x *outgoing.Transfer) { x.Amount = money.Of(usdt, money.FromUint64(901)) }, "INSTRUCTION_MISMATCH"},
			"token":  {func(x *outgoing.Transfer) { x.Token = devchain.USDC }, "INSTRUCTION_MISMATCH"},
			"chain":  {func(x *outgoing.Transfer) { x.Chain = 1 }, "INSTRUCTION_MISMATCH"},
			"nonce":  {func(x *outgoing.Transfer) { x.Nonce++ }, "INSTRUCTION_MISMATCH"},
		} {
			x := right
			c.change(&x)
			a := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, x, 10)})
			assert.Equal(t, c.code, a.code, name)
			assert.Equal(t, 422, a.status, name)
		}
		dear := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, right, 5000)})
		assert.Equal(t, "GAS_TOO_HIGH", dear.code)
		assert.Equal(t, "TX_NOT_A_TRANSFER", admin.post(path+"/signed", map[string]any{"signedTx": "0x00"}).code)
		assert.Equal(t, 403, seller.post(path+"/signed", map[string]any{"signedTx": "0x00"}).status)
		assert.Empty(t, v.sent)
	})
	v.down = true // recorded before it is sent, and not lost when it cannot be
	first := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, right, 10)}, key("sign"))
	require.Equal(t, 200, first.status, string(first.raw))
	assert.Equal(t, "Broadcast", first.text("state"))
	v.down = false
	w.untouched(func() {
		same := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, right, 10)}, key("sign"))
		assert.Equal(t, string(first.raw), string(same.raw))
		other := right
		other.Nonce++
		second := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, other, 20)})
		assert.Equal(t, "PAYOUT_IN_PROGRESS", second.code, "a second signer, a second nonce: a second payment")
		assert.Equal(t, 409, second.status)
		other = right
		other.To = devchain.Payer(3)
		assert.Equal(t, "INSTRUCTION_MISMATCH", admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, other, 20)}).code)
		cheap := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, right, 9)})
		assert.Equal(t, "REPLACEMENT_INVALID", cheap.code)
		assert.Equal(t, "PAYOUT_IN_PROGRESS", seller.post(path+"/cancel", nil).code)
		assert.Equal(t, "PAYOUT_IN_PROGRESS", admin.post(path+"/reject", map[string]any{"reason": "too late"}).code)
	})
	more := admin.post(path+"/instruction", nil)
	require.Equal(t, 200, more.status, string(more.raw))
	assert.Equal(t, built.text("instruction.nonce"), more.text("instruction.nonce"))
	before := w.events()
	replaced := admin.post(path+"/signed", map[string]any{"signedTx": v.signed(t, right, 20)})
	require.Equal(t, 200, replaced.status, string(replaced.raw))
	assert.Equal(t, before+1, w.events(), "payout.replaced")
	assert.Len(t, v.sent, 2)
}

func TestAnInstructionThatWasCarriedOutElsewhereIsAdopted(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := setup(t, sending(v)...)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	w.float(5000)
	path := w.approved(seller, admin, "400")
	require.Equal(t, 200, admin.post(path+"/instruction", nil).status)
	v.used = v.signed(t, w.transfer(path), 10)
	a := admin.post(path+"/instruction", nil)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, "Broadcast", a.text("payout.state"), "it is this payout that has the nonce; nothing is signed again")

	other := w.approved(seller, admin, "300")
	require.Equal(t, 200, admin.post(other+"/instruction", nil).status)
	foreign := w.transfer(other)
	old := foreign.Nonce
	foreign.To = devchain.Payer(3)
	v.used = v.signed(t, foreign, 10)
	b := admin.post(other+"/instruction", nil)
	require.Equal(t, 200, b.status, string(b.raw))
	assert.Equal(t, "InstructionBuilt", b.text("payout.state"))
	assert.Greater(t, w.transfer(other).Nonce, old, "the old nonce is gone for good, so another one is safe")
}

func TestAFlaggedRecipientIsNotPaid(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := setup(t, sending(v, func(w *world) { w.deps.Recipients = recipients{flagged: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"} })...)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	w.float(5000)
	path := w.approved(seller, admin, "400")
	w.untouched(func() { assert.Equal(t, "ADDRESS_SCREENED", admin.post(path+"/instruction", nil).code) })
}

// Two admins at once, one approval needed: one of them decides, and nothing is approved twice.
func TestTwoAdminsApproveAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t, paying, onLog)
	seller := w.as(w.users.named("seller"))
	admins := []*client{w.as(w.users.named("admin")), w.as(w.users.named("admin2"))}
	w.earn(seller.id, 1000)
	asked := seller.post(payoutsPath, ask("900"))
	require.Equal(t, 201, asked.status)
	path := payoutsPath + "/" + asked.text("payout")
	before := w.events()
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for _, a := range admins {
		all.Go(func() {
			answer := a.post(path+"/approve", map[string]any{"revision": 1})
			mu.Lock()
			defer mu.Unlock()
			got[answer.status]++
		})
	}
	all.Wait()
	assert.Equal(t, map[int]int{200: 1, 409: 1}, got)
	assert.Equal(t, before+2, w.events(), "one agreement, one approval")
}

// faults.md 110: the destination was changed a minute ago.
func TestAChangedDestinationRests(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := setup(t, sending(v, func(w *world) { w.deps.Policy = cooling{policy{approvals: 1}} })...)
	seller, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	w.earn(seller.id, 1000)
	w.float(5000)
	path := w.approved(seller, admin, "900")
	id := domain.PayoutID(path[len(payoutsPath)+1:])
	w.do(func(u *domain.Unit) error {
		_, err := settlement.ChangePayoutDestination{Issue: domain.Issue{By: domain.User(seller.id, domain.Seller), At: time.Now().UTC()}, Payout: id, Wallet: devchain.Payer(2)}.Run(u)
		return err
	})
	w.untouched(func() {
		assert.Equal(t, "REVISION_STALE", admin.post(path+"/approve", map[string]any{"revision": 1}).code, "an approval of the old address does not count")
		assert.Equal(t, "WALLET_COOLING_OFF", admin.post(path+"/approve", map[string]any{"revision": 2}).code)
		assert.Equal(t, 409, admin.post(path+"/instruction", nil).status)
	})
}

// cooling is the policy with a rest.
type cooling struct{ policy }

func (c cooling) Terms(a money.Asset) (t apihttp.Terms) {
	t = c.policy.Terms(a)
	t.WalletCooling = 24 * time.Hour
	return t
}

func TestRefundAddressesRestAndCredit(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := setup(t, append([]option{checkingOut}, sending(v, onPostgres, func(w *world) { w.deps.Policy, w.deps.Wallets = cooling{policy{approvals: 1}}, wallets{} })[1:]...)...)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	admin := w.as(w.users.named("admin"))
	path := "/api/payment/" + id + "/refund"
	w.untouched(func() {
		assert.Equal(t, 403, o.seller.post(path, map[string]any{"address": devchain.Payer(2), "reason": "mine"}).status)
		assert.Equal(t, 403, admin.post(path, map[string]any{"address": devchain.Payer(2), "reason": "mine"}).status)
		bad := o.buyer.post(path, map[string]any{"address": "0x70997970c51812DC3A010C7d01b50e0d17dc79C8", "reason": "typo"})
		assert.Equal(t, "INVALID_ADDRESS", bad.code, string(bad.raw))
		assert.Equal(t, 400, o.buyer.post(path, map[string]any{"address": devchain.Payer(2), "walletId": "x", "reason": "both"}).status)
	})
	asked := o.buyer.post(path, map[string]any{"amount": map[string]any{"display": "10"}, "mode": "partial", "address": devchain.Payer(2), "reason": "a scratch"})
	require.Equal(t, 201, asked.status, string(asked.raw))
	one := "/api/payment/refunds/" + asked.text("refund")
	approved := admin.post(one+"/approve", map[string]any{})
	require.Equal(t, 200, approved.status, string(approved.raw))
	assert.Equal(t, "Approved", approved.text("state"))
	position := header("X-Min-Position", fmt.Sprint(w.events()))
	seen := o.buyer.get(one, position)
	assert.Equal(t, devchain.Payer(2), seen.text("address"), string(seen.raw))
	assert.NotEmpty(t, seen.text("restUntil"))
	assert.Empty(t, o.seller.get(one, position).text("address"), "the address is the buyer's business")
	assert.Equal(t, 404, w.as(w.users.named("buyer2")).get(one).status)

	list := w.as(w.users.named("guard")).get("/api/admin/money-out?kind=refund", position)
	assert.Contains(t, string(list.raw), `"waitsFor":"rest"`, string(list.raw))
	assert.Contains(t, string(list.raw), `"blockedBy":["custody_short"]`)
	assert.Equal(t, 403, o.buyer.get("/api/admin/money-out").status)
	assert.Contains(t, string(admin.get("/api/admin/money-out/summary", position).raw), `"blocked":1`)

	w.float(1)
	tx := outgoing.Transfer{Chain: 56, From: devchain.Treasury, To: devchain.Payer(2), Token: "0x55d398326f99059fF775485246999027B3197955", Amount: money.Of(usdt, money.MustUnits("10000000000000000000")), Nonce: 3}
	w.untouched(func() {
		early := admin.post(path+"/confirm", map[string]any{"refundId": asked.text("refund"), "signedTx": v.signed(t, tx, 10)})
		assert.Equal(t, "DESTINATION_COOLDOWN", early.code, string(early.raw))
		assert.Equal(t, 409, early.status)
		none := admin.post(path+"/confirm", map[string]any{"refundId": asked.text("refund")})
		assert.Equal(t, 400, none.status)
		unknown := admin.post(path+"/confirm", map[string]any{"refundId": asked.text("refund"), "txHash": "0x" + repeat("a", 64)})
		assert.Equal(t, "TX_UNKNOWN", unknown.code)
		assert.Equal(t, 403, admin.post(one+"/credit", nil).status)
	})
	kept := o.buyer.post(one+"/credit", nil)
	require.Equal(t, 200, kept.status, string(kept.raw))
	assert.Equal(t, "Failed", kept.text("state"))
	credit, err := w.store.Balance(t.Context(), ledger.BuyerAvailable(o.buyer.id), usdt)
	require.NoError(t, err)
	assert.Equal(t, "10000000000000000000", credit.CreditsPosted.String())
}

func TestARefundIsSignedByCustodyAndReplaced(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := setup(t, append([]option{checkingOut}, sending(v, onPostgres)[1:]...)...)
	o := selected(t, w)
	id := o.pay(t)
	o.arrive(id, eighty)
	admin := w.as(w.users.named("admin"))
	path := "/api/payment/" + id + "/refund"
	made := admin.post(path, map[string]any{"amount": map[string]any{"display": "10"}, "mode": "partial", "reason": "a scratch"})
	require.Equal(t, 201, made.status, string(made.raw))
	one := "/api/payment/refunds/" + made.text("refund")
	position := header("X-Min-Position", fmt.Sprint(w.events()))
	short := admin.get(one+"/instruction", position)
	assert.Equal(t, "CUSTODY_SHORT", short.code, string(short.raw))
	w.do(func(u *domain.Unit) error {
		_, err := funding.ContributeCapital{Entry: funding.Entry{Issue: process(), Ref: "float", Amount: money.Of(usdt, money.MustUnits(eighty)), Reason: "float"}, Custody: ledger.Treasury}.Run(u)
		return err
	})
	built := admin.get(one+"/instruction", position)
	require.Equal(t, 200, built.status, string(built.raw))
	right := outgoing.Transfer{
		Chain: 56, From: devchain.Treasury, To: built.text("instruction.to"), Token: built.text("instruction.token"),
		Amount: money.Of(usdt, money.MustUnits("10000000000000000000")), Nonce: 9,
	}
	send := func(x outgoing.Transfer, price uint64) answer {
		return admin.post(path+"/confirm", map[string]any{"refundId": made.text("refund"), "signedTx": v.signed(t, x, price)})
	}
	w.untouched(func() {
		x := right
		x.To = devchain.Payer(3)
		assert.Equal(t, "INSTRUCTION_MISMATCH", send(x, 10).code)
		x = right
		x.Amount = money.Of(usdt, money.FromUint64(1))
		assert.Equal(t, "INSTRUCTION_MISMATCH", send(x, 10).code)
		// Right in everything, but signed by a key that is not custody's.
		u, err := v.Unsigned(t.Context(), right, outgoing.Tx{})
		require.NoError(t, err)
		u.From, err = v.signer.Address("0'/0/1")
		require.NoError(t, err)
		raw, err := v.signer.Sign("0'/0/1", u)
		require.NoError(t, err)
		foreign := admin.post(path+"/confirm", map[string]any{"refundId": made.text("refund"), "signedTx": raw})
		assert.Equal(t, "INSTRUCTION_MISMATCH", foreign.code, string(foreign.raw))
	})
	first := send(right, 10)
	require.Equal(t, 200, first.status, string(first.raw))
	assert.Equal(t, "Broadcast", first.text("state"))
	w.untouched(func() {
		x := right
		x.Nonce++
		assert.Equal(t, "REFUND_IN_PROGRESS", send(x, 20).code)
		assert.Equal(t, "REPLACEMENT_INVALID", send(right, 9).code)
		assert.Equal(t, http.StatusConflict, o.buyer.post(one+"/credit", nil).status)
		assert.Equal(t, "REFUND_IN_PROGRESS", o.buyer.post(one+"/address", map[string]any{"address": devchain.Payer(2)}).code)
	})
	before := w.events()
	require.Equal(t, 200, send(right, 20).status)
	assert.Equal(t, before+1, w.events(), "refund.replaced")
}
