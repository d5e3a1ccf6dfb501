package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/apiclient"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/request"
	"holdfast/eventstore"
	"holdfast/eventstore/audit"
	"holdfast/eventstore/postgres/pgtest"
	apihttp "holdfast/http"
	"holdfast/projections"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

const destinations = "/api/payment/derived-destinations"

var (
	usdc = network.TokenAsset(devchain.ChainID, devchain.USDC)
	coin = network.NativeAsset(devchain.ChainID)
)

// sweepWorld is what `serve` joins for sweeps, over a chain that mines when told and with keys
// that only the test has.
type sweepWorld struct {
	*Service
	t     *testing.T
	chain *devchain.Chain
	keys  *evm.LocalSigner
	front string
}

// withSweeps makes one with a signer; change may say where the treasury stands.
func withSweeps(t *testing.T, signer string, change ...func(*sweepWorld)) *sweepWorld {
	t.Helper()
	w := &sweepWorld{t: t}
	cfg := &config.Config{
		Env: "development", DataDir: t.TempDir(), PGURL: pgtest.New(t).Config().ConnString(), PGPoolHTTP: 8, PGPoolProjectors: 16, PGPoolJobs: 8,
		SweepSigner: signer, AllowLoopbackURLs: true,
	}
	ctx, stop := context.WithCancel(context.Background())
	core, err := Open(ctx, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, core.Close(context.Background())) })
	w.Service = &Service{Core: core, Records: records.New(core.HTTP, 2), metrics: prometheus.NewRegistry()}
	w.openChain(ctx)
	for _, c := range change {
		c(w)
	}
	require.NoError(t, w.openViews(ctx))
	require.NoError(t, w.openNetworks(ctx))
	require.NoError(t, w.Records.Seed(ctx, devchain.ChainID, nil))
	watch := watchview.New(w.Jobs)
	w.openSweeps(watch)
	client, err := w.Chains.Client(devchain.ChainID)
	require.NoError(t, err)
	w.loops = append(w.loops, w.networks, reactors.NewListener(w.Jobs, map[string][]reactors.Sleeper{projections.LogChannel: {w.networks}}, w.Log))
	w.loops = append(w.loops, w.chainLoops(client, watch)...)
	w.serve()
	var running sync.WaitGroup
	running.Go(func() { _ = w.Runner.Run(ctx) })
	for _, l := range w.loops {
		running.Go(func() { _ = l.Run(ctx) })
	}
	t.Cleanup(func() { stop(); running.Wait() })
	return w
}

func (w *sweepWorld) openChain(ctx context.Context) {
	w.t.Helper()
	var err error
	w.chain, err = devchain.Start(ctx, devchain.Options{Manual: true})
	require.NoError(w.t, err)
	w.onClose(func(context.Context) error { return w.chain.Close() })
	w.keys, err = evm.NewLocalSigner(devchain.Mnemonic)
	require.NoError(w.t, err)
	client, err := devClient(w.chain.URL())
	require.NoError(w.t, err)
	w.onClose(func(context.Context) error { client.Close(); return nil })
	w.Chains = &Chains{
		Dev: w.chain, Treasury: devchain.Treasury, Gas: devchain.Treasury, XPub: devchain.DestinationXPub,
		clients: map[uint64]*evm.Client{devchain.ChainID: client},
	}
	w.Chains.Table, err = w.chain.Registry()
	require.NoError(w.t, err)
	w.Chains.Registry = w.Chains.Table
	w.Chains.Deriver, err = evm.NewDeriver(w.Chains.XPub)
	require.NoError(w.t, err)
}

func (w *sweepWorld) serve() {
	w.t.Helper()
	server, err := apihttp.New(apihttp.Config{FrontendURL: "https://front.example", Secret: []byte(strings.Repeat("s", 40)), SessionFresh: time.Millisecond}, apihttp.Deps{
		Log: w.Log, Executor: w.Executor, Users: users{w.Records.Users}, Accounts: users{w.Records.Users}, Hashes: hashes{[]byte("k")},
		Sessions: sessions{w.Records.Sessions}, Registry: w.Chains.Registry,
		Views: apihttp.NewViews(w.HTTP, w.Codec), Positions: w.Runner, Sweeping: w.sweeps, SweepBooks: w.sweeps, SweepRunner: w.sweeps,
		Devices: devices{w.Chains.XPub}, Nonces: newNonces(strings.Repeat("s", 40)), Operations: operations{w.Records.Operations},
	})
	require.NoError(w.t, err)
	front := httptest.NewServer(server.Handler())
	w.t.Cleanup(front.Close)
	w.front = front.URL
}

// as signs a seeded person in.
func (w *sweepWorld) as(name string) *apiclient.Client {
	w.t.Helper()
	c, err := apiclient.New(w.front).Login(w.t.Context(), name+"@holdfast.test", records.DemoPassword)
	require.NoError(w.t, err)
	return c
}

