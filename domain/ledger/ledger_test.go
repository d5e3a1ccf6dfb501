package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

func TestTheChartKnowsItsPathsAndNoOthers(t *testing.T) {
	t.Parallel()
	for path, code := range map[ledger.Account]int{
		ledger.Derived("d1"): 1010, ledger.Treasury: 1020, ledger.InTransit("w1"): 1030, ledger.Gas("56"): 1040,
		ledger.ReceivableSeller("u"): 1110, ledger.Held("h"): 2010, ledger.Releasable("h"): 2020, ledger.Disputed("h"): 2030,
		ledger.BuyerAvailable("u"): 2110, ledger.SellerAvailable("u"): 2120, ledger.SellerReserve("u"): 2130,
		ledger.ClearingPayout("o"): 2210, ledger.ClearingRefund("r"): 2220, ledger.Suspense: 2310, ledger.PointsUser("u"): 2410,
		ledger.PointsIssuance: 3030, ledger.PlatformFee: 4010, ledger.Goodwill: 5060,
	} {
		k, err := ledger.KindOf(path)
		require.NoError(t, err, path)
		assert.Equal(t, code, k.Code, path)
	}
	for _, path := range []ledger.Account{"", "escrow::held", "escrow:h", "custody:derived:", "custody:treasury2", "seller:x:balance", "expense:misc"} {
		_, err := ledger.KindOf(path)
		assert.Error(t, err, path)
	}
}

func TestATransactionThatMovesNothingIsABug(t *testing.T) {
	t.Parallel()
	usd := func(n uint64) money.Amount { return money.Of("USDC@8453", money.FromUint64(n)) }
	good := ledger.Transaction{Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr(ledger.Held("h"), ledger.Releasable("h"), usd(1))}}
	require.NoError(t, good.Validate())
	for name, bad := range map[string]ledger.Transaction{
		"no lines":         {Mode: ledger.Post},
		"zero":             {Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr(ledger.Held("h"), ledger.Releasable("h"), usd(0))}},
		"no asset":         {Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr(ledger.Held("h"), ledger.Releasable("h"), money.Of("", money.FromUint64(1)))}},
		"same account":     {Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr(ledger.Held("h"), ledger.Held("h"), usd(1))}},
		"unknown account":  {Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr("misc", ledger.Held("h"), usd(1))}},
		"pending, no key":  {Mode: ledger.Pend, Lines: good.Lines},
		"posted with key":  {Mode: ledger.Post, Key: "k", Lines: good.Lines},
		"resolve, no key":  {Mode: ledger.VoidPending},
		"pending, nothing": {Mode: ledger.Pend, Key: "k"},
	} {
		assert.Error(t, bad.Validate(), name)
	}
	assert.Len(t, ledger.Lines(good.Lines[0], ledger.Dr(ledger.Held("h"), ledger.Treasury, usd(0))), 1, "a zero line is dropped")
}
