package funding_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/quote"
	"holdfast/domain/scenariotest"
)

const dollars money.Asset = "iso4217:USD"

// priced is offer 1 selected at 100.00 dollars.
func priced(t *testing.T) *scenariotest.Shop {
	t.Helper()
	s := shop(t)
	s.Publish()
	s.Do(order.SubmitOffer{Issue: s.By(seller), Offer: "o1", Request: "q1", Seller: "S1", Terms: offer.Terms{
		Title: "a lamp", Price: offer.Price{Amount: money.Of(dollars, money.FromUint64(10_000)), Currency: "USD", Display: "100"}, ValidUntil: s.Now().Add(720 * time.Hour),
	}})
	s.Do(s.Selection(1, 1))
	return s
}

// quoted issues a quote of so many units for the offer.
func quoted(s *scenariotest.Shop, id domain.QuoteID, units uint64, asset money.Asset) {
	s.T.Helper()
	i := s.By(buyer)
	rate := func(source string) quote.Rate {
		return quote.Rate{Source: source, Num: money.FromUint64(units), Den: money.FromUint64(10_000), ObservedAt: i.At}
	}
	s.Do(order.IssueQuote{Issue: quote.Issue{
		Issue: i, Quote: id, Offer: "o1", Buyer: "B1", Price: money.FromUint64(10_000), Currency: string(dollars), Settle: asset,
		Rates: []quote.Rate{rate("a"), rate("b")}, Rule: quote.Rule{MaxAge: time.Minute, MaxSpread: 100}, ExpiresAt: i.At.Add(5 * time.Minute),
	}})
}

func paying(s *scenariotest.Shop, n int, id domain.QuoteID) funding.InitiatePayment {
	p := s.Payment(n)
	p.Quote = id
	return p
}

func quotePhase(s *scenariotest.Shop, id string) string {
	return scenariotest.StateOf(s.World, quote.Decider, id).Phase
}

func TestAPriceInACurrencyIsPaidByQuote(t *testing.T) {
	t.Parallel()
	s := priced(t)
	s.Refuse(s.Payment(1), "QUOTE_REQUIRED")
	quoted(s, "u1", 101, usdc)
	wrong := paying(s, 1, "u1")
	wrong.Asset = "USDT@56"
	s.Refuse(wrong, "PRICE_MISMATCH")
	s.Refuse(paying(s, 1, "nothing"), "PRICE_MISMATCH")
	s.Do(paying(s, 1, "u1"))
	if q := quotePhase(s, "u1"); q != quote.LockedPhase {
		t.Errorf("the quote is %q", q)
	}
	s.Pay(1, "0xf1", 101)
	if q := quotePhase(s, "u1"); q != quote.ConsumedPhase {
		t.Errorf("the quote is %q", q)
	}
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 101})
	s.Phases("Processing", "Accepted", "Funded", "Paid")
}

func TestAQuoteIsUsedOnceAndInTime(t *testing.T) {
	t.Parallel()
	s := priced(t)
	quoted(s, "u1", 101, usdc)
	s.Do(paying(s, 1, "u1"))
	s.Do(funding.CancelPayment{Issue: s.By(buyer), Payment: "p1", Reason: "later"})
	if q := quotePhase(s, "u1"); q != quote.ExpiredPhase {
		t.Errorf("the quote is %q", q)
	}
	s.Refuse(paying(s, 2, "u1"), "QUOTE_EXPIRED")
	quoted(s, "u2", 102, usdc)
	quoted(s, "u3", 103, usdc)
	s.Refuse(paying(s, 2, "u2"), "QUOTE_EXPIRED") // superseded
	s.Pass(5 * time.Minute)
	s.Refuse(paying(s, 2, "u3"), "QUOTE_EXPIRED")
	quoted(s, "u4", 99, "USDT@56")
	s.Refuse(paying(s, 2, "u4"), "ASSET_NOT_ALLOWED") // the first quote has fixed the asset
	quoted(s, "u5", 99, usdc)
	s.Do(paying(s, 2, "u5"))
	if h := hold(s); h.Due != s.Amount(99) || h.Agreed() != money.Of(dollars, money.FromUint64(10_000)) {
		t.Errorf("%+v", h)
	}
}

// Money that comes late pays what its own quote said, although a newer one asks for more.
func TestALatePaymentIsJudgedByItsQuote(t *testing.T) {
	t.Parallel()
	s := priced(t)
	quoted(s, "u1", 100, usdc)
	s.Do(paying(s, 1, "u1"))
	s.Do(funding.CancelPayment{Issue: s.By(buyer), Payment: "p1", Reason: "later"})
	quoted(s, "u2", 110, usdc)
	s.Do(paying(s, 2, "u2"))
	s.Pay(1, "0xf1", 100)
	s.Phases("Processing", "Accepted", "Funded", "Paid")
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100})
	// The second one was paid too: it is all the buyer's credit.
	s.Pay(2, "0xf2", 110)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "buyer:B1:available": 110})
}

func TestWhatIsPaidByTheNewerQuoteKeepsIt(t *testing.T) {
	t.Parallel()
	s := priced(t)
	quoted(s, "u1", 100, usdc)
	s.Do(paying(s, 1, "u1"))
	s.Do(funding.CancelPayment{Issue: s.By(buyer), Payment: "p1", Reason: "later"})
	quoted(s, "u2", 110, usdc)
	s.Do(paying(s, 2, "u2"))
	s.Pay(2, "0xf2", 60)
	s.Pay(1, "0xf1", 100)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 110, "buyer:B1:available": 50})
	s.Phases("Processing", "Accepted", "Funded", "Paid")
}

func TestAnExpiredPaymentEndsItsQuoteAndTheOrderIsFree(t *testing.T) {
	t.Parallel()
	s := priced(t)
	quoted(s, "u1", 100, usdc)
	s.Do(paying(s, 1, "u1"))
	s.Pass(2 * time.Hour)
	s.Do(funding.ExpirePayment{Issue: s.By(timer), Payment: "p1"})
	if q := quotePhase(s, "u1"); q != quote.ExpiredPhase {
		t.Errorf("the quote is %q", q)
	}
	s.Phases("OffersReceived", "Submitted", "Cancelled", "Expired")
	// Too late for the order: nobody's, and judged by nothing.
	s.Do(s.See(1, "0xf1", 100))
	s.Balances(map[ledger.Account]uint64{"suspense:unmatched": 100})
}
