package commit

import (
	"cmp"
	"errors"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// writer writes the entries of one event and moves the totals with them.
type writer struct {
	journal  *journal
	event    *Event
	position int64
	line     int
}

// resolve closes the pending transaction of the event's key, once.
func (w *writer) resolve() error {
	tx := w.event.Tx
	p, known := w.journal.pendingOf(tx.Key)
	if !known || p.Closed != 0 {
		state := "never opened"
		if known {
			state = "closed before"
		}
		return eventstore.ErrPending.With("key", tx.Key).With("state", state)
	}
	p.Closed, p.Posted = w.position, tx.Mode == ledger.PostPending
	w.journal.pending = append(w.journal.pending, touchedPending{tx.Key, p})
	if err := w.move(p.Lines, tx.Mode); err != nil {
		return err
	}
	return w.move(tx.Lines, ledger.Post)
}

// move books lines in a mode: two entries each, and the totals on both sides.
func (w *writer) move(lines []ledger.Line, mode ledger.Mode) error {
	for _, l := range lines {
		for _, debit := range []bool{true, false} {
			account := l.Credit
			if debit {
				account = l.Debit
			}
			t, err := w.journal.account(AccountKey{account, l.Amount.Asset})
			if err != nil {
				return err
			}
			entry := eventstore.Entry{
				Position: w.position, EventID: w.event.ID, Line: w.line, Debit: debit, Account: account,
				Asset: l.Amount.Asset, Amount: l.Amount.Units, Mode: mode, At: w.journal.at,
			}
			if err := Fold(&t.account.Totals, entry); err != nil {
				return err
			}
			w.journal.entries = append(w.journal.entries, entry)
		}
		w.line++
	}
	return nil
}

// Fold moves totals by one entry. It is the whole meaning of an entry: balances of the past
// are folds of entries.
func Fold(t *eventstore.Totals, e eventstore.Entry) error {
	posted, pending := &t.CreditsPosted, &t.CreditsPending
	if e.Debit {
		posted, pending = &t.DebitsPosted, &t.DebitsPending
	}
	var err1, err2 error
	switch e.Mode {
	case ledger.Post:
		*posted, err1 = posted.Add(e.Amount)
	case ledger.Pend:
		*pending, err1 = pending.Add(e.Amount)
	case ledger.PostPending:
		*pending, err1 = less(*pending, e.Amount)
		*posted, err2 = posted.Add(e.Amount)
	case ledger.VoidPending:
		*pending, err1 = less(*pending, e.Amount)
	}
	return cmp.Or(err1, err2)
}

// errTotals is a plain error: no command can bring it about.
var errTotals = errors.New("a pending total is smaller than the pending amounts in it")

// less takes what was added before; that it is not there means the totals were tampered with.
func less(have, amount money.Units) (money.Units, error) {
	left, ok := have.Sub(amount)
	if !ok {
		return have, errTotals
	}
	return left, nil
}
