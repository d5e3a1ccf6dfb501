package legacymongo

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/projections"
)

// load folds a stream as its read model does and opens its personal text. The view part is made
// before, with the text sealed. row is nil for a stream that has not begun.
func load[D any](r *Reading, v projections.View[D], columns map[string]Column, id string) (row *projections.Row[D], part *view, err error) {
	found, ok, err := Row(r, v, id)
	if err != nil || !ok {
		return nil, nil, err
	}
	if columns != nil {
		if part, err = viewOf(found, columns); err != nil {
			return nil, nil, err
		}
	}
	return &found, part, r.Open(&found.Doc)
}

// stamped ends a document's fields as Mongoose's timestamps do.
func stamped(fields bson.D, created, updated time.Time) bson.D {
	return append(fields, bson.E{Key: "createdAt", Value: date(created)}, bson.E{Key: "updatedAt", Value: date(updated)})
}

// amount writes money: for people, exactly, and in what.
func (r *Reading) amount(a money.Amount) bson.D {
	return bson.D{{Key: "amount", Value: r.Decimal(a)}, {Key: "currency", Value: r.Alias(a.Asset)}, {Key: "baseUnits", Value: a.Units.String()}, {Key: "asset", Value: string(a.Asset)}}
}

// amountIn is amount with another word for the currency, empty for none.
func (r *Reading) amountIn(a money.Amount, word string) bson.D {
	d := r.amount(a)
	if word != "" {
		d[1].Value = word
	}
	return d
}

// refs looks several references up at once; they are all noted before one of them is missed.
func (r *Reading) refs(of ...name) ([]any, error) {
	all, missing := make([]any, len(of)), error(nil)
	for i, n := range of {
		v, err := r.Ref(n.collection, n.id)
		if err != nil {
			missing = err
		}
		all[i] = v
	}
	return all, missing
}

// user names a person's document.
func user[T ~string](id T) name { return name{"users", string(id)} }

// actor is who did something: a person's ObjectId, or the name of a machine.
func (r *Reading) actor(a domain.Actor) (any, error) {
	if a.Kind == "user" {
		return r.Ref("users", a.ID)
	}
	return a.Kind, nil
}

// texts is a list of strings, never null.
func texts[T ~string](list []T) bson.A {
	all := bson.A{}
	for _, s := range list {
		all = append(all, string(s))
	}
	return all
}

// orNull is null for an empty text, as an unset field of a Mongoose document.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
