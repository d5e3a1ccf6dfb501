package escrow_test

import (
	"testing"

	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

const dollars money.Asset = "iso4217:USD"

// fixed is what a quote makes of 100.00 dollars.
var fixed = escrow.DueFixed{Due: amount(100), Price: money.Of(dollars, money.FromUint64(10_000)), Quote: "u1"}

func TestADueByQuote(t *testing.T) {
	t.Parallel()
	priced := opened
	priced.Due = fixed.Price
	fix := func(due money.Amount) escrow.FixDue { return escrow.FixDue{Issue: by(policy), Due: due, Quote: "u1"} }
	again, other := fixed, amount(110)
	again.Due = other
	part := escrow.DiscountFunded{Hold: "h1", Amount: amount(60), Redemption: "r"}
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "a quote fixes it", Given: events{priced}, When: fix(amount(100)), Then: events{fixed}},
		{Name: "the same again", Given: events{priced, fixed}, When: fix(amount(100))},
		{Name: "a later quote of the same asset", Given: events{priced, fixed}, When: fix(other), Then: events{again}},
		{Name: "never another asset: money may be on its way", Given: events{priced, fixed}, When: fix(money.Of("USDT@56", money.FromUint64(100))), Err: escrow.ErrOtherAsset},
		{Name: "not a price in an asset", Given: events{opened}, When: fix(amount(99)), Err: escrow.ErrOtherAsset},
		{Name: "not to a currency", Given: events{priced}, When: fix(money.Of(dollars, money.FromUint64(1))), Err: escrow.ErrOtherAsset},
		{Name: "not below what came in", Given: events{priced, fixed, part}, When: fix(amount(60)), Err: escrow.ErrDueFixed},
		{Name: "no discount before", Given: events{priced}, When: escrow.FundDiscount{Issue: by(policy), Amount: fixed.Price, Redemption: "r"}, Err: escrow.ErrQuoteRequired},
		{Name: "no fee before", Given: events{priced}, When: escrow.AbsorbFee{Issue: by(policy), Amount: fixed.Price}, Err: escrow.ErrQuoteRequired},
		{Name: "paid as quoted", Given: events{priced, fixed}, When: escrow.Credit{Issue: by(policy), Payment: "p1", Amount: amount(100), Overpaid: amount(0)}, Then: events{credited, funded}},
		{Name: "not after it is funded", Given: events{priced, fixed, credited, funded}, When: fix(amount(200)), Err: fault.ErrInvalidState},
	})
}
