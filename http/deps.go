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
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/safety"
	"holdfast/eventstore"
	"holdfast/projections/legacymongo"
)

// Deps is everything the server is joined with; cmd/internal/wire fills it. Executor, Users,
// Accounts, Hashes, Sessions and Registry are required. A part that is nil answers its routes with 503
// NOT_CONFIGURED.
type Deps struct {
	Log      *slog.Logger
	Executor *eventstore.Executor

	Users    Users
	Sessions Sessions
	Accounts Accounts
	Hashes   KeyedHashes
	Mailer   Mailer   // nil: where a letter is needed the answer is 503
	Lockouts Lockouts // nil: counted in this process
	SignIn   SignIn   // by other means than a password
	// AccountCodes are sent by mail.
	AccountCodes AccountCodes
	Registry     Registry
	Checkout     Checkout
	Oracle       Oracle
	Screener     Screener
	Custody      Custody
	Recipients   Recipients // nil: only addresses that were screened as wallets are paid
	// Provider, when one is switched on, makes requests for payments and watches for them.
	Provider   Provider
	Policy     Policy
	Codes      DeliveryCodes
	Categories Categories
	Wallets    Wallets
	Approvals  Approvals
	Networks   Networks
	Nodes      Nodes

	Sweeping    Sweeping
	SweepBooks  SweepBooks
	SweepRunner SweepRunner
	Devices     Devices
	Nonces      Nonces
	Operations  Operations
	// SafekeepingRequired: nothing leaves custody without a hardware wallet's signature.
	SafekeepingRequired bool

	Inbox   Inbox
	Webhook WebhookVerifier

	KeyUses KeyUses // nil: nobody is told when a key was last used
	News    News    // nil: other instances find out by themselves, in a few seconds
	// PostOffice is the outbox that Mailer fills, DevMail shows it in development.
	PostOffice PostOffice
	DevMail    DevMailbox
	People     People

	Views       *Views
	Positions   Positions
	Migration   Migration
	LegacyNames LegacyNames // nil: ObjectIds name nothing
	Owners      legacymongo.Owners
	Projections Projections
	Proofs      Proofs
	Reconciler  Reconciler
	Witness     Witness
	PayIns      PayIns

	// Health is asked by /health and /health/ready, each with a second to answer.
	Health  []HealthCheck
	Metrics prometheus.Gatherer
	// Limiter counts requests per rate class; nil admits everything.
	Limiter Limiter
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
	// Offered refuses an asset in which nothing new is to be begun.
	Offered(asset money.Asset) error
	// Networks is the public list of enabled chains and tokens, as JSON.
	Networks() json.RawMessage
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
	Safety          safety.Policy // of payers
	// NetworkFee is what a refund is charged for gas, NetworkFeeCap the most it may be.
	NetworkFee, NetworkFeeCap money.Units
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

// HealthCheck is one part that must work for the service to be ready. Ask returns the
// reason why it does not; the reason is shown to anybody, so it holds no secrets.
type HealthCheck struct {
	Name string
	Ask  func(ctx context.Context) error
	// Partial says that requests can be taken without it, all but some: /health shows it as
	// degraded, /health/ready does not ask, or a fault of one part would take everything away.
	Partial bool
	// Detail, when given, is shown by GET /health beside the check.
	Detail func(ctx context.Context) any
}

// Limiter counts requests against budgets. It always answers, in bounded time: what it falls
// back to when its store is away is its own affair, and must not be more generous.
type Limiter interface {
	// Spend counts one request of key in every budget and tells how each stands, in order.
	Spend(ctx context.Context, key string, budgets ...Budget) []Spent
}

// Spent is how a budget stands after a request was counted in it.
type Spent struct {
	Left   int           // requests left of the window
	Resets time.Duration // until a new window begins
	OK     bool          // false when there was nothing left
}

// Budget is so many requests in so long.
type Budget struct {
	Class  string
	Limit  int
	Window time.Duration
}
