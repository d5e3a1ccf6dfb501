package treasury

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// Refusals of the treasury.
var (
	ErrSelfApproval = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
	ErrReason       = fault.New(fault.Rule, "REASON_REQUIRED", "an adjustment needs a reason")
	ErrAccount      = fault.New(fault.Rule, "ACCOUNT_NOT_ALLOWED", "this account may not be used here")
)

// Event is an entry of the treasury.
type Event interface {
	domain.Event
	treasury()
}

// Entry is what all entries share. Ref names what it belongs to: a transaction, a
// migration, a case; the same Ref is booked once.
type Entry struct {
	Ref      string       `json:"ref"`
	Amount   money.Amount `json:"amount"`
	By       domain.Actor `json:"by"`
	Approver domain.Actor `json:"approver"`
	Reason   string       `json:"reason"`
}

type (
	// CapitalContributed: the platform puts money into a custody account.
	CapitalContributed struct {
		Entry
		Custody ledger.Account `json:"custody"`
	}
	// CapitalWithdrawn takes it out again.
	CapitalWithdrawn struct {
		Entry
		Custody ledger.Account `json:"custody"`
	}
	// GasFunded: native coin for fees comes from the treasury, or from outside (equity).
	GasFunded struct {
		Entry
		Chain  string         `json:"chain"`
		Source ledger.Account `json:"source"`
	}
	// GasToppedUp: native coin moved from the gas account to a derived address, to pay for a sweep.
	GasToppedUp struct {
		Entry
		Chain       string               `json:"chain"`
		Destination domain.DestinationID `json:"destination"`
	}
	// NetworkFeeIncurred: a transaction of ours cost gas.
	NetworkFeeIncurred struct {
		Entry
		Chain   string `json:"chain"`
		Purpose string `json:"purpose"`
		// Custody is the pocket that paid; empty: the chain's gas account.
		Custody ledger.Account `json:"custody,omitempty"`
	}
	// NetworkFeeReversed: the block in which it was paid is gone, and the transaction with it.
	NetworkFeeReversed struct {
		Entry
		Chain   string         `json:"chain"`
		Custody ledger.Account `json:"custody,omitempty"` // as it was booked
	}
	// GoodwillGranted: support gives a buyer credit.
	GoodwillGranted struct {
		Entry
		Buyer domain.UserID `json:"buyer"`
	}
	// OpeningBalanceRecorded: what stood on an account at a migration.
	OpeningBalanceRecorded struct {
		Entry
		Migration string         `json:"migration"`
		Account   ledger.Account `json:"account"`
	}
	// OpeningBalanceReversed: it does not stand there any more, since the old backend, which still
	// owned it, has moved it.
	OpeningBalanceReversed struct {
		Entry
		Migration string         `json:"migration"`
		Account   ledger.Account `json:"account"`
	}
	// CustodyVarianceRecorded: reconciliation found more or less on an address than booked.
	CustodyVarianceRecorded struct {
		Entry
		Custody ledger.Account `json:"custody"`
		Loss    bool           `json:"loss"`
	}
	// BreakageRecognized: unclaimed money becomes income after the legal period.
	BreakageRecognized struct {
		Entry
		Source ledger.Account `json:"source"`
	}
)

func (CapitalContributed) EventType() string      { return "treasury.capital_contributed" }
func (CapitalWithdrawn) EventType() string        { return "treasury.capital_withdrawn" }
func (GasFunded) EventType() string               { return "treasury.gas_funded" }
func (GasToppedUp) EventType() string             { return "treasury.gas_topped_up" }
func (NetworkFeeIncurred) EventType() string      { return "treasury.network_fee_incurred" }
func (NetworkFeeReversed) EventType() string      { return "treasury.network_fee_reversed" }
func (GoodwillGranted) EventType() string         { return "treasury.goodwill_granted" }
func (OpeningBalanceRecorded) EventType() string  { return "treasury.opening_balance_recorded" }
func (OpeningBalanceReversed) EventType() string  { return "treasury.opening_balance_reversed" }
func (CustodyVarianceRecorded) EventType() string { return "treasury.custody_variance_recorded" }
func (BreakageRecognized) EventType() string      { return "treasury.breakage_recognized" }
func (CapitalContributed) treasury()              {}
func (CapitalWithdrawn) treasury()                {}
func (GasFunded) treasury()                       {}
func (GasToppedUp) treasury()                     {}
func (NetworkFeeIncurred) treasury()              {}
func (NetworkFeeReversed) treasury()              {}
func (GoodwillGranted) treasury()                 {}
func (OpeningBalanceRecorded) treasury()          {}
func (OpeningBalanceReversed) treasury()          {}
func (CustodyVarianceRecorded) treasury()         {}
func (BreakageRecognized) treasury()              {}

