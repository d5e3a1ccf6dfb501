package reactors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/request"
	"holdfast/domain/safety"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
	"holdfast/projections/sweepview"
	"holdfast/projections/watchview"
)

const (
	buyer  = domain.UserID("00000000-0000-4000-8000-00000000b001")
	seller = domain.UserID("00000000-0000-4000-8000-00000000c001")
)

var (
	usdc     = network.TokenAsset(devchain.ChainID, devchain.USDC)
	asBuyer  = domain.User(buyer, domain.Buyer)
	asSeller = domain.User(seller, domain.Seller)
	asAdmin  = domain.User("00000000-0000-4000-8000-00000000a001", domain.Admin)
	asAdmin2 = domain.User("00000000-0000-4000-8000-00000000a002", domain.Admin)
)

// world is a log on PostgreSQL with the watch list on it, the rows, and, where a test asks for
// it, a development chain that mines when told.
type world struct {
	t       *testing.T
	pool    *pgxpool.Pool
	codec   *eventstore.Codec
	store   *postgres.Store
	x       *eventstore.Executor
	runner  *projections.Runner
	watch   watchview.Queries
	rows    *records.Records
	chain   *devchain.Chain
	client  *evm.Client
	signer  *evm.LocalSigner
	deriver *evm.Deriver
	index   atomic.Uint32
	safety  safety.Policy // of the payments that are opened
	// token is what orders are priced in, USDC where a test says nothing; empty: the native coin.
	token string
}

func (w *world) asset() money.Asset {
	if w.token == "" {
		return network.NativeAsset(devchain.ChainID)
	}
	return network.TokenAsset(devchain.ChainID, w.token)
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t), token: devchain.USDC}
	var err error
	w.codec, err = eventstore.NewCodec(postgres.NewKeyRing(w.pool, make([]byte, 32)), scenariotest.Aggregates()...)
	require.NoError(t, err)
	w.store, err = postgres.New(t.Context(), w.pool, w.codec, postgres.Options{Signer: signer(t)})
	require.NoError(t, err)
	t.Cleanup(w.store.Close)
	w.x, w.rows, w.watch = eventstore.NewExecutor(w.store), records.New(w.pool, 1), watchview.New(w.pool)
	registry, err := projections.NewRegistry(watchview.Projector{}, sweepview.Projector{}, sweepview.PlanProjector())
	require.NoError(t, err)
	w.runner, err = projections.New(pgtest.Open(t, w.pool.Config().ConnString()), w.codec, registry, projections.Options{Poll: 20 * time.Millisecond, Linger: time.Millisecond})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	require.NoError(t, w.runner.Register(ctx))
	ended := make(chan error, 1)
	go func() { ended <- w.runner.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the runner ended with %v", err)
		}
	})
	return w
}

func signer(t *testing.T) *eventstore.Signer {
	t.Helper()
	s, err := eventstore.NewSigner("test", make([]byte, 32))
	require.NoError(t, err)
	return s
}

// withChain is setup with a development chain.
func withChain(t *testing.T) *world {
	t.Helper()
	w := setup(t)
	var err error
	w.chain, err = devchain.Start(t.Context(), devchain.Options{Manual: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.chain.Close()) })
	w.client, err = evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{w.chain.URL()}, Own: []string{devchain.Treasury}})
	require.NoError(t, err)
	t.Cleanup(w.client.Close)
	w.signer, err = evm.NewLocalSigner(devchain.Mnemonic)
	require.NoError(t, err)
	w.deriver, err = evm.NewDeriver(devchain.DestinationXPub)
	require.NoError(t, err)
	return w
}

func (w *world) now() time.Time {
	w.t.Helper()
	now, err := w.store.Now(w.t.Context())
	require.NoError(w.t, err)
	return now
}

