package http_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	duties "holdfast/domain/policy"
	"holdfast/domain/suspense"
	"holdfast/domain/threshold"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/reactors"
)

const (
	thresholdsPath = "/api/admin/settings/confirmation-thresholds"
	glassPath      = "/api/admin/settings/break-glass"
	awaitingPath   = "/api/admin/payments/awaiting-confirmation"
)

// basis prepares payments as the service does: the rule comes from the chain.
type basis struct{ book *reactors.Networks }

func (b basis) Prepare(ctx context.Context, id domain.PaymentID, due money.Amount) (apihttp.PayIn, error) {
	in, err := checkout{}.Prepare(ctx, id, due)
	if err := b.book.Offered(due.Asset); err != nil {
		return in, err
	}
	chain, _ := b.book.Chain(56)
	in.Threshold, in.Basis = payment.Threshold{}, &threshold.Basis{Default: chain.Confirmations, Decimals: 18}
	return in, err
}

func (w *world) thresholdOf(id string) payment.Threshold {
	w.t.Helper()
	s, _, err := eventstore.State(context.Background(), w.exec, payment.Decider, id)
	require.NoError(w.t, err)
	return s.Threshold
}

func rule(minimum any, more ...map[string]any) map[string]any {
	b := map[string]any{"min": minimum, "reason": "so it is"}
	for _, m := range more {
		for k, v := range m {
			b[k] = v
		}
	}
	return b
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	w, _ := withNetworks(t)
	admin := w.as(w.users.named("admin"))
	path := thresholdsPath + "/56"
	tiers := func(all ...map[string]any) map[string]any { return map[string]any{"amountTiers": all} }
	w.untouched(func() {
		for name, c := range map[string]struct {
			path   string
			body   any
			status int
			code   string
		}{
			"zero":            {path, rule(0), 400, "INVALID_THRESHOLD"},
			"negative":        {path, rule(-1), 400, "INVALID_THRESHOLD"},
			"a billion":       {path, rule(1_000_000_000), 400, "INVALID_THRESHOLD"},
			"beyond 32 bits":  {path, rule(int64(1) << 31), 400, "OUT_OF_RANGE"},
			"no number":       {path, rule("12"), 400, "VALIDATION_FAILED"},
			"half a block":    {path, rule(12.5), 400, "VALIDATION_FAILED"},
			"below the floor": {path, rule(2), 422, "BELOW_FLOOR"},
			"a tier below it": {path, rule(12, tiers(map[string]any{"from": 10, "min": 2})), 422, "BELOW_FLOOR"},
			"tiers that fall": {path, rule(12, tiers(map[string]any{"from": 10, "min": 20}, map[string]any{"from": 20, "min": 15})), 400, "INVALID_THRESHOLD"},
			"unknown chain":   {thresholdsPath + "/99", rule(12), 400, "INVALID_THRESHOLD"},
			"another family":  {thresholdsPath + "/8", rule(20), 400, "INVALID_THRESHOLD"},
			"unknown kind":    {path, rule(12, map[string]any{"kind": "earliest"}), 400, "VALIDATION_FAILED"},
			"no reason":       {path, map[string]any{"min": 12}, 400, "VALIDATION_FAILED"},
		} {
			a := admin.send(http.MethodPut, c.path, c.body)
			assert.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, c.code, a.code, name)
		}
		for _, who := range []string{"guard", "buyer", "resolver"} {
			assert.Equal(t, 403, w.as(w.users.named(who)).send(http.MethodPut, path, rule(20)).status)
		}
		assert.Equal(t, 404, admin.get(thresholdsPath+"/99").status)
	})
	before := selected(t, w).pay(t)
	assert.Equal(t, payment.Threshold{Need: 12, Floor: 3}, w.thresholdOf(before))

	raised := admin.send(http.MethodPut, path, rule(300, map[string]any{"kind": "finalized"}, tiers(map[string]any{"from": 80, "min": 400})))
	require.Equal(t, 200, raised.status, string(raised.raw))
	assert.Equal(t, "300", admin.get(path).text("rule.min"))
	after := selected(t, w).pay(t)
	assert.Equal(t, payment.Threshold{Need: 400, Floor: 3, Finalized: true}, w.thresholdOf(after), "80 tokens: the tier, and 300 is 300")
	assert.Equal(t, payment.Threshold{Need: 12, Floor: 3}, w.thresholdOf(before), "a payment keeps the rule that it was opened with")

	lowered := w.both(http.MethodPatch, path, rule(6, map[string]any{"kind": "safe"}))
	require.Equal(t, 200, lowered.status, string(lowered.raw))
	assert.Equal(t, payment.Threshold{Need: 6, Floor: 3, Safe: true}, w.thresholdOf(selected(t, w).pay(t)))
	reset := admin.send(http.MethodDelete, path, map[string]any{"reason": "as before"})
	require.Equal(t, 200, reset.status, string(reset.raw))
	assert.Equal(t, "Default", reset.text("state"))
	history := admin.get(thresholdsPath+"/history?chainId=56", header("X-Min-Position", strconv.FormatInt(w.events(), 10)))
	assert.Len(t, history.body["data"], 3, string(history.raw))
	assert.Len(t, admin.get(thresholdsPath).body["data"], 3)
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	w, _ := withNetworks(t)
	admin := w.as(w.users.named("admin"))
	emergency := map[string]any{"reason": "the chain stands still", "minutes": 30}
	w.untouched(func() {
		for _, m := range []int64{0, -5, 61, 1 << 40} {
			a := admin.post(glassPath, map[string]any{"reason": "the chain stands still", "minutes": m})
			assert.Equal(t, 400, a.status, string(a.raw))
			assert.Equal(t, "OUT_OF_RANGE", a.code)
		}
		assert.Equal(t, 403, w.as(w.users.named("guard")).post(glassPath, emergency).status)
		assert.Equal(t, 202, admin.send(http.MethodPut, thresholdsPath+"/56", rule(6)).status, "one alone does not lower a threshold")
		assert.Equal(t, "false", admin.get(glassPath).text("active"))
	})
	broken := w.both(http.MethodPost, glassPath, emergency)
	require.Equal(t, 201, broken.status, string(broken.raw))
	assert.Equal(t, "true", admin.get(glassPath).text("active"))
	w.untouched(func() {
		assert.Equal(t, "BREAK_GLASS_ACTIVE", admin.post(glassPath, emergency).code)
		assert.Equal(t, "BELOW_FLOOR", admin.send(http.MethodPut, thresholdsPath+"/56", rule(2)).code, "never under the floor")
	})
	lowered := admin.send(http.MethodPut, thresholdsPath+"/56", rule(3))
	require.Equal(t, 200, lowered.status, string(lowered.raw))
	assert.Equal(t, "Lowered", lowered.text("state"))
	during := selected(t, w).pay(t)
	assert.EqualValues(t, 3, w.thresholdOf(during).Need)
	ended := admin.send(http.MethodDelete, glassPath, nil)
	require.Equal(t, 200, ended.status, string(ended.raw))
	assert.EqualValues(t, 12, w.thresholdOf(selected(t, w).pay(t)).Need, "what was lowered ends with it")
	assert.EqualValues(t, 3, w.thresholdOf(during).Need)

	again := w.both(http.MethodPost, glassPath, map[string]any{"reason": "once more, please", "minutes": 1})
	require.Equal(t, 201, again.status, string(again.raw))
	f, ok := duties.Due("break_glass.expire", domain.Stream{Type: "break_glass", ID: breakglass.Stream}, time.Now().Add(2*time.Minute))
	require.True(t, ok)
	w.chain(f)
	assert.Equal(t, "false", admin.get(glassPath).text("active"), "it ends by itself")
}

