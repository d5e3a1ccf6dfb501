// Package audit recomputes from the events alone what the rest of the house has written
// down: the ledger's totals, and the identities that must hold between them. An auditor
// runs it against a live database or against an export; it shares no code with the writer
// but the posting rules themselves.
package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// AccountKey names one row of totals.
type AccountKey struct {
	Account ledger.Account
	Asset   money.Asset
}

// Ledger is a fold of events into totals.
type Ledger struct {
	postings func(category string) (domain.Aggregate, bool)
	totals   map[AccountKey]*eventstore.Totals
	pending  map[string][]ledger.Line // open pending transactions by key
	Postings int64                    // ledger transactions seen
	Entries  int64                    // ledger entries they imply
}

// NewLedger starts an empty ledger; aggregates come from the codec.
func NewLedger(codec *eventstore.Codec) *Ledger {
	return &Ledger{postings: codec.Aggregate, totals: map[AccountKey]*eventstore.Totals{}, pending: map[string][]ledger.Line{}}
}

// Apply folds one decoded event. An error means that the events themselves break a rule of
// double entry, which no correct writer can have produced.
func (l *Ledger) Apply(r eventstore.Recorded) error {
	agg, ok := l.postings(r.Stream.Type)
	if !ok || agg.Postings == nil {
		return nil
	}
	tx, ok := agg.Postings(r.Stream, r.Event)
	if !ok {
		return nil
	}
	if err := tx.Validate(); err != nil {
		return fmt.Errorf("event %d (%s): %w", r.Position, r.Type, err)
	}
	l.Postings++
	if err := l.transact(tx); err != nil {
		return fmt.Errorf("event %d (%s): %w", r.Position, r.Type, err)
	}
	return nil
}

func (l *Ledger) transact(tx ledger.Transaction) error {
	switch tx.Mode {
	case ledger.Pend:
		if _, open := l.pending[tx.Key]; open {
			return fmt.Errorf("pending %q is opened twice", tx.Key)
		}
		l.pending[tx.Key] = tx.Lines
		return l.move(tx.Lines, pendingAdd)
	case ledger.PostPending, ledger.VoidPending:
		lines, open := l.pending[tx.Key]
		if !open {
			return fmt.Errorf("pending %q is not open", tx.Key)
		}
		delete(l.pending, tx.Key)
		if tx.Mode == ledger.VoidPending {
			l.Entries += 2 * int64(len(lines)) // taking out of pending is written too
		}
		if err := l.move(lines, pendingSub); err != nil {
			return err
		}
		if tx.Mode == ledger.PostPending {
			return l.move(lines, post)
		}
	}
	return l.move(tx.Lines, post)
}

type movement uint8

const (
	post movement = iota
	pendingAdd
	pendingSub
)

func (l *Ledger) move(lines []ledger.Line, m movement) error {
	for _, line := range lines {
		dr, cr := l.row(line.Debit, line.Amount.Asset), l.row(line.Credit, line.Amount.Asset)
		var err1, err2 error
		switch m {
		case post:
			dr.DebitsPosted, err1 = dr.DebitsPosted.Add(line.Amount.Units)
			cr.CreditsPosted, err2 = cr.CreditsPosted.Add(line.Amount.Units)
		case pendingAdd:
			dr.DebitsPending, err1 = dr.DebitsPending.Add(line.Amount.Units)
			cr.CreditsPending, err2 = cr.CreditsPending.Add(line.Amount.Units)
		case pendingSub:
			dr.DebitsPending = dr.DebitsPending.Minus(line.Amount.Units)
			cr.CreditsPending = cr.CreditsPending.Minus(line.Amount.Units)
		}
		if err := cmp.Or(err1, err2); err != nil {
			return err
		}
		if m != pendingSub {
			l.Entries += 2
		}
	}
	return nil
}

func (l *Ledger) row(a ledger.Account, asset money.Asset) *eventstore.Totals {
	k := AccountKey{a, asset}
	t, ok := l.totals[k]
	if !ok {
		t = &eventstore.Totals{Account: a, Asset: asset}
		l.totals[k] = t
	}
	return t
}

// Totals lists every account, ordered by path and asset.
func (l *Ledger) Totals() []eventstore.Totals {
	keys := slices.SortedFunc(maps.Keys(l.totals), func(a, b AccountKey) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	all := make([]eventstore.Totals, len(keys))
	for i, k := range keys {
		all[i] = *l.totals[k]
	}
	return all
}

// OpenPending counts the pending transactions that nothing has closed yet.
func (l *Ledger) OpenPending() int { return len(l.pending) }

// Difference is an account on which two sources of totals do not agree.
type Difference struct {
	Account ledger.Account    `json:"account"`
	Asset   money.Asset       `json:"asset"`
	Folded  eventstore.Totals `json:"folded"`
	Written eventstore.Totals `json:"written"`
}

// Compare lists the accounts whose written totals differ from the folded ones. Rows of
// zeros on one side only do not count.
func (l *Ledger) Compare(written []eventstore.Totals) []Difference {
	rest := maps.Clone(l.totals)
	var all []Difference
	for _, w := range written {
		k := AccountKey{w.Account, w.Asset}
		f := eventstore.Totals{Account: w.Account, Asset: w.Asset}
		if t, ok := rest[k]; ok {
			f = *t
			delete(rest, k)
		}
		if f != w {
			all = append(all, Difference{Account: w.Account, Asset: w.Asset, Folded: f, Written: w})
		}
	}
	for k, f := range rest {
		empty := eventstore.Totals{Account: k.Account, Asset: k.Asset}
		if *f != empty {
			all = append(all, Difference{Account: k.Account, Asset: k.Asset, Folded: *f, Written: empty})
		}
	}
	return all
}
