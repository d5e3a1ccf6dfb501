package funding

import (
	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/points"
	"holdfast/domain/treasury"
)

// TreasuryAnswer is what an entry answers.
type TreasuryAnswer struct {
	Ref    string       `json:"ref"`
	Amount money.Amount `json:"amount"`
}

// Entry is what all entries of the treasury need. Approver is the second person.
type Entry struct {
	domain.Issue
	Approver domain.Actor
	Ref      string
	Amount   money.Amount
	Reason   string
}

func (e Entry) book(u *domain.Unit, event func(treasury.Entry) treasury.Event) (any, error) {
	entry := treasury.Entry{Ref: e.Ref, Amount: e.Amount, By: e.By, Approver: e.Approver, Reason: e.Reason}
	c := treasury.Book{Issue: e.Issue, Approver: e.Approver, Event: event(entry)}
	if _, err := domain.Do(u, treasury.Decider, string(e.Amount.Asset), c); err != nil {
		return nil, err
	}
	return TreasuryAnswer{Ref: e.Ref, Amount: e.Amount}, nil
}

// ContributeCapital puts platform money into a custody account. Errors: SELF_APPROVAL,
// REASON_REQUIRED, ACCOUNT_NOT_ALLOWED, ALREADY_BOOKED.
type ContributeCapital struct {
	Entry
	Custody ledger.Account
}

// Run decides.
func (f ContributeCapital) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.CapitalContributed{Entry: e, Custody: f.Custody}
	})
}

// WithdrawCapital takes it out again.
type WithdrawCapital struct {
	Entry
	Custody ledger.Account
}

// Run decides.
func (f WithdrawCapital) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event { return treasury.CapitalWithdrawn{Entry: e, Custody: f.Custody} })
}

// FundGas books native coin that came to a gas account.
type FundGas struct {
	Entry
	Chain  string
	Source ledger.Account
}

// Run decides.
func (f FundGas) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.GasFunded{Entry: e, Chain: f.Chain, Source: f.Source}
	})
}

// TopUpGas books native coin that moved from the gas account to a derived address; Ref is the
// transaction's hash.
type TopUpGas struct {
	Entry
	Chain       string
	Destination domain.DestinationID
}

// Run decides.
func (f TopUpGas) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.GasToppedUp{Entry: e, Chain: f.Chain, Destination: f.Destination}
	})
}

// RecordNetworkFee books the gas of one of our transactions; Ref is its hash.
type RecordNetworkFee struct {
	Entry
	Chain   string
	Purpose string
	// Custody is the pocket that paid; empty: the chain's gas account.
	Custody ledger.Account
}

// Run decides.
func (f RecordNetworkFee) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.NetworkFeeIncurred{Entry: e, Chain: f.Chain, Purpose: f.Purpose, Custody: f.Custody}
	})
}

// ReverseNetworkFee takes a fee back into the pocket that paid it: the chain has undone the
// transaction for good. Ref is that of the fee. Errors: ALREADY_BOOKED.
type ReverseNetworkFee struct {
	Entry
	Chain   string
	Custody ledger.Account // empty: the chain's gas account
}

// Run decides.
func (f ReverseNetworkFee) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.NetworkFeeReversed{Entry: e, Chain: f.Chain, Custody: f.Custody}
	})
}

// GrantGoodwill gives a buyer credit at the platform's expense.
type GrantGoodwill struct {
	Entry
	Buyer domain.UserID
}

// Run decides.
func (f GrantGoodwill) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event { return treasury.GoodwillGranted{Entry: e, Buyer: f.Buyer} })
}

// RecordOpeningBalance books what stood on an account at a migration.
type RecordOpeningBalance struct {
	Entry
	Migration string
	Account   ledger.Account
}

// Run decides.
func (f RecordOpeningBalance) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.OpeningBalanceRecorded{Entry: e, Migration: f.Migration, Account: f.Account}
	})
}

// ReverseOpeningBalance takes one back that the old backend has moved meanwhile. Errors:
// INSUFFICIENT_FUNDS when it is not there any more, ALREADY_BOOKED.
type ReverseOpeningBalance struct {
	Entry
	Migration string
	Account   ledger.Account
}

// Run decides.
func (f ReverseOpeningBalance) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.OpeningBalanceReversed{Entry: e, Migration: f.Migration, Account: f.Account}
	})
}

// RecordCustodyVariance books what reconciliation found more or less than the books say.
type RecordCustodyVariance struct {
	Entry
	Custody ledger.Account
	Loss    bool
}

// Run decides.
func (f RecordCustodyVariance) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event {
		return treasury.CustodyVarianceRecorded{Entry: e, Custody: f.Custody, Loss: f.Loss}
	})
}

// RecognizeBreakage turns unclaimed money into income after the legal period.
type RecognizeBreakage struct {
	Entry
	Source ledger.Account
}

// Run decides.
func (f RecognizeBreakage) Run(u *domain.Unit) (any, error) {
	return f.book(u, func(e treasury.Entry) treasury.Event { return treasury.BreakageRecognized{Entry: e, Source: f.Source} })
}

// BreakerAnswer is how an asset's breaker stands.
type BreakerAnswer struct {
	Asset money.Asset `json:"asset"`
	State string      `json:"state"`
}

func onBreaker(u *domain.Unit, asset money.Asset, c domain.Command) (any, error) {
	if _, err := domain.Do(u, breaker.Decider, string(asset), c); err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, breaker.Decider, string(asset))
	return BreakerAnswer{Asset: asset, State: s.Phase()}, err
}

// PauseAsset stops releases, payouts and refunds of an asset; a guard may do it too.
type PauseAsset struct {
	domain.Issue
	Asset  money.Asset
	Reason string
}

// Run decides.
func (f PauseAsset) Run(u *domain.Unit) (any, error) {
	return onBreaker(u, f.Asset, breaker.Pause{Issue: f.Issue, Asset: f.Asset, Reason: f.Reason})
}

// ResumeAsset ends a pause; only an admin may.
type ResumeAsset struct {
	domain.Issue
	Asset  money.Asset
	Reason string
}

// Run decides.
func (f ResumeAsset) Run(u *domain.Unit) (any, error) {
	return onBreaker(u, f.Asset, breaker.Resume{Issue: f.Issue, Asset: f.Asset, Reason: f.Reason})
}

// RecordSolvency notes how custody and liabilities of an asset compare.
type RecordSolvency struct {
	domain.Issue
	Asset       money.Asset
	Custody     string
	Liabilities string
	Solvent     bool
}

// Run decides.
func (f RecordSolvency) Run(u *domain.Unit) (any, error) {
	return onBreaker(u, f.Asset, breaker.RecordSolvency{Issue: f.Issue, Asset: f.Asset, Custody: f.Custody, Liabilities: f.Liabilities, Solvent: f.Solvent})
}

// MovePoints changes a user's points. Errors: INSUFFICIENT_POINTS.
type MovePoints struct {
	points.Move
}

// Run decides.
func (f MovePoints) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, points.Decider, string(f.User), f.Move); err != nil {
		return nil, err
	}
	return domain.StateOf(u, points.Decider, string(f.User))
}
