package memory

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// Balance implements eventstore.Ledger.
func (s *Store) Balance(_ context.Context, a ledger.Account, asset money.Asset) (eventstore.Totals, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.book.Accounts[commit.AccountKey{Account: a, Asset: asset}]; ok {
		return known.Totals, nil
	}
	return eventstore.Totals{Account: a, Asset: asset}, nil
}

// Balances implements eventstore.Ledger.
func (s *Store) Balances(_ context.Context, prefix string, asOf int64) ([]eventstore.Totals, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	folded := map[commit.AccountKey]*eventstore.Totals{}
	for _, e := range s.entries {
		if (asOf > 0 && e.Position > asOf) || !strings.HasPrefix(string(e.Account), prefix) {
			continue
		}
		key := commit.AccountKey{Account: e.Account, Asset: e.Asset}
		t, ok := folded[key]
		if !ok {
			t = &eventstore.Totals{Account: e.Account, Asset: e.Asset}
			folded[key] = t
		}
		if err := commit.Fold(t, e); err != nil {
			return nil, err
		}
	}
	all := make([]eventstore.Totals, 0, len(folded))
	for _, t := range folded {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b eventstore.Totals) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	return all, nil
}

// Entries implements eventstore.Ledger.
func (s *Store) Entries(_ context.Context, a ledger.Account, asset money.Asset, after int64, limit int) ([]eventstore.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []eventstore.Entry
	for _, e := range s.entries {
		if len(found) == limit {
			break
		}
		if e.Position > after && (a == "" || e.Account == a) && (asset == "" || e.Asset == asset) {
			found = append(found, e)
		}
	}
	return found, nil
}

// Deficits lists the accounts that facts have driven below zero.
func (s *Store) Deficits(context.Context) ([]eventstore.Deficit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []eventstore.Deficit
	for key, a := range s.book.Accounts {
		if !a.Deficit.IsZero() {
			all = append(all, eventstore.Deficit{Account: key.Account, Asset: key.Asset, Amount: a.Deficit})
		}
	}
	slices.SortFunc(all, func(a, b eventstore.Deficit) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	return all, nil
}

// PositionAt implements eventstore.Ledger.
func (s *Store) PositionAt(_ context.Context, t time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(sort.Search(len(s.events), func(i int) bool { return s.events[i].RecordedAt.After(t) })), nil
}
