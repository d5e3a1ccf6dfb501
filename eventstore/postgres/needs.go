package postgres

import (
	"holdfast/domain"
	"holdfast/eventstore/commit"
)

// needs lists what the wishes name, each once.
type needs struct {
	streams          []domain.Stream
	types, ids       []string
	actors, keys     []string
	claims           []string
	pending          []string
	accounts, assets []string
}

func (b *batch) needs() *needs {
	n := &needs{}
	streams, keys := map[domain.Stream]bool{}, map[commit.KeyID]bool{}
	claims, pending := map[string]bool{}, map[string]bool{}
	accounts := map[commit.AccountKey]bool{}
	for _, r := range b.requests {
		for _, e := range r.wish.Expected {
			if first(streams, e.Stream) {
				n.streams = append(n.streams, e.Stream)
				n.types, n.ids = append(n.types, e.Stream.Type), append(n.ids, e.Stream.ID)
			}
		}
		if k := r.wish.Key; k != nil && first(keys, commit.IDOf(*k)) {
			n.actors, n.keys = append(n.actors, k.Actor), append(n.keys, k.Key)
		}
		for i := range r.wish.Events {
			e := &r.wish.Events[i]
			for _, c := range e.Claims {
				if first(claims, c.Name) {
					n.claims = append(n.claims, c.Name)
				}
			}
			if e.Tx == nil {
				continue
			}
			if e.Tx.Key != "" && first(pending, e.Tx.Key) {
				n.pending = append(n.pending, e.Tx.Key)
			}
			commit.Keys(e.Tx.Lines, func(k commit.AccountKey) {
				if first(accounts, k) {
					n.accounts, n.assets = append(n.accounts, string(k.Account)), append(n.assets, string(k.Asset))
				}
			})
		}
	}
	return n
}

func first[K comparable](seen map[K]bool, k K) bool {
	if seen[k] {
		return false
	}
	seen[k] = true
	return true
}
