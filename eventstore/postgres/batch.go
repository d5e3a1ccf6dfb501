package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// batch is one transaction: what it read, what it decided, what it will write.
type batch struct {
	store    *Store
	requests []*request

	book      *commit.Book
	tree      *eventstore.Tree
	at        time.Time // recorded_at of all its events
	originals map[commit.AccountKey]*commit.Account

	results          []result
	events           []eventstore.Recorded
	nodes            []eventstore.TreeNode
	granted          []grantedWish
	newTypes         []kind
	mayHaveCommitted bool // the COMMIT is on its way
	rows             rowProgress
}

type grantedWish struct {
	wish    *commit.Wish
	written commit.Written
}

func newBatch(s *Store, requests []*request) *batch {
	return &batch{store: s, requests: requests, book: commit.NewBook(), originals: map[commit.AccountKey]*commit.Account{}}
}

// decide carries out the wishes in the order in which they came in.
func (b *batch) decide() error {
	b.results = make([]result, len(b.requests))
	for i, r := range b.requests {
		written, replay, err := b.book.Decide(r.wish, b.at)
		if err != nil || replay != nil {
			b.results[i] = result{eventstore.Appended{Replay: replay}, err}
			continue
		}
		b.results[i] = result{appended: eventstore.Appended{First: written.First, Last: written.Last, RecordedAt: b.at}}
		b.granted = append(b.granted, grantedWish{r.wish, written})
		for j := range r.wish.Events {
			event := r.wish.Events[j].Recorded(r.wish, written.First+int64(j), b.at)
			if err := b.tree.Append(event.LeafHash, func(n eventstore.TreeNode) { b.nodes = append(b.nodes, n) }); err != nil {
				return fmt.Errorf("extend the tree: %w", err)
			}
			b.events = append(b.events, event)
		}
	}
	return nil
}

func (b *batch) writes() bool { return len(b.granted) > 0 }

// answer tells everybody, once the transaction has ended.
func (b *batch) answer() {
	for _, k := range b.newTypes {
		b.store.types[k] = true
	}
	for i, r := range b.requests {
		r.answer(b.results[i].appended, b.results[i].err)
	}
	b.alarm()
}

// alarm tells of accounts that a fact has just driven below zero, or further.
func (b *batch) alarm() {
	for key, now := range b.book.Accounts {
		was := &commit.Account{}
		if known, existed := b.originals[key]; existed {
			was = known
		}
		if was.Deficit.Less(now.Deficit) {
			b.store.opts.Log.Error("a fact has overdrawn an account", "account", key.Account, "asset", key.Asset,
				"deficit", now.Deficit.String(), "position", b.book.Position)
		}
	}
}

// rollback ends the transaction without effect. A connection that cannot even do that is
// closed, and its transaction with it.
func (b *batch) rollback(ctx context.Context, conn *pgx.Conn, cause error) error {
	if conn.IsClosed() {
		return cause
	}
	if _, err := conn.Exec(ctx, `ROLLBACK`); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(cause, conn.Close(closing))
	}
	return cause
}
