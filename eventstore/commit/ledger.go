package commit

import (
	"math/big"
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// AccountKey names one row of totals.
type AccountKey struct {
	Account ledger.Account
	Asset   money.Asset
}

// Account is one account and asset.
type Account struct {
	Kind    ledger.Kind
	Totals  eventstore.Totals
	Deficit money.Units // by how much facts have driven it below zero
}

// Pending is a pending transaction.
type Pending struct {
	Lines  []ledger.Line
	Opened int64
	Closed int64 // position of the event that closed it, 0 = open
	Posted bool
}

// available gives what the account can spend, as a number with its sign apart: exactly one
// of over and under is above zero, or both are zero.
func (a *Account) available() (over, under money.Units, err error) {
	have, gone, pending := a.Totals.CreditsPosted, a.Totals.DebitsPosted, a.Totals.DebitsPending
	if a.Kind.Debit {
		have, gone, pending = a.Totals.DebitsPosted, a.Totals.CreditsPosted, a.Totals.CreditsPending
	}
	if gone, err = gone.Add(pending); err != nil {
		return over, under, err
	}
	if over, ok := have.Sub(gone); ok {
		return over, money.Zero, nil
	}
	return money.Zero, gone.Minus(have), nil
}

// Keys lists the accounts that an event's transaction names; those of a pending transaction
// it closes stand in that one's lines.
func Keys(lines []ledger.Line, visit func(AccountKey)) {
	for _, l := range lines {
		visit(AccountKey{l.Debit, l.Amount.Asset})
		visit(AccountKey{l.Credit, l.Amount.Asset})
	}
}

// journal collects what one wish does to the ledger, on copies, until all of it is granted.
type journal struct {
	book     *Book
	at       time.Time
	accounts []touched
	pending  []touchedPending
	entries  []eventstore.Entry
}

type touched struct {
	key     AccountKey
	account Account
	// as it was before the transaction at hand
	over, under money.Units
	seen        bool
}

type touchedPending struct {
	key string
	now Pending
}

// enter books the one transaction an event implies.
func (j *journal) enter(e *Event, position int64) error {
	if e.Tx == nil {
		return nil
	}
	for i := range j.accounts {
		j.accounts[i].seen = false
	}
	write := &writer{journal: j, event: e, position: position}
	switch e.Tx.Mode {
	case ledger.Post:
		if err := write.move(e.Tx.Lines, ledger.Post); err != nil {
			return err
		}
	case ledger.Pend:
		if _, known := j.pendingOf(e.Tx.Key); known {
			return eventstore.ErrPending.With("key", e.Tx.Key).With("state", "opened before")
		}
		j.pending = append(j.pending, touchedPending{e.Tx.Key, Pending{Lines: e.Tx.Lines, Opened: position}})
		if err := write.move(e.Tx.Lines, ledger.Pend); err != nil {
			return err
		}
	default:
		if err := write.resolve(); err != nil {
			return err
		}
	}
	return j.guard(e.Tx)
}

func (j *journal) pendingOf(key string) (Pending, bool) {
	for i := len(j.pending) - 1; i >= 0; i-- {
		if j.pending[i].key == key {
			return j.pending[i].now, true
		}
	}
	p, ok := j.book.Pending[key]
	if !ok {
		return Pending{}, false
	}
	return *p, true
}

// account gives the working copy of an account.
func (j *journal) account(key AccountKey) (*touched, error) {
	for i := range j.accounts {
		if j.accounts[i].key == key {
			return j.before(&j.accounts[i])
		}
	}
	t := touched{key: key}
	if known, ok := j.book.Accounts[key]; ok {
		t.account = *known
	} else {
		kind, err := ledger.KindOf(key.Account)
		if err != nil {
			return nil, err
		}
		t.account = Account{Kind: kind, Totals: eventstore.Totals{Account: key.Account, Asset: key.Asset}}
	}
	j.accounts = append(j.accounts, t)
	return j.before(&j.accounts[len(j.accounts)-1])
}

// before notes what was available when the transaction at hand came to the account first.
func (j *journal) before(t *touched) (*touched, error) {
	if t.seen {
		return t, nil
	}
	var err error
	t.seen = true
	t.over, t.under, err = t.account.available()
	return t, err
}

// guard refuses a decision that would lower a guarded account below zero, and notes by how
// much a fact did. A decision that finds an account below zero may still raise it.
func (j *journal) guard(tx *ledger.Transaction) error {
	for i := range j.accounts {
		t := &j.accounts[i]
		if !t.seen || !t.account.Kind.Guarded {
			continue
		}
		over, under, err := t.account.available()
		if err != nil {
			return err
		}
		lowered := t.under.Less(under)
		switch {
		case tx.Fact:
			t.account.Deficit = under
		case lowered:
			return refusal(tx, t, over, under)
		default:
			// Only a fact makes a deficit larger: the table's CHECK then stands by itself.
			t.account.Deficit = under.Min(t.account.Deficit)
		}
	}
	return nil
}

// refusal says what the account has and what the decision wanted of it.
func refusal(tx *ledger.Transaction, t *touched, over, under money.Units) error {
	have := signed(t.over, t.under)
	need := new(big.Int).Sub(have, signed(over, under))
	base := tx.Refused
	if base == nil {
		base = eventstore.ErrInsufficient
	}
	f, ok := fault.From(base)
	if !ok {
		return base
	}
	return f.With("account", t.key.Account).With("asset", t.key.Asset).With("have", have).With("need", need)
}

func signed(over, under money.Units) *big.Int {
	return new(big.Int).Sub(over.Uint256().ToBig(), under.Uint256().ToBig())
}

// post makes the wish's ledger the book's.
func (j *journal) post(written *Written) {
	written.Entries = j.entries
	for i := range j.accounts {
		t := &j.accounts[i]
		if known, ok := j.book.Accounts[t.key]; ok {
			*known = t.account
		} else {
			account := t.account
			j.book.Accounts[t.key] = &account
		}
	}
	for _, p := range j.pending {
		now := p.now
		j.book.Pending[p.key] = &now
		if now.Closed == 0 {
			written.Opened = append(written.Opened, p.key)
		} else {
			written.Closed = append(written.Closed, p.key)
		}
	}
}
