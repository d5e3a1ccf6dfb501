package migration

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/treasury"
)

// OpeningsOf is the treasury's stream of a hold's opening balances. Each hold has its own, so that
// imports do not wait for each other.
func OpeningsOf(h domain.HoldID) string { return "legacy:" + string(h) }

// opener books the opening balances of a hold: each twice, as what is there and as whom it is owed
// to. The books of the old backend are not posted; what they led to is.
type opener struct {
	domain.Issue
	migration string
	hold      domain.HoldID
	asset     money.Asset
	times     int
}

// change takes back what an earlier import of the hold has opened, and opens what stands there now.
// Nothing happens when both are the same. Errors: INSUFFICIENT_FUNDS when what is to be taken back
// was used here.
func (o opener) change(u *domain.Unit, was, is []escrow.Opening) error {
	if slices.Equal(was, is) {
		return nil
	}
	for i, x := range was {
		if err := o.book(u, i, x, false); err != nil {
			return err
		}
	}
	for i, x := range is {
		if err := o.book(u, i, x, true); err != nil {
			return err
		}
	}
	return nil
}

// book writes an opening's two entries, and notes it at the address where it stands.
func (o opener) book(u *domain.Unit, i int, x escrow.Opening, in bool) error {
	amount := money.Of(o.asset, x.Amount)
	sides := []ledger.Account{x.Custody, x.Liability}
	if !in {
		slices.Reverse(sides)
	}
	for _, account := range sides {
		if account == "" {
			continue
		}
		entry := treasury.Entry{
			Ref: fmt.Sprintf("legacy:%s:%d:%d:%s", o.hold, o.times, i, account), Amount: amount, By: o.By, Reason: "import from the old backend",
		}
		var e treasury.Event = treasury.OpeningBalanceRecorded{Entry: entry, Migration: o.migration, Account: account}
		if !in {
			e = treasury.OpeningBalanceReversed{Entry: entry, Migration: o.migration, Account: account}
		}
		if _, err := domain.Do(u, treasury.Decider, OpeningsOf(o.hold), treasury.Book{Issue: o.Issue, Event: e}); err != nil {
			return err
		}
	}
	return o.at(u, x.Custody, amount, in)
}

// at keeps the balance of a derived address that is known already. One that is not gets it with its
// own document.
func (o opener) at(u *domain.Unit, custody ledger.Account, amount money.Amount, in bool) error {
	id, derived := strings.CutPrefix(string(custody), string(ledger.Derived("")))
	if !derived {
		return nil
	}
	d, err := domain.StateOf(u, destination.Decider, id)
	if err != nil || d.ID == "" {
		return err
	}
	_, err = domain.Do(u, destination.Decider, id, destination.MoveOpening{Issue: o.Issue, Amount: amount, In: in})
	return err
}