// ask calls and demands an answer. Reads wait for all that is in the log.
func (w *sweepWorld) ask(c *apiclient.Client, method, path string, body any, o ...apiclient.Option) apiclient.Answer {
	w.t.Helper()
	c.Position = w.head()
	a, err := c.Call(w.t.Context(), method, path, body, o...)
	require.NoError(w.t, err, "%s %s", method, path)
	return a
}

// refused calls and gives status and code of the refusal, which must not have written a thing;
// what the chain's loops write meanwhile is their own affair.
func (w *sweepWorld) refused(c *apiclient.Client, method, path string, body any) string {
	w.t.Helper()
	before := w.asked()
	c.Position = w.head()
	a, err := c.Call(w.t.Context(), method, path, body)
	if err == nil {
		return "no refusal: " + string(a.Data)
	}
	var e *apiclient.Error
	require.ErrorAs(w.t, err, &e)
	require.Equal(w.t, before, w.asked(), "a refusal wrote something: %s %s", method, path)
	return fmt.Sprint(e.Status, " ", e.Code)
}

func (w *sweepWorld) head() int64 {
	w.t.Helper()
	h, err := w.Store.Head(w.t.Context())
	require.NoError(w.t, err)
	return h.Position
}

// asked is how many events came from the API.
func (w *sweepWorld) asked() (n int) {
	w.t.Helper()
	require.NoError(w.t, w.HTTP.QueryRow(w.t.Context(), `SELECT count(*) FROM events WHERE metadata->>'source' = 'api'`).Scan(&n))
	return n
}

func (w *sweepWorld) do(f interface {
	Run(*domain.Unit) (any, error)
},
) {
	w.t.Helper()
	_, err := w.Executor.Execute(w.t.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
	require.NoError(w.t, err, "%T", f)
}

// until polls with a deadline.
func (w *sweepWorld) until(what string, done func() bool) {
	w.t.Helper()
	require.Eventually(w.t, done, 30*time.Second, 30*time.Millisecond, what)
}

// mined lets the chain go on until something is so.
func (w *sweepWorld) mined(what string, done func() bool) {
	w.t.Helper()
	w.until(what, func() bool {
		if done() {
			return true
		}
		w.chain.Mine(1)
		return false
	})
}

func (w *sweepWorld) count(kind string) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.HTTP.QueryRow(w.t.Context(), `SELECT count(*) FROM events WHERE type = $1`, kind).Scan(&n))
	return n
}

// bill is an order that waits for money.
type bill struct {
	payment     domain.PaymentID
	destination funding.Destination
	reference   string
}

// order brings an order to the point where n units are to be paid to an address of its own, which
// is derived as at checkout.
func (w *sweepWorld) order(n uint64) bill {
	w.t.Helper()
	at, err := w.Store.Now(w.t.Context())
	require.NoError(w.t, err)
	by := func(u domain.UserID, c domain.Capacity) domain.Issue {
		return domain.Issue{By: domain.User(u, c), At: at}
	}
	b := bill{payment: domain.PaymentID(uuid.NewString())}
	r, o, due := domain.RequestID(uuid.NewString()), domain.OfferID(uuid.NewString()), money.Of(usdc, money.FromUint64(n))
	w.do(order.CreateRequest{Issue: by(records.Buyer1, domain.Buyer), Request: r, Buyer: records.Buyer1, Publish: true, Details: request.Details{
		Title: "A drill", Description: domain.About(records.Buyer1, "as good as new"), CategoryID: "tools", ProductType: "physical", Quantity: 1, DeliveryType: "physical",
	}})
	w.do(order.SubmitOffer{Issue: by(records.Seller1, domain.Seller), Offer: o, Request: r, Seller: records.Seller1, Terms: offer.Terms{
		Title: "A drill", Description: domain.About(records.Seller1, "mint"), ValidUntil: at.Add(24 * time.Hour), RequestRevision: 1,
		Price: offer.Price{Amount: due, Currency: "USDC", Display: "1"},
	}})
	w.do(order.SelectOffer{Issue: by(records.Buyer1, domain.Buyer), Request: r, Offer: o, Revision: 1, Hold: domain.HoldID(uuid.NewString()), Terms: escrow.Terms{
		FeeBPS: 250, Inspection: time.Hour, DisputeWindow: 24 * time.Hour,
	}})
	in, err := checkout{w.Chains, w.Records.Destinations}.Prepare(w.t.Context(), b.payment, due)
	require.NoError(w.t, err)
	b.destination, b.reference = in.Destination, in.Intent.Reference
	w.do(funding.InitiatePayment{
		Issue: by(records.Buyer1, domain.Buyer), Payment: b.payment, Request: r, Offer: o, Asset: usdc, ExpiresAt: at.Add(time.Hour),
		Threshold: payment.Threshold{Need: 3, Floor: 1}, Destination: in.Destination, Intent: in.Intent,
	})
	return b
}

