package eventstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Metadata says who caused an event and how to follow the cause.
type Metadata struct {
	Actor         domain.Actor `json:"actor"`
	CommandID     string       `json:"command_id"`
	CorrelationID string       `json:"correlation_id,omitempty"`
	CausationID   string       `json:"causation_id,omitempty"`
	RequestID     string       `json:"request_id,omitempty"`
	// Source is where the command came from: api, webhook:request-network, chain, import,
	// policy, timer, job.
	Source string `json:"source"`
}

// Recorded is an event as it stands in the log.
type Recorded struct {
	Position   int64 // gapless, from 1, in commit order
	Stream     domain.Stream
	Version    int64 // gapless within the stream, from 1
	EventID    uuid.UUID
	Type       string
	Schema     int
	Data       []byte // exact bytes, as hashed
	Meta       []byte // exact bytes, as hashed
	RecordedAt time.Time
	LeafHash   []byte

	// Event and Metadata are decoded from Data and Meta: upcast, personal text opened.
	Event    domain.Event
	Metadata Metadata
}

// Key makes a command repeatable: the same key with the same fingerprint gets the first
// outcome again, whatever happened since.
type Key struct {
	Actor       string // who sent it; keys of different actors never meet
	Key         string
	Fingerprint []byte // hash of route, path and canonical body
	// KeepFor is how long the row must live; 0 = for ever (money).
	KeepFor time.Duration
}

// Outcome is what a keyed command was answered with, success or deterministic refusal.
type Outcome struct {
	Position int64           `json:"position"`          // last position of its events, 0 = none
	Refusal  *fault.Error    `json:"refusal,omitempty"` // set when it was refused
	Data     json.RawMessage `json:"data,omitempty"`    // what the command answered
}

// Append is one command's wish to write; it is carried out wholly or not at all.
type Append struct {
	Streams  []domain.Staged
	Metadata Metadata
	// A Staged without Events only asserts its stream's version.
	// Key and Outcome are written with the events; Outcome.Position is filled in by the store.
	// An Append may have a Key and no events: that is how a refusal is remembered.
	Key     *Key
	Outcome Outcome
	// Deadlines and Claims beside those the aggregates derive from the events.
	Deadlines []StreamDeadline
	// Rows are carried out on plain rows in the append's own transaction, after the events and
	// in this order, all or nothing with them. An append without events has no rows.
	Rows []Row
}

// Row is one statement on plain rows. It must be quick and touch few rows: the log's head is
// locked meanwhile. It runs as holdfast_app, so a table written in this way needs its grant, and
// by a plan that was made for the statement's text alone.
type Row struct {
	SQL  string
	Args []any
	// Refused is returned to this command alone when a constraint of the schema (or an exception
	// that the statement raises) refuses the row; nil gives ErrRowRefused.
	Refused error
}

// StreamDeadline is a deadline of a stream.
type StreamDeadline struct {
	Stream domain.Stream
	domain.Deadline
}

// Appended is where the events went.
type Appended struct {
	First, Last int64 // positions; both 0 when nothing was written
	RecordedAt  time.Time
	// Replay is set when the key had been used before with the same fingerprint: nothing
	// was written, and this is the first outcome.
	Replay *Outcome
}

// Head is the end of the log.
type Head struct {
	LogID    string // identity of this log; a restored copy in another cluster keeps it
	Position int64  // last position, 0 = empty; also the tree's size
	Root     []byte // RFC 6962 tree hash over the leaf hashes of 1 … Position
	// Checkpoint is the last signed checkpoint in sumdb/note form; it may stand for an
	// earlier position than Position.
	Checkpoint []byte
}

