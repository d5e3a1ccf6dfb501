package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
)

// Booked is a test's own event: it puts a scenario's starting balances on the books, where
// no business event would. Only this package registers it.
type Booked struct {
	Lines []ledger.Line `json:"lines"`
}

// EventType names it.
func (Booked) EventType() string { return "seed.booked" }

// book is the command.
type book struct {
	domain.Issue
	lines []ledger.Line
}

var seedDecider = domain.Decider[struct{}, domain.Event]{
	Category: "seed",
	Decide: func(_ struct{}, c domain.Command) ([]domain.Event, error) {
		return []domain.Event{Booked{Lines: c.(book).lines}}, nil
	},
	Evolve: func(s struct{}, _ domain.Event) struct{} { return s },
}

func seedAggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: "seed",
		Events:   []domain.Event{Booked{}},
		Postings: func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
			return ledger.Transaction{Mode: ledger.Post, Lines: e.(Booked).Lines}, true
		},
	}
}

// Seed books lines out of thin air.
type Seed struct {
	domain.Issue
	Lines []ledger.Line
}

// Run decides.
func (f Seed) Run(u *domain.Unit) (any, error) {
	_, err := domain.Do(u, seedDecider, "seed", book{Issue: f.Issue, lines: f.Lines})
	return nil, err
}
