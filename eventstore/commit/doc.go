// Package commit holds the rules of an append, the same for every store: what is checked, in
// which order, and what is written when all is well. It is pure in-memory work on a Book; a
// store fills the Book from where it keeps things and writes down what changed.
//
// A Wish is one command's append, made ready by its own caller: events encoded, ledger
// transactions derived. Book.Decide carries wishes out one after the other; one that is
// refused leaves the Book as it was.
package commit