// Book writes one entry. Approver is the second person where two are needed.
type Book struct {
	domain.Issue
	Approver domain.Actor
	Event    Event
}

// State is empty: no rule of the treasury depends on what went before; an entry's Ref is
// claimed in the append.
type State struct{}

// Decider is the treasury of one asset; its stream's id is the asset.
var Decider = domain.Decider[State, Event]{Category: "treasury", Decide: Table().Decide, Evolve: func(s State, _ Event) State { return s }}

// Table is the treasury's state machine.
func Table() machine.Table[State, Event] {
	open := []string{"Open"}
	return machine.Table[State, Event]{
		Name: "Treasury", Phases: open, Phase: func(State) string { return "Open" },
		Rows: []machine.Row[State, Event]{
			machine.On(machine.Line{
				From: open, To: open, By: []domain.Capacity{domain.Admin, domain.Process, domain.Chain, domain.Import},
				Guard: "two people for capital, goodwill and breakage → SELF_APPROVAL; a reason → REASON_REQUIRED; accounts of the right class → ACCOUNT_NOT_ALLOWED",
				Events: []string{
					"treasury.capital_contributed", "treasury.capital_withdrawn", "treasury.gas_funded", "treasury.gas_topped_up", "treasury.network_fee_incurred", "treasury.network_fee_reversed",
					"treasury.goodwill_granted", "treasury.opening_balance_recorded", "treasury.opening_balance_reversed", "treasury.custody_variance_recorded", "treasury.breakage_recognized",
				},
			}, book),
		},
	}
}

func book(_ State, c Book) ([]Event, error) {
	entry, fourEyes := describe(c.Event)
	switch {
	case entry.Ref == "" || entry.Amount.IsZero():
		return nil, fault.ErrValidation.At("amount", "an entry needs a reference and an amount")
	case fourEyes && c.By.Kind == "user" && (c.Approver.ID == "" || c.Approver.ID == c.By.ID || !c.Approver.Has(domain.Admin)):
		return nil, ErrSelfApproval
	case fourEyes && entry.Reason == "":
		return nil, ErrReason
	}
	if tx, ok := Postings(domain.Stream{}, c.Event); !ok || tx.Validate() != nil || !classes(c.Event) {
		return nil, ErrAccount
	}
	return []Event{c.Event}, nil
}

func describe(e Event) (entry Entry, fourEyes bool) {
	switch e := e.(type) {
	case CapitalContributed:
		return e.Entry, true
	case CapitalWithdrawn:
		return e.Entry, true
	case GasFunded:
		return e.Entry, false
	case GasToppedUp:
		return e.Entry, false
	case NetworkFeeIncurred:
		return e.Entry, false
	case NetworkFeeReversed:
		return e.Entry, false
	case GoodwillGranted:
		return e.Entry, true
	case OpeningBalanceRecorded:
		return e.Entry, false
	case OpeningBalanceReversed:
		return e.Entry, false
	case CustodyVarianceRecorded:
		return e.Entry, false
	case BreakageRecognized:
		return e.Entry, true
	}
	return Entry{}, true
}

