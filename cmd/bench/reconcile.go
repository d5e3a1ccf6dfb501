package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/wire"
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
)

// reconciling measures a run over n payments, each with an address, a confirmed transfer and the
// balance that the books say, against a chain that answers JSON-RPC batches over HTTP. Nothing is
// planted: a run that finds a break is an error.
func (b *bench) reconciling(ctx context.Context, core *wire.Core, n int) error {
	runner, _, err := core.NewRunner()
	if err != nil {
		return err
	}
	if err := runner.Register(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = runner.Run(running) }()
	defer func() { stop(); <-ended }()
	begin := time.Now()
	if err := makePaid(ctx, core.Executor, n); err != nil {
		return fmt.Errorf("fixture: %w", err)
	}
	recorded := time.Since(begin)
	if err := settled(ctx, runner, 20*time.Minute); err != nil {
		return err
	}
	fmt.Printf("\nreconcile        %d payments recorded in %s, in the read models after %s\n", n, recorded.Round(time.Second), time.Since(begin).Round(time.Second))
	chain, err := startChainStub(ctx, core)
	if err != nil {
		return err
	}
	defer chain.close()
	registry, err := network.New(devchain.Network())
	if err != nil {
		return err
	}
	client, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.url}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer client.Close()
	outside := wire.ChainsOf(registry, map[uint64]*evm.Client{devchain.ChainID: client}, devchain.Treasury)
	debug.FreeOSMemory()
	peak, enough := watchMemory()
	begin = time.Now()
	var result reconciliation.RunCompleted
	err = b.profiled("reconcile", func() (err error) {
		_, result, err = core.NewReconciler(outside, runner, nil).Reconcile(ctx, domain.Machine(domain.Process, "bench"), nil)
		return err
	})
	took := time.Since(begin)
	enough()
	if err != nil {
		return err
	}
	if result.Counts.Transfers < int64(n) || result.Counts.Breaks > 0 {
		return fmt.Errorf("the reconciliation says %+v, unread %v", result.Counts, result.Unread)
	}
	fmt.Printf("reconcile        %d payments, %d addresses in %s, %.0f/s; heap at most %.0f MiB; %d calls in %d HTTP requests   (wanted: 100,000 in 60 s and 300 MB)\n",
		result.Counts.Payments, result.Counts.Addresses, took.Round(time.Millisecond), float64(result.Counts.Payments)/took.Seconds(),
		float64(peak.Load())/(1<<20), chain.calls.Load(), chain.requests.Load())
	return nil
}

// reconciliation is the figure of `make bench`.
func (b *bench) reconciliation(ctx context.Context) error {
	n, err := reconcilePayments()
	if err != nil {
		return fmt.Errorf("HOLDFAST_BENCH_PAYMENTS: %w", err)
	}
	core, err := b.ownLog(ctx, "reconcile")
	if err != nil {
		return err
	}
	defer func() { _ = core.Close(context.WithoutCancel(ctx)) }()
	return b.reconciling(ctx, core, n)
}

// watchMemory looks at the heap, which is the bench's own and the run's, some times a second.
func watchMemory() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return peak, func() { cancel(); <-done }
}

const paidEach = 1_000_000

// benchTx names the transaction of the i-th payment, benchAddress its address: the stub of the
// chain knows them by rule and keeps nothing.
func benchTx(i int) string      { return fmt.Sprintf("0xbe%062x", i) }
func benchAddress(i int) string { return fmt.Sprintf("0xbe%038x", i+1) }

func makePaid(ctx context.Context, x *eventstore.Executor, n int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for i := range n {
		group.Go(func() error { return paid(ctx, x, i) })
	}
	return group.Wait()
}