func (w *sweepWorld) pay(b bill, n uint64) {
	w.t.Helper()
	sent, err := w.chain.Pay(w.t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: b.destination.Address, Amount: money.FromUint64(n), Reference: b.reference})
	require.NoError(w.t, err)
	require.False(w.t, sent.Failed)
}

// funded is an order whose money is confirmed on its address.
func (w *sweepWorld) funded(n uint64) bill {
	w.t.Helper()
	b, before := w.order(n), w.count("destination.funded")
	w.pay(b, n)
	w.mined("the money is confirmed", func() bool { return w.count("destination.funded") > before })
	return b
}

// booked is what the ledger says stands in a place of custody.
func (w *sweepWorld) booked(a ledger.Account, asset money.Asset) money.Units {
	w.t.Helper()
	t, err := w.Store.Balance(w.t.Context(), a, asset)
	require.NoError(w.t, err)
	left, ok := t.DebitsPosted.Sub(t.CreditsPosted)
	require.True(w.t, ok, "%s is below zero: %s − %s", a, t.DebitsPosted, t.CreditsPosted)
	return left
}

// agrees demands that books and chain say the same of an address, in the token and in coin, and
// that the auditor finds nothing.
func (w *sweepWorld) agrees(b bill) {
	w.t.Helper()
	w.agreesIn(b, usdc, coin)
}

// agreesIn is agrees for some assets: coin that a stranger put on an address is in no book.
func (w *sweepWorld) agreesIn(b bill, assets ...money.Asset) {
	w.t.Helper()
	client, err := w.Chains.Client(devchain.ChainID)
	require.NoError(w.t, err)
	for _, asset := range assets {
		found, err := client.Balance(w.t.Context(), asset, b.destination.Address)
		require.NoError(w.t, err)
		assert.Equal(w.t, found, w.booked(ledger.Derived(b.destination.ID), asset), asset)
	}
	head, err := w.Store.Head(w.t.Context())
	require.NoError(w.t, err)
	balances, err := w.Store.Balances(w.t.Context(), "", 0)
	require.NoError(w.t, err)
	report, err := audit.Verify(w.t.Context(), w.Codec, audit.Subject{Read: w.Store.ReadRaw, Head: head, Balances: balances})
	require.NoError(w.t, err)
	assert.True(w.t, report.OK, "%v %v", report.Problems, report.Differences)
}

// planned is what a signer outside reads of a plan.
type planned struct {
	ID     string `json:"planId"`
	Sweeps []struct {
		ID          string            `json:"id"`
		Index       uint32            `json:"index"`
		Instruction outgoing.Signable `json:"instruction"`
		Proposal    *struct {
			Safe       string `json:"safe"`
			To         string `json:"to"`
			Data       string `json:"data"`
			Nonce      uint64 `json:"nonce"`
			SafeTxHash string `json:"safe_tx_hash"`
		} `json:"proposal"`
	} `json:"sweeps"`
	TopUps []struct {
		Instruction outgoing.Signable `json:"instruction"`
	} `json:"topUps"`
}

func (w *sweepWorld) plan(c *apiclient.Client, b bill) (p planned) {
	w.t.Helper()
	a := w.ask(c, apiclient.POST, destinations+"/sweep/plan", map[string]any{"destinations": []string{string(b.destination.ID)}, "asset": "USDC@1337"})
	require.NoError(w.t, a.Into(&p))
	require.Len(w.t, p.Sweeps, 1)
	return p
}

// sign signs an instruction with one thing changed.
func (w *sweepWorld) sign(path string, i outgoing.Signable, change ...func(*network.Unsigned)) string {
	w.t.Helper()
	u := network.Unsigned{Chain: i.Chain, From: i.From, Nonce: i.Nonce, Gas: i.Gas.Limit, MaxFee: i.Gas.MaxFee, Tip: i.Gas.Tip}
	u.To, u.Value, u.Data = evm.CallOf(i.Transfer)
	for _, c := range change {
		c(&u)
	}
	raw, err := w.keys.Sign(path, u)
	require.NoError(w.t, err)
	return raw
}

// signed signs all of a plan.
func (w *sweepWorld) signed(p planned) (raws []string) {
	w.t.Helper()
	for _, t := range p.TopUps {
		raws = append(raws, w.sign(evm.TreasuryPath, t.Instruction))
	}
	for _, s := range p.Sweeps {
		raws = append(raws, w.sign(evm.DestinationPath(s.Index), s.Instruction))
	}
	return raws
}
