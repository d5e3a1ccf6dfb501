package http

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

// Deps is everything the server is joined with; cmd/internal/wire fills it. Executor, Users,
// Sessions and Registry are required. A part that is nil answers its routes with 503
// NOT_CONFIGURED.
type Deps struct {
	Log      *slog.Logger
	Executor *eventstore.Executor

	Users      Users
	Sessions   Sessions
	Registry   Registry
	Checkout   Checkout
	Custody    Custody
	Policy     Policy
	Codes      DeliveryCodes
	Categories Categories
	Wallets    Wallets
	Approvals  Approvals

	Inbox   Inbox
	Webhook WebhookVerifier

	Views       *Views
	Positions   Positions
	Projections Projections
	Proofs      Proofs
	Reconciler  Reconciler

	// Health is asked by /health and /health/ready, each with a second to answer.
	Health  []HealthCheck
	Metrics prometheus.Gatherer
	// Limiter counts requests per rate class; nil admits everything.
	Limiter Limiter
}

// User is a person as the rows of adapters/records know them.
type User struct {
	ID       domain.UserID
	Email    string
	Name     string
	Roles    []domain.Capacity
	Password string // PHC string; never leaves the server
	Active   bool
}

// Users knows the people. ok is false for nobody.
type Users interface {
	ByEmail(ctx context.Context, email string) (u User, ok bool, err error)
	ByID(ctx context.Context, id domain.UserID) (u User, ok bool, err error)
	// Verify compares a password with a PHC string in bounded concurrency. An empty phc is
	// compared with a dummy of the same cost, so that unknown users take as long.
	Verify(ctx context.Context, phc, password string) (bool, error)
}

// Session is a login as it stands now.
type Session struct {
	ID   string
	User domain.UserID
	// Roles are the user's roles of this moment, not those of the token.
	Roles []domain.Capacity
}

// Sessions are the logins. Live is asked at most once in a few seconds a session.
type Sessions interface {
	// Open begins a login and gives its id and first refresh token.
	Open(ctx context.Context, u domain.UserID, lives time.Duration) (id, refresh string, err error)
	// Rotate trades a refresh token for the next one. A fault with code REFRESH_INVALID, or
	// REFRESH_REUSED after the whole family was revoked.
	Rotate(ctx context.Context, refresh string, lives time.Duration) (s Session, next string, err error)
	// Live gives the session with fresh roles; ok is false when it was revoked or has
	// ended, or the user is not active any more.
	Live(ctx context.Context, id string) (s Session, ok bool, err error)
	// Close revokes one session, CloseAll every one of the user.
	Close(ctx context.Context, id string) error
	CloseAll(ctx context.Context, u domain.UserID) error
}

// Registry knows chains and tokens (domain/network).
type Registry interface {
	// Asset finds an asset by its id or alias ("USDT@56").
	Asset(idOrAlias string) (asset money.Asset, ok bool)
	// Decimals and Alias of an asset; ok is false for an asset nobody registered.
	Decimals(asset money.Asset) (decimals uint8, ok bool)
	Alias(asset money.Asset) (alias string, ok bool)
	// Token gives what the asset is on its chain.
	Token(asset money.Asset) (network.Token, bool)
	// Networks is the public list of chains and tokens, as JSON.
	Networks() json.RawMessage
}

// PayIn is where and how a payment is to be made: everything but the amount comes from the
// registry, the derived destination and, where one is switched on, the provider.
type PayIn struct {
	Destination funding.Destination
	Intent      funding.Intent
	Threshold   payment.Threshold
}

// Checkout prepares a pay-in before the command runs: it derives the next free address (the
// same one again for the same payment) and looks the chain up. A provider that is switched
// on is asked too; its failures are faults PROVIDER_UNAVAILABLE and PROVIDER_MISMATCH.
type Checkout interface {
	Prepare(ctx context.Context, payment domain.PaymentID, due money.Amount) (PayIn, error)
}

// Policy gives the settings that are copied into an order when it begins.
type Policy interface{ Terms(asset money.Asset) Terms }

// Terms are the policy's values of one asset at this moment.
type Terms struct {
	Escrow          escrow.Terms
	Dispute         dispute.Terms
	PaymentExpiry   time.Duration
	WalletCooling   time.Duration // a payout's wallet must rest after a change
	PayoutApprovals int
	CodeLife        time.Duration // of a delivery code
	// NetworkFee is what a refund is charged for gas, NetworkFeeCap the most it may be.
	NetworkFee, NetworkFeeCap money.Units
}