// Errors of a store.
var (
	// ErrVersion: a stream was not at the expected version; reload and decide again.
	ErrVersion = fault.New(fault.Conflict, "CONCURRENT_UPDATE", "the object was changed by others meanwhile; read it again and retry")
	// ErrKeyReused: the key was used with another fingerprint.
	ErrKeyReused = fault.New(fault.Rule, "IDEMPOTENCY_KEY_REUSED", "this Idempotency-Key was used for another request")
	// ErrKeyInProgress: the first command with this key has not ended yet.
	ErrKeyInProgress = fault.New(fault.Conflict, "IDEMPOTENCY_IN_PROGRESS", "the first request with this Idempotency-Key is still running").Retry(1)
	// ErrInsufficient: a decision would leave a guarded account below zero.
	ErrInsufficient = fault.New(fault.Rule, "INSUFFICIENT_FUNDS", "there is not enough on the account")
	// ErrPending: a pending ledger transaction was opened twice, or closed without being open.
	ErrPending = fault.New(fault.Conflict, "PENDING_CONFLICT", "the pending amount was opened or closed before")
	// ErrRowRefused: a row that goes with the events breaks a constraint of its table.
	ErrRowRefused = fault.New(fault.Conflict, "ALREADY_TAKEN", "another object holds this already")
	// ErrUnavailable: the log cannot take commands now.
	ErrUnavailable = fault.New(fault.Unavailable, "LOG_UNAVAILABLE", "the log cannot be written now; retry").Retry(1)
)

// Store is the log with its ledger. memory.Store and postgres.Store pass storetest.
type Store interface {
	// Append checks, in this order: the key (known → Replay), the versions, the claims, the
	// ledger's guards; then it writes events, ledger entries, claims, deadlines and the key in one commit.
	// It returns ErrVersion, ErrKeyReused, ErrInsufficient (with fields account, asset,
	// have, need) or a claim's Taken error for the command alone; others in the same group
	// commit are not touched.
	Append(ctx context.Context, a Append) (Appended, error)
	// LoadStream gives a stream's events after a version, in order.
	LoadStream(ctx context.Context, s domain.Stream, after int64) ([]Recorded, error)
	// Read gives up to limit events with position > after, in order.
	Read(ctx context.Context, after int64, limit int) ([]Recorded, error)
	// Head gives the end of the log.
	Head(ctx context.Context) (Head, error)
	// Outcome looks a key up; ErrKeyReused when the fingerprint differs, nil when unknown.
	Outcome(ctx context.Context, k Key) (*Outcome, error)
	// LoadSnapshot gives the newest snapshot (nil when there is none); SaveSnapshot keeps one.
	LoadSnapshot(ctx context.Context, s domain.Stream) (*Snapshot, error)
	SaveSnapshot(ctx context.Context, s domain.Stream, snap Snapshot) error
	// Now is the log's clock: the database's, never the caller's.
	Now(ctx context.Context) (time.Time, error)

	Ledger
}

// Snapshot is a folded state; always rebuildable from the events up to Version.
type Snapshot struct {
	Version int64
	State   json.RawMessage
}

// Totals are the four totals of one account and asset.
type Totals struct {
	Account        ledger.Account
	Asset          money.Asset
	DebitsPosted   money.Units
	CreditsPosted  money.Units
	DebitsPending  money.Units
	CreditsPending money.Units
}

// Entry is one side of a posted or pending line.
type Entry struct {
	Position int64 // of the event that implied it
	EventID  uuid.UUID
	Line     int // within the transaction
	Debit    bool
	Account  ledger.Account
	Asset    money.Asset
	Amount   money.Units
	Mode     ledger.Mode
	At       time.Time
}

// Ledger reads the double entry that is written with the log.
type Ledger interface {
	// Balance gives an account's totals now; zero totals when it was never used.
	Balance(ctx context.Context, a ledger.Account, asset money.Asset) (Totals, error)
	// Balances gives every account whose path begins with prefix ("" = all), ordered by
	// path and asset, as of a position (0 = now).
	Balances(ctx context.Context, prefix string, asOf int64) ([]Totals, error)
	// Entries gives entries of an account (or of all, ""), after a position, oldest first.
	Entries(ctx context.Context, a ledger.Account, asset money.Asset, after int64, limit int) ([]Entry, error)
	// PositionAt gives the last position recorded at or before t.
	PositionAt(ctx context.Context, t time.Time) (int64, error)
}

// Deficit is by how much facts have driven a guarded account below zero. A log without
// incidents has none.
type Deficit struct {
	Account ledger.Account
	Asset   money.Asset
	Amount  money.Units
}