// do runs a flow that must be accepted.
func (w *world) do(f flow) {
	w.t.Helper()
	_, err := w.x.Execute(w.t.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
	require.NoError(w.t, err, "%T", f)
}

// caughtUp waits for the watch list.
func (w *world) caughtUp() {
	w.t.Helper()
	require.NoError(w.t, catchUp(w.t.Context(), w.store, w.runner))
	head, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	for _, view := range []string{sweepview.Name, sweepview.Plans} {
		require.NoError(w.t, w.runner.WaitFor(w.t.Context(), view, head.Position))
	}
}

// bill is an order that waits for money, and how it is to be paid.
type bill struct {
	request   domain.RequestID
	hold      domain.HoldID
	payment   domain.PaymentID
	address   string
	reference string
	provider  string // the provider's request id
	at        time.Time
}

// order brings an order to the point where the buyer has to pay due units, and knows how.
func (w *world) order(due uint64) bill { return w.orderAt(due, w.now(), time.Hour) }

func (w *world) orderAt(due uint64, at time.Time, expires time.Duration) bill {
	w.t.Helper()
	b := bill{
		request: domain.RequestID(uuid.NewString()), hold: domain.HoldID(uuid.NewString()), payment: domain.PaymentID(uuid.NewString()), at: at,
	}
	of := domain.OfferID(uuid.NewString())
	by := func(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: at} }
	w.do(order.CreateRequest{Issue: by(asBuyer), Request: b.request, Buyer: buyer, Publish: true, Details: request.Details{
		Title: "A drill", Description: domain.About(buyer, "as good as new"), CategoryID: "tools", ProductType: "physical", Quantity: 1, DeliveryType: "physical",
	}})
	w.do(order.SubmitOffer{Issue: by(asSeller), Offer: of, Request: b.request, Seller: seller, Terms: offer.Terms{
		Title: "A drill", Description: domain.About(seller, "mint"), ValidUntil: at.Add(24 * time.Hour), RequestRevision: 1,
		Price: offer.Price{Amount: money.Of(w.asset(), money.FromUint64(due)), Currency: "USDC", Display: "1"},
	}})
	w.do(order.SelectOffer{Issue: by(asBuyer), Request: b.request, Offer: of, Revision: 1, Hold: b.hold, Terms: escrow.Terms{
		FeeBPS: 250, Inspection: time.Hour, DisputeWindow: 24 * time.Hour,
	}})
	d := w.destination()
	b.address, b.provider = d.Address, "rn-"+string(b.payment)
	b.reference = requestnetwork.Reference(string(b.payment), "salt", d.Address)
	w.do(funding.InitiatePayment{
		Issue: by(asBuyer), Payment: b.payment, Request: b.request, Offer: of, Asset: w.asset(), ExpiresAt: at.Add(expires),
		Threshold: payment.Threshold{Need: 3, Floor: 1}, Destination: d, Safety: w.safety,
		Intent: funding.Intent{Provider: "request-network", RequestID: b.provider, Reference: b.reference, Topic: "0x" + fmt.Sprintf("%064x", 1), Proxy: devchain.Proxy},
	})
	return b
}

// destination derives the next address; without a chain, an address of nobody.
func (w *world) destination() funding.Destination {
	w.t.Helper()
	index := w.index.Add(1)
	d := funding.Destination{
		ID: domain.DestinationID(uuid.NewString()), Fingerprint: "dev", Index: index, Path: fmt.Sprintf("0/%d", index),
		Address: fmt.Sprintf("0x%040x", index), Token: w.token, Chain: devchain.ChainID,
	}
	if w.deriver != nil {
		var err error
		d.Address, d.Path, err = w.deriver.Address(index)
		require.NoError(w.t, err)
	}
	return d
}

// pay sends units through the payment contract and gives the mined transaction.
func (w *world) pay(b bill, amount uint64) devchain.Sent {
	w.t.Helper()
	sent, err := w.chain.Pay(w.t.Context(), devchain.Payment{Payer: 1, Token: w.token, To: b.address, Amount: money.FromUint64(amount), Reference: b.reference})
	require.NoError(w.t, err)
	require.False(w.t, sent.Failed)
	return sent
}

