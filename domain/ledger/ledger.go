// Package ledger is the vocabulary of double entry: the chart of accounts, lines, and the
// transaction that one event implies. It is pure; eventstore writes it.
package ledger

import (
	"fmt"
	"strings"

	"holdfast/domain/money"
)

// Account is a path of the chart of accounts, e.g. "escrow:<hold>:held". Together with an
// asset it names four totals.
type Account string

// Class is the side of the balance sheet an account stands on.
type Class string

// The classes.
const (
	Custody    Class = "custody"
	Receivable Class = "receivable"
	Liability  Class = "liability"
	Equity     Class = "equity"
	Income     Class = "income"
	Expense    Class = "expense"
)

// Kind is what the chart says of an account.
type Kind struct {
	Code    int // of the chart, domain.md §2.1
	Class   Class
	Debit   bool // the normal side is debit
	Guarded bool // available must stay ≥ 0 after a decision
}

// chart lists the chart of accounts: prefix, suffix (after the id), kind.
var chart = []struct {
	prefix, suffix string
	kind           Kind
}{
	{"custody:derived:", "", Kind{1010, Custody, true, true}},
	{"custody:treasury", "", Kind{1020, Custody, true, true}},
	{"custody:in_transit:", "", Kind{1030, Custody, true, true}},
	{"custody:gas:", "", Kind{1040, Custody, true, true}},
	{"receivable:seller:", "", Kind{1110, Receivable, true, false}},
	{"receivable:buyer:", "", Kind{1120, Receivable, true, false}},
	{"receivable:points:", "", Kind{1130, Receivable, true, false}},
	{"escrow:", ":held", Kind{2010, Liability, false, true}},
	{"escrow:", ":releasable", Kind{2020, Liability, false, true}},
	{"escrow:", ":disputed", Kind{2030, Liability, false, true}},
	{"buyer:", ":available", Kind{2110, Liability, false, true}},
	{"seller:", ":available", Kind{2120, Liability, false, true}},
	{"seller:", ":reserve", Kind{2130, Liability, false, true}},
	{"clearing:payout:", "", Kind{2210, Liability, false, true}},
	{"clearing:refund:", "", Kind{2220, Liability, false, true}},
	{"suspense:unmatched", "", Kind{2310, Liability, false, true}},
	{"points:user:", "", Kind{2410, Liability, false, true}},
	{"equity:platform", "", Kind{3010, Equity, false, false}},
	{"equity:opening:", "", Kind{3020, Equity, false, false}},
	{"points:issuance", "", Kind{3030, Equity, true, false}},
	{"income:platform_fee", "", Kind{4010, Income, false, false}},
	{"income:dispute_fee", "", Kind{4020, Income, false, false}},
	{"income:network_fee_recovery", "", Kind{4030, Income, false, false}},
	{"income:breakage", "", Kind{4040, Income, false, false}},
	{"expense:network_fee", "", Kind{5010, Expense, true, false}},
	{"expense:provider_fee", "", Kind{5020, Expense, true, false}},
	{"expense:chain_loss", "", Kind{5030, Expense, true, false}},
	{"expense:bad_debt", "", Kind{5040, Expense, true, false}},
	{"expense:loyalty_discount", "", Kind{5050, Expense, true, false}},
	{"expense:goodwill", "", Kind{5060, Expense, true, false}},
}

// KindOf looks an account up in the chart. An account outside the chart is a bug of the
// posting rules, hence a plain error.
func KindOf(a Account) (Kind, error) {
	s := string(a)
	for _, row := range chart {
		if !strings.HasPrefix(s, row.prefix) || !strings.HasSuffix(s, row.suffix) {
			continue
		}
		open := strings.HasSuffix(row.prefix, ":")
		id := len(s) - len(row.prefix) - len(row.suffix)
		if (open && id > 0) || (!open && id == 0) {
			return row.kind, nil
		}
	}
	return Kind{}, fmt.Errorf("account %q is not in the chart of accounts", a)
}

// Line moves Amount from Credit's to Debit's side: the debit and the credit are equal by
// construction, and both are of one asset.
type Line struct {
	Debit  Account
	Credit Account
	Amount money.Amount
}

// Mode says what a transaction does with its lines.
type Mode string

// The modes. A pending transaction moves the pending totals only; later it is posted or
// voided by its key, once.
const (
	Post        Mode = "post"         // moves the posted totals
	Pend        Mode = "pending"      // moves the pending totals and opens Key
	PostPending Mode = "post_pending" // closes Key: its lines leave pending and are posted
	VoidPending Mode = "void"         // closes Key: its lines leave pending; Lines are posted beside it
)

// Transaction is what one event does to the ledger; an event implies at most one.
type Transaction struct {
	Mode Mode
	// Key names the pending transaction that Pend opens and PostPending and VoidPending
	// close. The lines of a PostPending are those that Pend wrote; the store takes them from there.
	Key string
	// Fact marks something that already happened outside: guards never refuse it. A fact
	// that overdraws a guarded account is booked and raises an alarm.
	Fact  bool
	Lines []Line
	// Refused is what the caller is told when a guard refuses this decision; nil means the
	// store's general INSUFFICIENT_FUNDS.
	Refused error
}

// Validate reports the first problem of a transaction: an empty or zero line, equal sides,
// an account outside the chart. Sides are equal by construction of Line.
func (t Transaction) Validate() error {
	if len(t.Lines) == 0 && (t.Mode == Post || t.Mode == Pend) {
		return fmt.Errorf("a %s transaction needs lines", t.Mode)
	}
	if (t.Mode == Post) == (t.Key != "") {
		return fmt.Errorf("mode %s with key %q", t.Mode, t.Key)
	}
	for _, l := range t.Lines {
		if l.Amount.IsZero() || l.Amount.Asset == "" || l.Debit == l.Credit {
			return fmt.Errorf("line %s → %s %s is empty", l.Credit, l.Debit, l.Amount)
		}
		for _, a := range []Account{l.Debit, l.Credit} {
			if _, err := KindOf(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// Dr starts a line; zero amounts are dropped by Lines.
func Dr(debit, credit Account, amount money.Amount) Line {
	return Line{Debit: debit, Credit: credit, Amount: amount}
}

// Lines keeps the lines that move something.
func Lines(all ...Line) []Line {
	var kept []Line
	for _, l := range all {
		if !l.Amount.IsZero() {
			kept = append(kept, l)
		}
	}
	return kept
}
