package http

import (
	"context"
	"time"

	"holdfast/domain"
)

// LegacyNames knows what the ObjectIds of the old backend name.
type LegacyNames interface {
	// Resolve gives the id of the thing; ok is false for an ObjectId that names nothing.
	Resolve(ctx context.Context, objectID string) (id string, ok bool, err error)
}

// Migration moves domains between the old backend's Mongo and Postgres. A domain nobody knows is
// fault.ErrNotFound; where Mongo is not connected, NOT_CONFIGURED.
type Migration interface {
	// Pin keeps a query in the stores in which it begins, while domains move. What is no query
	// reads Postgres in every mode.
	Pin(ctx context.Context, query bool) context.Context
	// States tells where each domain is.
	States(ctx context.Context) ([]DomainParity, error)
	// Prepare lets the domain's collections be kept, and says what a move stands on; one that is
	// forced stands on nothing, and works while Mongo is away.
	Prepare(ctx context.Context, name string, forced bool) (MoveFacts, error)
	// Moved makes this process read the domain where the log says; others follow it.
	Moved(ctx context.Context, name string) error
	// Compare begins to compare the collections of a domain, of all when it is empty, in the
	// background.
	Compare(ctx context.Context, name string) error
	// Gaps lists open differences, newest first.
	Gaps(ctx context.Context, name string, limit int) ([]ParityGap, error)
	// Resolve closes a gap with a reason; ok is false when no such gap is open.
	Resolve(ctx context.Context, id int64, by domain.UserID, reason string) (gap ParityGap, ok bool, err error)
}

// MoveFacts is how the collections of a domain do.
type MoveFacts struct {
	Mode     string
	Lag      int64
	Gaps     int64
	Compared *time.Time
	Position int64
	// Collections is how many the domain has.
	Collections int
}

// DomainParity is where a domain is, and how its collections compare with the log.
type DomainParity struct {
	Domain    string `json:"domain"`
	Owner     string `json:"owner" enum:"holdfast,legacy" doc:"Who writes its documents"`
	Mode      string `json:"mode" enum:"mongo,dual,pg"`
	ReadsFrom string `json:"readsFrom" enum:"mongo,pg"`
	Lag       int64  `json:"lag"`
	OpenGaps  int64  `json:"openGaps"`
	// Collections are those that are kept of it; a domain without any has nothing to move.
	Collections []string    `json:"collections"`
	Runs        []ParityRun `json:"runs" doc:"The last comparison of each collection"`
	Gaps        []ParityGap `json:"gaps,omitempty"`
}

// ParityRun is one comparison of a collection with the log.
type ParityRun struct {
	Collection  string    `json:"collection"`
	Position    int64     `json:"position"`
	Documents   int64     `json:"documents"`
	Differences int64     `json:"differences"`
	Explained   int64     `json:"explained" doc:"Differences that the import makes on purpose"`
	FinishedAt  time.Time `json:"finishedAt"`
}

// ParityGap is one difference between the legacy store and the log.
type ParityGap struct {
	ID         int64     `json:"id"`
	Domain     string    `json:"domain"`
	Collection string    `json:"collection"`
	Document   string    `json:"document"`
	Field      string    `json:"field,omitempty"`
	Severity   string    `json:"severity" enum:"info,warning,critical"`
	Kind       string    `json:"kind" enum:"missing,extra,foreign,different,answer,refused,conflict"`
	Postgres   string    `json:"postgres,omitempty" doc:"What the log implies; a hash where it is about somebody"`
	Mongo      string    `json:"mongo,omitempty"`
	Error      string    `json:"error,omitempty"`
	Times      int64     `json:"times"`
	FirstSeen  time.Time `json:"firstSeen"`
	LastSeen   time.Time `json:"lastSeen"`
	ResolvedBy string    `json:"resolvedBy,omitempty"`
	Notes      string    `json:"notes,omitempty"`
}
