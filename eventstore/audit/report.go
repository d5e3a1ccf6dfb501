package audit

import (
	"context"
	"errors"
	"fmt"

	"holdfast/eventstore"
)

// Report is what a verification has found. OK means that nothing was.
type Report struct {
	OK          bool         `json:"ok"`
	LogID       string       `json:"log_id"`
	Events      int64        `json:"events"`
	Streams     int64        `json:"streams"`
	Root        []byte       `json:"root"`
	Checkpoints int          `json:"checkpoints"`
	Postings    int64        `json:"postings"`
	Accounts    int          `json:"accounts"`
	OpenPending int          `json:"open_pending"`
	Holds       int          `json:"holds"`
	Differences []Difference `json:"differences,omitempty"`
	Problems    []string     `json:"problems,omitempty"`
}

// Subject is what is verified: a live log or an export.
type Subject struct {
	Read        eventstore.RawSource
	Head        eventstore.Head
	Checkpoints []eventstore.Checkpoint // with notes whose signatures are verified
	// Balances are the totals as they were written; nil when there is no ledger to compare
	// with (an export holds events only).
	Balances []eventstore.Totals
	Progress func(done, total int64)
}

// Verify recomputes everything that follows from the events: the tree and its checkpoints,
// the ledger, the holds' identity, the global invariants. Personal text stays sealed: the proof
// needs no key.
func Verify(ctx context.Context, codec *eventstore.Codec, s Subject) (Report, error) {
	r := Report{LogID: s.Head.LogID, Checkpoints: len(s.Checkpoints)}
	books, holds := NewLedger(codec), Holds{}
	found, err := eventstore.VerifyLog(ctx, s.Read, eventstore.VerifyOptions{
		Head: s.Head, Checkpoints: s.Checkpoints,
		Each: func(e eventstore.Recorded) error {
			event, err := codec.DecodeSealed(e.Type, e.Schema, e.Data)
			if err != nil {
				return err
			}
			e.Event = event
			holds.Apply(e)
			if s.Progress != nil && e.Position%5000 == 0 {
				s.Progress(e.Position, s.Head.Position)
			}
			return books.Apply(e)
		},
	})
	r.Events, r.Streams, r.Root = found.Events, found.Streams, found.Root
	if problem := (*eventstore.LogProblem)(nil); errors.As(err, &problem) {
		r.Problems = append(r.Problems, problem.Error())
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("verify the log: %w", err)
	}
	totals := books.Totals()
	r.Postings, r.Accounts, r.OpenPending, r.Holds = books.Postings, len(totals), books.OpenPending(), len(holds)
	broken, err := CheckTotals(totals)
	if err != nil {
		return r, err
	}
	r.Problems = append(r.Problems, broken...)
	if broken, err = holds.Check(totals); err != nil {
		return r, err
	}
	r.Problems = append(r.Problems, broken...)
	if s.Balances != nil {
		r.Differences = books.Compare(s.Balances)
	}
	r.OK = len(r.Problems) == 0 && len(r.Differences) == 0
	return r, nil
}
