package migration

import (
	"fmt"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Place is where a payment's money stood in the old books.
type Place string

// The places. Available is the seller's, platform the fee; external is outside of the books.
const (
	External   Place = "external"
	Held       Place = "held"
	Releasable Place = "releasable"
	Available  Place = "available"
	Platform   Place = "platform"
)

// movements are the entry types of the old books, and what each moves from where to where. A refund
// may also be paid out of what was releasable already.
var movements = map[string][][2]Place{
	"hold":       {{External, Held}},
	"releasable": {{Held, Releasable}},
	"release":    {{Releasable, Available}},
	"fee":        {{Releasable, Platform}},
	"payout":     {{Available, External}},
	"refund":     {{Held, External}, {Releasable, External}},
}

// EntryTypes are the entry types that are understood, for the decoder.
func EntryTypes() []string {
	return []string{"hold", "releasable", "release", "fee", "payout", "refund"}
}

// Moves tells where an entry type moves money from and to; what the entry itself says of it is
// empty or one of the ways. ok is false when it says something else.
func Moves(entryType string, from, to Place) (was, is Place, ok bool) {
	for _, way := range movements[entryType] {
		if (from == "" || from == way[0]) && (to == "" || to == way[1]) {
			return way[0], way[1], true
		}
	}
	return "", "", false
}

// Movement is one entry of the old books.
type Movement struct {
	From, To Place
	Amount   money.Units
}

// Books is where the money of one payment stands by its entries.
type Books struct {
	Held, Releasable, Available, Platform money.Units
	// Came, Refunded and PaidOut are what crossed the border; Released what left for the seller and
	// the platform.
	Came, Refunded, PaidOut, Released money.Units
}

// Inside is what the entries say is still there.
func (b Books) Inside() money.Units {
	return b.Held.Plus(b.Releasable).Plus(b.Available).Plus(b.Platform)
}

// pocket is a place's sum; nil for external.
func (b *Books) pocket(p Place) *money.Units {
	switch p {
	case Held:
		return &b.Held
	case Releasable:
		return &b.Releasable
	case Available:
		return &b.Available
	case Platform:
		return &b.Platform
	}
	return nil
}

// ErrBooks: the old books do not say what they promise.
var ErrBooks = fault.New(fault.Rule, "LEGACY_BOOKS_DISAGREE", "the old backend's books and its words about this payment disagree")

// add books one entry. Entries of a payment come in any order, so whether a place was overdrawn is
// known only after the last: see Sum.
func (b *Books) add(m Movement, minus map[Place]money.Units) {
	if out := b.pocket(m.From); out != nil {
		minus[m.From] = minus[m.From].Plus(m.Amount)
	} else {
		b.Came = b.Came.Plus(m.Amount)
	}
	if in := b.pocket(m.To); in != nil {
		*in = in.Plus(m.Amount)
	}
	switch {
	case m.To == External && m.From == Available:
		b.PaidOut = b.PaidOut.Plus(m.Amount)
	case m.To == External:
		b.Refunded = b.Refunded.Plus(m.Amount)
	case m.To == Available || m.To == Platform:
		b.Released = b.Released.Plus(m.Amount)
	}
}

// Sum adds the entries of one payment up. Errors: LEGACY_BOOKS_DISAGREE when more left a place than
// came.
func Sum(entries []Movement) (Books, error) {
	var b Books
	minus := map[Place]money.Units{}
	for _, m := range entries {
		b.add(m, minus)
	}
	for _, p := range []Place{Held, Releasable, Available, Platform} {
		sum := b.pocket(p)
		left, ok := sum.Sub(minus[p])
		if !ok {
			return b, ErrBooks.Because("more left %s than came: %s of %s", p, minus[p], *sum)
		}
		*sum = left
	}
	return b, nil
}

// Agree checks the books against what a payment's document says. Errors: LEGACY_BOOKS_DISAGREE.
func (b Books) Agree(state string, due money.Units) error {
	whole := b.Came == due
	empty := b.Inside().IsZero()
	rules := map[string]bool{
		"":           b.Came.IsZero(),
		"failed":     empty,
		"cancelled":  empty,
		"partial":    !b.Inside().IsZero() && (b.Came.Less(due) || whole && !b.Released.IsZero()),
		"funded":     whole && b.Held == due,
		"releasable": whole && b.Releasable == due,
		"releasing":  whole && b.Releasable.Plus(b.Available).Plus(b.Platform) == due,
		"released":   whole && b.Held.Plus(b.Releasable).IsZero() && b.Released == due,
		"refunded":   !b.Came.IsZero() && empty && b.Refunded == b.Came,
	}
	if rules[state] {
		return nil
	}
	return ErrBooks.Because("escrowState is %s of %s, the entries say %s", orNone(state), due, b)
}

// Smaller is what both sides say is there at least, where they disagree: the word names the place,
// and of the two amounts the smaller one counts.
func Smaller(state string, due money.Units, entries []Movement) Books {
	b, err := Sum(entries)
	if err != nil {
		return Books{}
	}
	amount := b.Held.Plus(b.Releasable).Plus(b.Available).Min(due)
	switch state {
	case "funded", "partial":
		return Books{Came: amount, Held: amount}
	case "releasable", "releasing":
		return Books{Came: amount, Releasable: amount}
	}
	return Books{}
}

func (b Books) String() string {
	return fmt.Sprintf("came %s, held %s, releasable %s, seller %s, platform %s, refunded %s, paid out %s", b.Came, b.Held, b.Releasable, b.Available, b.Platform, b.Refunded, b.PaidOut)
}

func orNone(word string) string {
	if word == "" {
		return "missing"
	}
	return word
}
