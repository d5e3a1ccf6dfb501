package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/network"
)

// Positions lets a query wait until a view has caught up.
type Positions interface {
	// WaitFor returns when the view stands at position or beyond; ctx's error when it does
	// not in time.
	WaitFor(ctx context.Context, view string, position int64) error
}

// Projection is how a view stands.
type Projection struct {
	Name       string  `json:"name"`
	Version    int     `json:"version"`
	Position   int64   `json:"position"`
	Head       int64   `json:"head"`
	Lag        int64   `json:"lag"`
	LagSeconds float64 `json:"lagSeconds"`
	State      string  `json:"state"` // running, paused, halted, rebuilding
	Poison     *Poison `json:"poison,omitempty"`
}

// Poison is the event at which a view halted.
type Poison struct {
	Position  int64     `json:"position"`
	EventType string    `json:"eventType"`
	Error     string    `json:"error"`
	Since     time.Time `json:"since"`
}

// Projections steers the views. Unknown names are fault.ErrNotFound.
type Projections interface {
	Status(ctx context.Context) ([]Projection, error)
	// Rebuild starts a rebuild in the background; a second one at once is a Conflict fault.
	Rebuild(ctx context.Context, name string) error
	Promote(ctx context.Context, name string) error
	Rollback(ctx context.Context, name string) error
	Pause(ctx context.Context, name string) error
	Resume(ctx context.Context, name string) error
	Retry(ctx context.Context, name string) error
	Skip(ctx context.Context, name, reason string, by domain.UserID) error
}

// InclusionProof shows that the event at a position is in the tree of a size (RFC 6962).
type InclusionProof struct {
	Position int64    `json:"position"`
	Size     int64    `json:"size"`
	LeafHash []byte   `json:"leafHash"`
	RootHash []byte   `json:"rootHash"`
	Hashes   [][]byte `json:"hashes"`
}

// ConsistencyProof shows that the tree of one size is a prefix of that of another.
type ConsistencyProof struct {
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes [][]byte `json:"hashes"`
}

// Checkpoint is a signed tree head.
type Checkpoint struct {
	Size     int64     `json:"size"`
	Root     []byte    `json:"root"`
	Note     string    `json:"note"` // sumdb/note form
	SignedAt time.Time `json:"signedAt"`
}

// Proofs gives the log's proofs.
type Proofs interface {
	Inclusion(ctx context.Context, position, size int64) (InclusionProof, error)
	Consistency(ctx context.Context, from, to int64) (ConsistencyProof, error)
	Checkpoints(ctx context.Context, limit int) ([]Checkpoint, error)
}

// Reconciler compares what we believe with what the outside says.
type Reconciler interface {
	// Start asks for a run, which is worked on in the background. A Conflict fault with code
	// RECONCILIATION_RUNNING while there is one.
	Start(ctx context.Context, by domain.Actor) (run string, err error)
	// Payment asks chain and provider about one payment now; it writes nothing.
	Payment(ctx context.Context, id domain.PaymentID) (json.RawMessage, error)
	// Shown looks whether a chain shows a transfer at this moment; nil when it does not.
	Shown(ctx context.Context, d network.Deposit) (*network.Deposit, error)
}