func TestAwaitingConfirmation(t *testing.T) {
	t.Parallel()
	w, nodes := withNetworks(t)
	admin, guard := w.as(w.users.named("admin")), w.as(w.users.named("guard"))
	o := selected(t, w)
	seen := func(id, tx string) payment.Evidence {
		e := payment.Evidence{Chain: 56, Tx: "0x" + repeat(tx, 64), Log: 2, Block: 100, BlockHash: "0xb1"}
		w.chain(funding.RecordTransfer{Issue: observed(), Payment: domain.PaymentID(id), Evidence: e, Amount: money.Of(usdt, money.MustUnits(eighty)), From: "0xabc"})
		return e
	}
	hold := func(id, kind string) {
		w.chain(funding.HoldForReview{Issue: process(), Payment: domain.PaymentID(id), Kind: kind})
	}
	deep, doubted, matched := o.pay(t), selected(t, w).pay(t), selected(t, w).pay(t)
	seen(deep, "a")
	e := seen(doubted, "b")
	seen(matched, "c")
	hold(doubted, "aml")
	hold(matched, "match")
	at := header("X-Min-Position", strconv.FormatInt(w.events(), 10))
	list := guard.get(awaitingPath, at)
	require.Equal(t, 200, list.status, string(list.raw))
	assert.Len(t, list.body["data"], 3)
	for reason, id := range map[string]string{"depth": deep, "aml": doubted, "match": matched} {
		a := guard.get(awaitingPath+"?chainId=56&reason="+reason, at)
		assert.Len(t, a.body["data"], 1, string(a.raw))
		assert.Contains(t, string(a.raw), id)
	}
	assert.Len(t, guard.get(awaitingPath+"?chainId=57", at).body["data"], 0)
	assert.Len(t, guard.get(awaitingPath+"?olderThan=1h", at).body["data"], 0)
	first := guard.get(awaitingPath+"?limit=1", at)
	next := first.body["meta"].(map[string]any)["next_cursor"].(string)
	assert.Contains(t, string(guard.get(awaitingPath+"?limit=1&cursor="+next, at).raw), doubted)
	assert.Equal(t, "INVALID_CURSOR", guard.get(awaitingPath+"?cursor=Zm9v").code)
	assert.Equal(t, 400, guard.get(awaitingPath+"?olderThan=soon").status)
	assert.Len(t, guard.get(awaitingPath+"/summary", at).body["data"], 3)
	assert.Equal(t, 403, o.buyer.get(awaitingPath).status)

	approve := map[string]any{"reason": "looked at it"}
	one := func(id, verb string) string { return awaitingPath + "/" + id + "/" + verb }
	w.untouched(func() {
		a := admin.post(one(deep, "approve"), approve)
		assert.Equal(t, "INVALID_STATE", a.code, "depth is nobody's to approve")
		assert.Equal(t, "INVALID_STATE", admin.post(one(deep, "reject"), map[string]any{"disposition": "suspense_refund", "reason": "not ours"}).code)
		assert.Equal(t, 400, admin.post(one(doubted, "reject"), map[string]any{"disposition": "keep", "reason": "not ours"}).status)
		assert.Equal(t, 404, admin.post(one(nobody, "approve"), approve).status)
		assert.Equal(t, 403, guard.post(one(doubted, "approve"), approve).status)
		assert.Equal(t, "BREAK_GLASS_INACTIVE", admin.post(one(matched, "approve"), map[string]any{"reason": "now", "alone": true}).code)
	})
	nodes.standing = network.Standing{Head: 104, Depth: 5, Canonical: true}
	looked := admin.post(one(deep, "recheck"), nil)
	require.Equal(t, 200, looked.status, string(looked.raw))
	assert.Contains(t, string(looked.raw), `"reached":false`)
	assert.Equal(t, 1, nodes.woken)

	cleared := w.both(http.MethodPost, one(doubted, "approve"), approve)
	require.Equal(t, 200, cleared.status, string(cleared.raw))
	assert.Equal(t, "Confirming", cleared.text("state"), "the depth is waited for all the same")
	_, err := w.exec.Execute(t.Context(), eventstore.Metadata{Source: "chain"}, nil, funding.ConfirmTransfer{Issue: observed(), Payment: domain.PaymentID(doubted), Evidence: e, Depth: 11}.Run)
	assert.ErrorIs(t, err, payment.ErrNotConfirmed)

	require.Equal(t, 201, w.both(http.MethodPost, glassPath, map[string]any{"reason": "nobody else is here", "minutes": 10}).status)
	alone := admin.post(one(matched, "approve"), map[string]any{"reason": "the buyer's own", "alone": true})
	require.Equal(t, 200, alone.status, string(alone.raw))
	hold(doubted, "aml")
	w.untouched(func() {
		a := admin.post(one(doubted, "approve"), map[string]any{"reason": "now", "alone": true})
		assert.Equal(t, "APPROVAL_REQUIRED", a.code, "money laundering takes two, always: %s", a.raw)
		assert.Equal(t, 403, a.status)
	})
	refused := w.both(http.MethodPost, one(doubted, "reject"), map[string]any{"disposition": "suspense_refund", "reason": "sanctioned"})
	require.Equal(t, 200, refused.status, string(refused.raw))
	assert.Equal(t, "Rejected", refused.text("state"))
	unmatched := admin.get("/api/payment/unmatched", header("X-Min-Position", strconv.FormatInt(w.events(), 10)))
	assert.Contains(t, string(unmatched.raw), e.Key())
}

