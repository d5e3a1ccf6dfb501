// Package destinationview is the read model of derived pay-in addresses and the sweeps from them.
package destinationview

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "destinations"

// Doc is a destination: the aggregate's own state and what only readers want to know.
type Doc struct {
	destination.State
	PhaseName        string  `json:"phase"`
	Chain            uint64  `json:"chain"`
	Path             string  `json:"path"`
	Fingerprint      string  `json:"xpub_fingerprint"`
	History          []Sweep `json:"history,omitempty"`
	QuarantineReason string  `json:"quarantine_reason,omitempty"`
	// Word is the old backend's name of the phase and Seen what it last saw there, until something
	// happens here.
	Word string                        `json:"word,omitempty"`
	Seen []destination.ImportedBalance `json:"seen,omitempty"`
}

// Sweep is one transfer to the treasury, as it stands.
type Sweep struct {
	ID          domain.SweepID `json:"id"`
	Amount      money.Amount   `json:"amount"`
	Tx          string         `json:"tx"`
	Nonce       uint64         `json:"nonce"`
	Raw         string         `json:"raw,omitempty"` // the signed transaction, to send it again
	Status      string         `json:"status"`        // broadcast, confirmed, failed, reorged
	Block       uint64         `json:"block,omitempty"`
	FailureCode string         `json:"failure_code,omitempty"`
	At          time.Time      `json:"at"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 1, Category: destination.Decider.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(destination.Decider, d.State, r); err != nil {
		return err
	}
	switch e := r.Event.(type) {
	case destination.Derived:
		d.Chain, d.Path, d.Fingerprint = e.Chain, e.Path, e.Fingerprint
	case destination.Imported:
		d.imported(e)
	case destination.SweepBroadcast:
		d.History = append(d.History, Sweep{ID: e.Sweep, Amount: e.Amount, Tx: e.Tx, Nonce: e.Nonce, Raw: e.Raw, Status: "broadcast", At: e.At})
	case destination.SweepConfirmed:
		d.sweep(e.Sweep, func(s *Sweep) {
			s.Status, s.Block = "confirmed", e.Block
			if e.Tx != "" {
				s.Tx = e.Tx // a Safe's owners may have carried it out in another one than was recorded
			}
		})
	case destination.SweepFailed:
		d.sweep(e.Sweep, func(s *Sweep) { s.Status, s.FailureCode = "failed", e.Code })
	case destination.SweepReorged:
		d.sweep(e.Sweep, func(s *Sweep) { s.Status, s.Block = "reorged", 0 })
	case destination.SweepLost:
		d.sweep(e.Sweep, func(s *Sweep) { s.Status, s.FailureCode = "failed", e.Code })
	case destination.Quarantined:
		d.QuarantineReason = e.Reason
	case destination.Released:
		d.QuarantineReason = ""
	}
	d.PhaseName = d.Phase()
	if d.Legacy.Ours {
		d.Word, d.Seen = "", nil
	}
	return nil
}

// imported is what a document of the old backend says beside the state.
func (d *Doc) imported(e destination.Imported) {
	*d = Doc{State: d.State, Chain: e.Chain, Path: e.Path, Fingerprint: e.Fingerprint, QuarantineReason: e.Quarantine, Word: e.Status, Seen: e.Balances}
	for _, w := range e.Sweeps {
		d.History = append(d.History, Sweep{ID: w.Sweep, Amount: w.Amount, Tx: w.Tx, Status: w.Status, Block: w.Block, At: w.At})
	}
}

// sweep changes the newest entry of a sweep.
func (d *Doc) sweep(id domain.SweepID, change func(*Sweep)) {
	for i := range slices.Backward(d.History) {
		if d.History[i].ID == id {
			change(&d.History[i])
			return
		}
	}
}

// Row is a destination as queries give it.
type Row = projections.Row[Doc]

// Queries read the destinations.
type Queries struct {
	rows projections.Collection[Doc]
	pool *pgxpool.Pool
}

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name), pool}
}

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// Get gives one destination; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.DestinationID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// ByAddress finds the destination of an address; fault.ErrNotFound for none.
func (q Queries) ByAddress(ctx context.Context, address string) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("address", strings.ToLower(address)))
}

// OfPayment finds the destination that serves a payment; fault.ErrNotFound for none.
func (q Queries) OfPayment(ctx context.Context, id domain.PaymentID) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("payment", string(id)))
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Phase string
	Chain uint64
	Asset money.Asset // confirmed money in it
}

// List gives destinations, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	s := new(projections.Filter).Eq("phase", f.Phase)
	if f.Chain != 0 {
		s.Is("chain", int64(f.Chain))
	}
	if f.Asset != "" {
		s.As("holds", string(f.Asset), "COALESCE(doc->'balance'->>?, '0') <> '0'", string(f.Asset))
	}
	return q.rows.List(ctx, s, page)
}

// Gap is the longest run of neighbouring path indexes below an xpub that never got money. Wallets
// that are restored from seed words stop to look for money after twenty.
func (q Queries) Gap(ctx context.Context, fingerprint string) (gap int, err error) {
	err = q.pool.QueryRow(ctx, `SELECT COALESCE(max(n), 0) FROM (
		SELECT count(*) AS n FROM (
			SELECT i, i - row_number() OVER (ORDER BY i) AS run FROM (
				SELECT (doc->>'index')::bigint AS i FROM views.destinations
				WHERE doc->>'xpub_fingerprint' = $1 AND COALESCE(doc->'balance', '{}') = '{}' AND COALESCE(doc->'sweeps', '{}') = '{}') unused) runs
		GROUP BY run) lengths`, fingerprint).Scan(&gap)
	if err != nil {
		return 0, fmt.Errorf("look for gaps: %w", err)
	}
	return gap, nil
}

// Ends gives the addresses with the lowest and the highest index below an xpub; none for none.
func (q Queries) Ends(ctx context.Context, fingerprint string) ([]Row, error) {
	var ends []Row
	for _, s := range []projections.Sort{{Name: "first", Column: indexColumn, Plain: "index", Up: true}, {Name: "last", Column: indexColumn, Plain: "index"}} {
		list, err := q.rows.List(ctx, new(projections.Filter).As("xpub", fingerprint, "doc->>'xpub_fingerprint' = ?", fingerprint), projections.Page{Limit: 1, Sort: s})
		if err != nil {
			return nil, err
		}
		ends = append(ends, list.Rows...)
	}
	return ends, nil
}

const indexColumn = "(doc->>'index')::bigint"
