package treasury_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/treasury"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	chain  = domain.Machine(domain.Chain, "8453")
	entry  = treasury.Entry{Ref: "t1", Amount: money.Of(usdc, money.FromUint64(7)), By: admin, Approver: admin2, Reason: "seed"}

	all = []domain.Event{
		treasury.CapitalContributed{Entry: entry, Custody: ledger.Treasury},
		treasury.CapitalWithdrawn{Entry: entry, Custody: ledger.Treasury},
		treasury.GasFunded{Entry: entry, Chain: "8453", Source: ledger.EquityPlatform},
		treasury.NetworkFeeIncurred{Entry: entry, Chain: "8453", Purpose: "sweep"},
		treasury.GoodwillGranted{Entry: entry, Buyer: "B1"},
		treasury.OpeningBalanceRecorded{Entry: entry, Migration: "m1", Account: ledger.BuyerAvailable("B1")},
		treasury.CustodyVarianceRecorded{Entry: entry, Custody: ledger.Treasury, Loss: true},
		treasury.BreakageRecognized{Entry: entry, Source: ledger.Suspense},
		treasury.GasToppedUp{Entry: entry, Chain: "8453", Destination: "d1"},
		treasury.NetworkFeeReversed{Entry: entry, Chain: "8453", Custody: ledger.Derived("d1")},
		treasury.OpeningBalanceReversed{Entry: entry, Migration: "m1", Account: ledger.Treasury},
	}
)

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	machinetest.CheckComplete(t, treasury.Table(), map[string]treasury.State{"Open": {}})
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, treasury.Aggregate(), all...)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	book := func(a, second domain.Actor, e treasury.Event) treasury.Book {
		return treasury.Book{Issue: domain.Issue{By: a, At: t0}, Approver: second, Event: e}
	}
	type events = []treasury.Event
	silent, nothing := entry, entry
	silent.Reason = ""
	nothing.Amount = money.Amount{}
	var cases []machinetest.Case[treasury.Event]
	for _, e := range all {
		cases = append(cases, machinetest.Case[treasury.Event]{Name: e.EventType(), When: book(admin, admin2, e.(treasury.Event)), Then: events{e.(treasury.Event)}})
	}
	gas := all[3].(treasury.Event)
	cases = append(cases, []machinetest.Case[treasury.Event]{
		{Name: "the chain's fee needs no second person", When: book(chain, domain.Actor{}, gas), Then: events{gas}},
		{Name: "capital needs two", When: book(admin, domain.Actor{}, all[0].(treasury.Event)), Err: treasury.ErrSelfApproval},
		{Name: "two different ones", When: book(admin, admin, all[1].(treasury.Event)), Err: treasury.ErrSelfApproval},
		{Name: "of whom the second is an admin", When: book(admin, domain.User("B1"), all[4].(treasury.Event)), Err: treasury.ErrSelfApproval},
		{Name: "and a reason", When: book(admin, admin2, treasury.GoodwillGranted{Entry: silent, Buyer: "B1"}), Err: treasury.ErrReason},
		{Name: "nothing is not booked", When: book(admin, admin2, treasury.GoodwillGranted{Entry: nothing, Buyer: "B1"}), Err: fault.ErrValidation},
		{Name: "capital stands in custody", When: book(admin, admin2, treasury.CapitalContributed{Entry: entry, Custody: ledger.PlatformFee}), Err: treasury.ErrAccount},
		{Name: "in an account of the chart", When: book(admin, admin2, treasury.CapitalContributed{Entry: entry, Custody: "custody:pocket"}), Err: treasury.ErrAccount},
		{Name: "gas is not paid by a buyer", When: book(admin, admin2, treasury.GasFunded{Entry: entry, Chain: "8453", Source: ledger.BuyerAvailable("B1")}), Err: treasury.ErrAccount},
		{Name: "a top-up goes to an address of ours", When: book(chain, domain.Actor{}, treasury.GasToppedUp{Entry: entry, Chain: "8453"}), Err: treasury.ErrAccount},
		{Name: "gas is paid out of custody", When: book(chain, domain.Actor{}, treasury.NetworkFeeIncurred{Entry: entry, Chain: "8453", Custody: ledger.PlatformFee}), Err: treasury.ErrAccount},
		{Name: "income is nobody's unclaimed money", When: book(admin, admin2, treasury.BreakageRecognized{Entry: entry, Source: ledger.PlatformFee}), Err: treasury.ErrAccount},
		{Name: "a buyer books nothing", When: book(domain.User("B1", domain.Buyer), admin2, gas), Err: fault.ErrForbidden},
	}...)
	machinetest.Run(t, treasury.Decider, cases)
}

func TestEveryEntryIsBookedOnce(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, e := range all {
		p, ok := treasury.Postings(domain.Stream{}, e)
		if err := p.Validate(); !ok || err != nil {
			t.Errorf("%s: %t, %v", e.EventType(), ok, err)
		}
		claims := treasury.Aggregate().Claims(domain.Stream{}, e)
		if len(claims) != 1 || claims[0].Free || names[claims[0].Name] {
			t.Errorf("%s: %+v", e.EventType(), claims)
			continue
		}
		names[claims[0].Name] = true
	}
}

func TestAVarianceGoesTheRightWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event         treasury.Event
		debit, credit ledger.Account
	}{
		{treasury.CustodyVarianceRecorded{Entry: entry, Custody: ledger.Treasury, Loss: true}, "expense:chain_loss", "custody:treasury"},
		{treasury.CustodyVarianceRecorded{Entry: entry, Custody: ledger.Treasury}, "custody:treasury", "suspense:unmatched"},
		{treasury.OpeningBalanceRecorded{Entry: entry, Migration: "m1", Account: ledger.Treasury}, "custody:treasury", "equity:opening:m1"},
		{treasury.OpeningBalanceRecorded{Entry: entry, Migration: "m1", Account: ledger.BuyerAvailable("B1")}, "equity:opening:m1", "buyer:B1:available"},
	} {
		p, _ := treasury.Postings(domain.Stream{}, c.event)
		if l := p.Lines[0]; l.Debit != c.debit || l.Credit != c.credit {
			t.Errorf("%+v: %s ← %s", c.event, l.Debit, l.Credit)
		}
	}
}
