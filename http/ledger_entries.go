package http

import (
	"context"
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// LedgerEntry is one side of a line, with the event that implied it.
type LedgerEntry struct {
	Position int64          `json:"position"`
	EventID  string         `json:"eventId"`
	Line     int            `json:"line"`
	Side     string         `json:"side" enum:"debit,credit"`
	Account  ledger.Account `json:"account"`
	Amount   money.Amount   `json:"amount"`
	Mode     ledger.Mode    `json:"mode"`
	At       time.Time      `json:"at"`
}

// LedgerTransaction is all that one event did to the ledger.
type LedgerTransaction struct {
	Position int64         `json:"position"`
	EventID  string        `json:"eventId"`
	At       time.Time     `json:"at"`
	Entries  []LedgerEntry `json:"entries"`
}

func entryOf(e eventstore.Entry) LedgerEntry {
	side := "credit"
	if e.Debit {
		side = "debit"
	}
	return LedgerEntry{
		Position: e.Position, EventID: e.EventID.String(), Line: e.Line, Side: side, Account: e.Account,
		Amount: money.Of(e.Asset, e.Amount), Mode: e.Mode, At: e.At.UTC(),
	}
}

type entriesInput struct {
	Page
	Account string `query:"account" maxLength:"200" pattern:"^[a-z][A-Za-z0-9:_-]*$"`
	Asset   string `query:"asset" maxLength:"200"`
}

// maxTransactionEntries is more than any event implies (a pay-in reorganised after release
// touches six accounts).
const maxTransactionEntries = 64

// wholeTransactions reads entries after a cursor without cutting the last event's in two.
// next is 0 when there is nothing more.
func (s *Server) wholeTransactions(ctx context.Context, in *entriesInput, limit int) (all []eventstore.Entry, next int64, err error) {
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return nil, 0, err
	}
	after, err := readPositionCursor("entries", in.Cursor)
	if err != nil {
		return nil, 0, err
	}
	limit += maxTransactionEntries
	all, err = s.deps.Executor.Store().Entries(ctx, ledger.Account(in.Account), asset, after, limit)
	if err != nil || len(all) < limit {
		return all, 0, err
	}
	last := all[len(all)-1].Position
	whole := len(all)
	for whole > 0 && all[whole-1].Position == last {
		whole--
	}
	return all[:whole], all[whole-1].Position, nil
}

func nextPage(kind string, next int64) Meta {
	if next == 0 {
		return Meta{}
	}
	return Meta{NextCursor: positionCursor(kind, next)}
}

func (s *Server) entries(ctx context.Context, _ *call, in *entriesInput) (reply, error) {
	found, next, err := s.wholeTransactions(ctx, in, in.Limit)
	if err != nil {
		return reply{}, err
	}
	all := []LedgerEntry{}
	for _, e := range found {
		all = append(all, entryOf(e))
	}
	return reply{data: all, meta: nextPage("entries", next)}, nil
}

func (s *Server) transactions(ctx context.Context, _ *call, in *entriesInput) (reply, error) {
	found, next, err := s.wholeTransactions(ctx, in, 2*in.Limit)
	if err != nil {
		return reply{}, err
	}
	return reply{data: grouped(found), meta: nextPage("entries", next)}, nil
}

func grouped(entries []eventstore.Entry) []LedgerTransaction {
	all := []LedgerTransaction{}
	for _, e := range entries {
		if len(all) == 0 || all[len(all)-1].Position != e.Position {
			all = append(all, LedgerTransaction{Position: e.Position, EventID: e.EventID.String(), At: e.At.UTC()})
		}
		last := &all[len(all)-1]
		last.Entries = append(last.Entries, entryOf(e))
	}
	return all
}

type transactionInput struct {
	Position int64 `path:"position"`
}

func (s *Server) transaction(ctx context.Context, _ *call, in *transactionInput) (reply, error) {
	found, err := s.deps.Executor.Store().Entries(ctx, "", "", in.Position-1, maxTransactionEntries)
	if err != nil {
		return reply{}, err
	}
	all := grouped(found)
	if len(all) == 0 || all[0].Position != in.Position {
		return reply{}, fault.ErrNotFound
	}
	return reply{data: all[0]}, nil
}