// classes checks that an entry names accounts of the class it is about.
func classes(e Event) bool {
	is := func(a ledger.Account, classes ...ledger.Class) bool {
		k, err := ledger.KindOf(a)
		if err != nil {
			return false
		}
		for _, c := range classes {
			if k.Class == c {
				return true
			}
		}
		return false
	}
	switch e := e.(type) {
	case CapitalContributed:
		return is(e.Custody, ledger.Custody)
	case CapitalWithdrawn:
		return is(e.Custody, ledger.Custody)
	case GasFunded:
		return e.Source == ledger.Treasury || e.Source == ledger.EquityPlatform
	case GasToppedUp:
		return e.Destination != ""
	case NetworkFeeIncurred:
		return e.Custody == "" || is(e.Custody, ledger.Custody)
	case NetworkFeeReversed:
		return e.Custody == "" || is(e.Custody, ledger.Custody)
	case CustodyVarianceRecorded:
		return is(e.Custody, ledger.Custody)
	case BreakageRecognized:
		return e.Source == ledger.Suspense || is(e.Source, ledger.Liability)
	case OpeningBalanceReversed:
		return is(e.Account, ledger.Custody, ledger.Liability)
	case OpeningBalanceRecorded:
		return is(e.Account, ledger.Custody, ledger.Liability, ledger.Receivable)
	}
	return true
}

// Postings is what the entries do to the ledger (domain.md §2.3).
func Postings(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
	decided := func(dr, cr ledger.Account, a money.Amount) (ledger.Transaction, bool) {
		return ledger.Transaction{Mode: ledger.Post, Lines: []ledger.Line{ledger.Dr(dr, cr, a)}}, true
	}
	fact := func(dr, cr ledger.Account, a money.Amount) (ledger.Transaction, bool) {
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: []ledger.Line{ledger.Dr(dr, cr, a)}}, true
	}
	switch e := e.(type) {
	case CapitalContributed:
		return decided(e.Custody, ledger.EquityPlatform, e.Amount)
	case CapitalWithdrawn:
		return decided(ledger.EquityPlatform, e.Custody, e.Amount)
	case GasFunded:
		return fact(ledger.Gas(e.Chain), e.Source, e.Amount)
	case GasToppedUp:
		return fact(ledger.Derived(e.Destination), ledger.Gas(e.Chain), e.Amount)
	case NetworkFeeIncurred:
		if e.Custody != "" {
			return fact(ledger.NetworkFee, e.Custody, e.Amount)
		}
		return fact(ledger.NetworkFee, ledger.Gas(e.Chain), e.Amount)
	case NetworkFeeReversed:
		if e.Custody != "" {
			return fact(e.Custody, ledger.NetworkFee, e.Amount)
		}
		return fact(ledger.Gas(e.Chain), ledger.NetworkFee, e.Amount)
	case GoodwillGranted:
		return decided(ledger.Goodwill, ledger.BuyerAvailable(e.Buyer), e.Amount)
	case OpeningBalanceRecorded:
		if k, err := ledger.KindOf(e.Account); err == nil && k.Debit {
			return fact(e.Account, ledger.Opening(e.Migration), e.Amount)
		}
		return fact(ledger.Opening(e.Migration), e.Account, e.Amount)
	case OpeningBalanceReversed:
		if k, err := ledger.KindOf(e.Account); err == nil && k.Debit {
			return decided(ledger.Opening(e.Migration), e.Account, e.Amount)
		}
		return decided(e.Account, ledger.Opening(e.Migration), e.Amount)
	case CustodyVarianceRecorded:
		if e.Loss {
			return fact(ledger.ChainLoss, e.Custody, e.Amount)
		}
		return fact(e.Custody, ledger.Suspense, e.Amount)
	case BreakageRecognized:
		return decided(e.Source, ledger.Breakage, e.Amount)
	}
	return ledger.Transaction{}, false
}

// ErrBooked: an entry with this reference stands in the books already.
var ErrBooked = fault.New(fault.Conflict, "ALREADY_BOOKED", "an entry with this reference was booked before")

// Aggregate registers the treasury with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			CapitalContributed{},
			CapitalWithdrawn{},
			GasFunded{},
			GasToppedUp{},
			NetworkFeeIncurred{},
			NetworkFeeReversed{},
			GoodwillGranted{},
			OpeningBalanceRecorded{},
			OpeningBalanceReversed{},
			CustodyVarianceRecorded{},
			BreakageRecognized{},
		},
		Postings: Postings,
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			entry, _ := describe(e.(Event))
			return []domain.Claim{{Name: "treasury:" + e.EventType() + ":" + entry.Ref, Once: true, Taken: ErrBooked}}
		},
	}
}