// Custody prepares and sends transactions out of custody. No key is here: what it builds is
// signed elsewhere and comes back.
type Custody interface {
	// Instruction says what is to be signed, with the next free nonce of the treasury.
	Instruction(ctx context.Context, amount money.Amount, to string) (outgoing.Transfer, error)
	// Decode reads a signed transaction; a fault when it cannot be read.
	Decode(ctx context.Context, chain uint64, signed string) (outgoing.Tx, error)
	// Keep stores a signed transaction, so that it can be sent again; Send sends it. It is
	// called after the log knows of the transaction.
	Keep(ctx context.Context, tx outgoing.Tx, signed string) error
	Send(ctx context.Context, tx outgoing.Tx, signed string) error
}

// DeliveryCodes makes and authenticates delivery codes; the log only ever sees the MAC.
type DeliveryCodes interface {
	// New draws a code and gives it with its MAC for the request.
	New(request domain.RequestID) (code string, mac []byte, err error)
	// MAC authenticates a code that somebody typed.
	MAC(request domain.RequestID, code string) []byte
}

// Categories are plain rows.
type Categories interface {
	// Active reports whether requests may be put in the category.
	Active(ctx context.Context, id string) (bool, error)
}

// Wallet is an address of a user to which money may go.
type Wallet struct {
	ID           string
	ChainID      uint64
	Address      string // EIP-55
	Verified     bool
	CoolingUntil time.Time // zero when it may be used
	Screening    string    // "clean", "flagged" or empty
}

// Wallets are plain rows; ok is false when the user has no such wallet.
type Wallets interface {
	OfUser(ctx context.Context, u domain.UserID, id string) (w Wallet, ok bool, err error)
	// Default is the user's newest verified wallet on a chain.
	Default(ctx context.Context, u domain.UserID, chain uint64) (w Wallet, ok bool, err error)
}

// Approvals remembers who has agreed to an operation that needs two people.
type Approvals interface {
	// Agree records by's agreement to the operation named by digest. first is another
	// person who agreed before and not longer than a day ago; empty when by is the first.
	Agree(ctx context.Context, kind string, digest []byte, by domain.UserID, at time.Time) (first domain.UserID, err error)
}

// Delivery is one notice that a provider sent.
type Delivery struct {
	Source     string // "request-network"
	ID         string // the provider's delivery id
	Body       []byte // as received
	Header     map[string]string
	ReceivedAt time.Time
	// Quarantine is set when the signature is right but the body cannot be read.
	Quarantine string
}

// StoredDelivery is a row of the inbox.
type StoredDelivery struct {
	ID         string    `json:"id"`
	Source     string    `json:"source"`
	Delivery   string    `json:"delivery"`
	Status     string    `json:"status"`
	ReceivedAt time.Time `json:"receivedAt"`
	Attempts   int       `json:"attempts"`
	Error      string    `json:"error,omitempty"`
}

// Inbox keeps notices before anything else happens to them.
type Inbox interface {
	// Store keeps a delivery; a delivery id that is known already is no error.
	Store(ctx context.Context, d Delivery) error
	// List gives deliveries, newest first, below a row id ("" = from the newest).
	List(ctx context.Context, status, before string, limit int) ([]StoredDelivery, error)
	// Replay puts deliveries up for ingestion again, by row or provider id, or by time of arrival,
	// and gives how many.
	Replay(ctx context.Context, id string, from, to time.Time) (int, error)
}

// WebhookVerifier checks a provider's signature over the raw body in constant time, against
// every secret that is valid now.
type WebhookVerifier interface {
	Verify(signature string, body []byte) bool
}

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

// ReconciliationRun is one comparison of chain, provider and ledger.
type ReconciliationRun struct {
	ID         string          `json:"id"`
	StartedAt  time.Time       `json:"startedAt"`
	FinishedAt *time.Time      `json:"finishedAt,omitempty"`
	OK         bool            `json:"ok"`
	Report     json.RawMessage `json:"report,omitempty"`
}

// Reconciler compares what we believe with what the outside says.
type Reconciler interface {
	Run(ctx context.Context) (ReconciliationRun, error)
	Runs(ctx context.Context, limit int) ([]ReconciliationRun, error)
	// Payment asks chain and provider about one payment now.
	Payment(ctx context.Context, id domain.PaymentID) (json.RawMessage, error)
}

// HealthCheck is one part that must work for the service to be ready. Ask returns the
// reason why it does not; the reason is shown to anybody, so it holds no secrets.
type HealthCheck struct {
	Name string
	Ask  func(ctx context.Context) error
	// Detail, when given, is shown by GET /health beside the check.
	Detail func(ctx context.Context) any
}

// Limiter counts a request against a budget.
type Limiter interface {
	// Allow counts one and reports what is left of the window; ok is false when there was
	// nothing left.
	Allow(ctx context.Context, budget Budget, key string) (left int, resets time.Duration, ok bool)
}

// Budget is so many requests in so long.
type Budget struct {
	Class  string
	Limit  int
	Window time.Duration
}