// follower makes a chain follower over the development chain, or over what stands before it.
func (w *world) follower(chain Chain) *ChainFollower {
	if chain == nil {
		chain = w.client
	}
	return NewChainFollower(FollowerOptions{
		Network: devchain.Network(), Chain: chain, Decode: evm.Decode, Executor: w.x, Watch: w.watch, Sweeps: sweepview.New(w.pool), Positions: w.runner, Notes: notes{w.rows},
	})
}

// passes lets a loop work until it says that there is nothing left.
func (w *world) passes(l *loop) {
	w.t.Helper()
	for {
		more, err := l.pass(w.t.Context())
		require.NoError(w.t, err, l.name)
		if !more {
			return
		}
	}
}

// count says how often an event type stands in a stream ("" = in all).
func (w *world) count(kind, stream string) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM events WHERE type = $1 AND ($2 = '' OR stream_id = $2)`, kind, stream).Scan(&n))
	return n
}

func (w *world) position() int64 {
	w.t.Helper()
	head, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	return head.Position
}

func (w *world) hold(id domain.HoldID) escrow.State {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), eventstore.NewExecutor(w.store), escrow.Decider, string(id))
	require.NoError(w.t, err)
	return s
}

func (w *world) payment(id domain.PaymentID) payment.State {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), eventstore.NewExecutor(w.store), payment.Decider, string(id))
	require.NoError(w.t, err)
	return s
}

// notes are the rows as a follower wants them; cmd/internal/wire has the same.
type notes struct{ r *records.Records }

func (n notes) Scanned(ctx context.Context, chain uint64) ([]Block, error) {
	all, err := n.r.Chains.Scanned(ctx, chain)
	blocks := make([]Block, len(all))
	for i, b := range all {
		blocks[i] = Block(b)
	}
	return blocks, err
}

func (n notes) Reach(ctx context.Context, chain uint64, b Block) error {
	return n.r.Chains.Reach(ctx, chain, records.Block(b))
}

func (n notes) GoBack(ctx context.Context, chain, above uint64) error {
	return n.r.Chains.GoBack(ctx, chain, above)
}

func (n notes) Deep(ctx context.Context, all []Depth) error {
	rows := make([]records.Confirmation, len(all))
	for i, d := range all {
		rows[i] = records.Confirmation{Evidence: d.Evidence, Payment: d.Payment, Chain: d.Chain, Tx: d.Tx, Block: d.Block, Have: d.Have, Need: d.Need, Finalized: d.Finalized}
	}
	return n.r.Chains.Confirming(ctx, rows...)
}

func (n notes) Raw(ctx context.Context, chain uint64, hash string) (string, bool, error) {
	return n.r.Transactions.Raw(ctx, chain, hash)
}

func (n notes) Sent(ctx context.Context, chain uint64, hash, reason string) error {
	return n.r.Transactions.Sent(ctx, chain, hash, reason)
}

// inbox are the rows as ingestion wants them.
type inbox struct{ *records.Inbox }

func (i inbox) Take(ctx context.Context, limit int, lease time.Duration) ([]Notice, error) {
	all, err := i.Inbox.Take(ctx, limit, lease)
	notices := make([]Notice, len(all))
	for n, t := range all {
		notices[n] = Notice{Row: t.Row, Attempts: t.Attempts, Replayed: t.Replayed, Delivery: t.Delivery.ID, Source: t.Source, Body: t.Body, Header: t.Header, Received: t.ReceivedAt}
	}
	return notices, err
}

// streamOf finds the stream of the newest event of a type.
func streamOf(w *world, kind string) (s domain.Stream) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT stream_type, stream_id FROM events WHERE type = $1 ORDER BY position DESC LIMIT 1`, kind).Scan(&s.Type, &s.ID))
	return s
}