// A deposit that belongs to nobody is given to nobody while the chain may undo it.
func TestADepositIsAssignedWhenItIsFirm(t *testing.T) {
	t.Parallel()
	w, nodes := withNetworks(t)
	e := payment.Evidence{Chain: 56, Tx: "0x" + strings.Repeat("5a", 32), Log: 1, Block: 100, BlockHash: "0x" + strings.Repeat("b1", 32)}
	w.do(func(u *domain.Unit) error {
		_, err := domain.Do(u, suspense.Decider, e.Key(), suspense.Record{
			Issue: observed(), Evidence: e, Custody: ledger.Treasury, Amount: money.Of(usdt, money.FromUint64(70)), From: devchain.Payer(1), Reason: suspense.Unknown,
		})
		return err
	})
	path := "/api/payment/unmatched/" + e.Key() + "/assign"
	to := map[string]any{"to": "buyer", "targetId": string(w.users.named("buyer").ID)}
	admin := w.as(w.users.named("admin"))
	w.untouched(func() {
		for name, s := range map[string]network.Standing{
			"too shallow":            {Head: 104, Depth: 5, Canonical: true},
			"of no block any more":   {Head: 200, Depth: 0},
			"deep in another branch": {Head: 200, Depth: 101},
		} {
			nodes.standing = s
			a := admin.post(path, to)
			assert.Equal(t, "NOT_FINAL", a.code, "%s: %s", name, a.raw)
			assert.Equal(t, 409, a.status, name)
		}
		assert.Equal(t, 404, admin.post("/api/payment/unmatched/56:0xff:1/assign", to).status)
	})
	nodes.standing = network.Standing{Head: 111, Depth: 12, Canonical: true}
	given := w.both(http.MethodPost, path, to)
	require.Equal(t, 200, given.status, string(given.raw))
	assert.Equal(t, "70", given.text("amount.amount"))
	w.untouched(func() { assert.Equal(t, "ALREADY_ASSIGNED", w.both(http.MethodPost, path, to).code) })
}
