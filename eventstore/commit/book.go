package commit

import (
	"bytes"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Book is the part of the log's present state that the wishes at hand depend on. What is
// missing from it does not exist: version 0, an unknown key, a free name, an unused account.
type Book struct {
	Position int64
	Versions map[domain.Stream]int64
	Keys     map[KeyID]Remembered
	Claims   map[string]domain.Stream
	Pending  map[string]*Pending
	Accounts map[AccountKey]*Account
}

// KeyID names a command's key.
type KeyID struct{ Actor, Key string }

// IDOf names a key.
func IDOf(k eventstore.Key) KeyID { return KeyID{k.Actor, k.Key} }

// Remembered is the first outcome of a key. Expires is zero when it is kept for ever.
type Remembered struct {
	Fingerprint []byte
	Outcome     eventstore.Outcome
	Expires     time.Time
}

// Match gives the outcome to repeat, or ErrKeyReused when the fingerprint is another.
func (r Remembered) Match(fingerprint []byte) (*eventstore.Outcome, error) {
	if !bytes.Equal(r.Fingerprint, fingerprint) {
		return nil, eventstore.ErrKeyReused
	}
	outcome := r.Outcome
	return &outcome, nil
}

// NewBook makes an empty book, that of an empty log.
func NewBook() *Book {
	return &Book{
		Versions: map[domain.Stream]int64{}, Keys: map[KeyID]Remembered{}, Claims: map[string]domain.Stream{},
		Pending: map[string]*Pending{}, Accounts: map[AccountKey]*Account{},
	}
}

// Written is what a wish that was granted adds to the log.
type Written struct {
	First, Last int64 // positions, 0 when it has no events
	Entries     []eventstore.Entry
	Opened      []string // keys of pending transactions, in Book.Pending
	Closed      []string
	Claims      []ClaimChange
	Deadlines   []PlacedDeadline
	// Remembered is set when the wish has a key.
	Remembered *Remembered
}

// ClaimChange takes a name or gives it back.
type ClaimChange struct {
	Name     string
	Holder   domain.Stream
	Free     bool
	Position int64
}

// PlacedDeadline is a deadline with the event that set it.
type PlacedDeadline struct {
	eventstore.StreamDeadline
	Position int64
}

// Decide carries out one wish at a time: key, versions, claims, ledger, in this order. An
// error is the wish's own; the book is then as before. With replay set nothing is written.
func (b *Book) Decide(w *Wish, at time.Time) (written Written, replay *eventstore.Outcome, err error) {
	if w.Key != nil {
		if known, ok := b.Keys[IDOf(*w.Key)]; ok && (known.Expires.IsZero() || at.Before(known.Expires)) {
			replay, err := known.Match(w.Key.Fingerprint)
			return Written{}, replay, err
		}
	}
	for _, e := range w.Expected {
		if b.Versions[e.Stream] != e.Version {
			return Written{}, nil, eventstore.ErrVersion
		}
	}
	if written.Claims, err = b.checkClaims(w); err != nil {
		return Written{}, nil, err
	}
	journal := journal{book: b, at: at}
	for i := range w.Events {
		if err := journal.enter(&w.Events[i], b.Position+int64(i)+1); err != nil {
			return Written{}, nil, err
		}
	}
	b.grant(w, &written, &journal, at)
	return written, nil, nil
}

// checkClaims follows the wish's claims in order, on top of what the book says.
func (b *Book) checkClaims(w *Wish) ([]ClaimChange, error) {
	var changes []ClaimChange
	holder := func(name string) (domain.Stream, bool) {
		for i := len(changes) - 1; i >= 0; i-- {
			if changes[i].Name == name {
				return changes[i].Holder, !changes[i].Free
			}
		}
		s, ok := b.Claims[name]
		return s, ok
	}
	for i, e := range w.Events {
		for _, c := range e.Claims {
			by, held := holder(c.Name)
			switch {
			case c.Free && (!held || by != e.Stream):
				continue // it was given back before, and may be somebody else's by now
			case !c.Free && held && (c.Once || by != e.Stream):
				return nil, taken(c)
			}
			changes = append(changes, ClaimChange{Name: c.Name, Holder: e.Stream, Free: c.Free, Position: b.Position + int64(i) + 1})
		}
	}
	return changes, nil
}

// errTaken is for claims that do not say what to answer.
var errTaken = fault.New(fault.Conflict, "ALREADY_TAKEN", "another object holds this already")

func taken(c domain.Claim) error {
	if c.Taken == nil {
		return errTaken
	}
	return c.Taken
}

// grant moves the book on; from here nothing fails.
func (b *Book) grant(w *Wish, written *Written, j *journal, at time.Time) {
	if len(w.Events) > 0 {
		written.First, written.Last = b.Position+1, b.Position+int64(len(w.Events))
		b.Position = written.Last
	}
	for i, e := range w.Events {
		b.Versions[e.Stream] = e.Version
		for _, d := range e.Deadlines {
			written.Deadlines = append(written.Deadlines, PlacedDeadline{eventstore.StreamDeadline{Stream: e.Stream, Deadline: d}, written.First + int64(i)})
		}
	}
	for _, d := range w.Deadlines {
		written.Deadlines = append(written.Deadlines, PlacedDeadline{d, written.Last})
	}
	for _, c := range written.Claims {
		if c.Free {
			delete(b.Claims, c.Name)
		} else {
			b.Claims[c.Name] = c.Holder
		}
	}
	j.post(written)
	if w.Key != nil {
		r := Remembered{Fingerprint: w.Key.Fingerprint, Outcome: w.Outcome}
		r.Outcome.Position = written.Last
		if w.Key.KeepFor > 0 {
			r.Expires = at.Add(w.Key.KeepFor)
		}
		b.Keys[IDOf(*w.Key)] = r
		written.Remembered = &r
	}
}