// paid makes a payment with a confirmed transfer in one append.
func paid(ctx context.Context, x *eventstore.Executor, i int) error {
	issue := domain.Issue{By: domain.Machine(domain.Process, "bench"), At: time.Now().UTC()}
	witness := domain.Issue{By: domain.Machine(domain.Chain, "bench"), At: issue.At}
	hold, pay, at := domain.HoldID(uuid.NewString()), domain.PaymentID(uuid.NewString()), domain.DestinationID(uuid.NewString())
	request, offer, seller := domain.RequestID(uuid.NewString()), domain.OfferID(uuid.NewString()), domain.UserID(uuid.NewString())
	due := money.Of(network.TokenAsset(devchain.ChainID, devchain.USDC), money.FromUint64(paidEach))
	evidence := payment.Evidence{Chain: devchain.ChainID, Tx: benchTx(i), Log: 0, Block: 5, BlockHash: benchBlock}
	on := func(u *domain.Unit, d domain.Command) error {
		_, err := domain.Do(u, payment.Decider, string(pay), d)
		return err
	}
	_, err := x.Execute(ctx, eventstore.Metadata{Actor: issue.By, CommandID: uuid.NewString(), Source: "job"}, nil, func(u *domain.Unit) (any, error) {
		if _, err := domain.Do(u, escrow.Decider, string(hold), escrow.Open{Issue: issue, Hold: hold, Request: request, Offer: offer, Buyer: records.Buyer1, Seller: seller, Due: due}); err != nil {
			return nil, err
		}
		for _, c := range []domain.Command{
			destination.Derive{Issue: issue, Destination: at, Fingerprint: "bench", Chain: devchain.ChainID, Index: uint32(i), Path: fmt.Sprintf("0/%d", i), Address: benchAddress(i)},
			destination.Assign{Issue: issue, Payment: pay},
		} {
			if _, err := domain.Do(u, destination.Decider, string(at), c); err != nil {
				return nil, err
			}
		}
		for _, c := range []domain.Command{
			payment.Initiate{
				Issue: issue, Payment: pay, Request: request, Offer: offer, Hold: hold, Buyer: records.Buyer1, Seller: seller, Due: due,
				Threshold: payment.Threshold{Need: 1, Floor: 1}, ExpiresAt: issue.At.Add(24 * time.Hour),
			},
			payment.AssignDestination{Issue: issue, Destination: at, Address: benchAddress(i), Token: devchain.USDC, Chain: devchain.ChainID},
			payment.Detect{Issue: witness, Evidence: evidence, Amount: due},
			payment.Confirm{Issue: witness, Evidence: evidence, Depth: 9},
		} {
			if err := on(u, c); err != nil {
				return nil, fmt.Errorf("%T: %w", c, err)
			}
		}
		return struct{}{}, nil
	})
	return err
}

var benchBlock = "0x" + strings.Repeat("5b", 32)

// benchTreasury is what the stub says the treasury has: what the books say.
func benchTreasury(ctx context.Context, core *wire.Core) (map[string]*big.Int, error) {
	rows, err := core.Jobs.Query(ctx, `SELECT asset, sum(debits_posted + debits_pending - credits_posted - credits_pending)::text FROM ledger_balances
		WHERE account = 'custody:treasury' OR account LIKE 'custody:gas:%' GROUP BY asset`)
	if err != nil {
		return nil, err
	}
	all := map[string]*big.Int{}
	for rows.Next() {
		var asset, sum string
		if err := rows.Scan(&asset, &sum); err != nil {
			return nil, err
		}
		n, ok := new(big.Int).SetString(sum, 10)
		if !ok || n.Sign() < 0 {
			return nil, fmt.Errorf("the treasury has %q %s", sum, asset)
		}
		all[asset] = n
	}
	return all, rows.Err()
}

// reconcilePayments is how many payments the figure is about: HOLDFAST_BENCH_PAYMENTS, else 100,000.
func reconcilePayments() (int, error) {
	text := os.Getenv("HOLDFAST_BENCH_PAYMENTS")
	if text == "" {
		return 100_000, nil
	}
	n := 0
	_, err := fmt.Sscanf(text, "%d", &n)
	return n, err
}
