package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/cmd/internal/wire"
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/sweepview"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

// backfillSize says how much the watcher has to catch up with.
type backfillSize struct {
	blocks, logs, payments int
	only                   bool
}

const (
	perTransaction = 10   // payments of one batch
	backfillRange  = 2000 // blocks of one scan, ours and the bare one
	logsAtOnce     = 500  // topics of one filter
	receiptsAtOnce = 50
)

// backfill compares our watcher, from the node into the log, with the bare calls that it has
// to make anyway: eth_getLogs over the same ranges and the receipts of what it finds.
func (b *bench) backfill(ctx context.Context, size backfillSize) error {
	if size.blocks == 0 {
		return nil
	}
	chain, err := devchain.Start(ctx, devchain.Options{Manual: true})
	if err != nil {
		return err
	}
	defer func() { _ = chain.Close() }()
	w, closing, err := newCatchUp(ctx, b, chain)
	if err != nil {
		return err
	}
	defer closing()
	if err := w.owe(ctx, size.payments); err != nil {
		return fmt.Errorf("open payments: %w", err)
	}
	mined := time.Now()
	from, err := w.pay(ctx, size)
	if err != nil {
		return fmt.Errorf("mine: %w", err)
	}
	head := chain.Head()
	fmt.Printf("\nback-fill        %d blocks with %d payments to %d addresses (mined in %s)\n", head-from+1, size.logs, size.payments, time.Since(mined).Round(time.Second))

	begin := time.Now()
	found, err := w.bare(ctx, from, head)
	if err != nil {
		return fmt.Errorf("bare calls: %w", err)
	}
	bare := time.Since(begin)
	begin = time.Now()
	detected, err := w.follow(ctx, from, head, size.logs)
	if err != nil {
		return fmt.Errorf("watcher: %w", err)
	}
	all := time.Since(begin)
	row := func(name string, d time.Duration) {
		s := d.Seconds()
		fmt.Printf("  %-34s %8.1f s %9.0f blocks/s %8.0f payments/s\n", name, s, float64(head-from+1)/s, float64(size.logs)/s)
	}
	row(fmt.Sprintf("bare eth_getLogs + %d receipts", found), bare)
	row("holdfast, recorded in the log", detected)
	row("holdfast, recorded and confirmed", all)
	fmt.Printf("  ours takes %.2f× the node's own time\n", detected.Seconds()/bare.Seconds())
	return nil
}

// catchUp is a log of its own beside the bench's: the service that runs on that one watches
// another chain.
type catchUp struct {
	core     *wire.Core
	chain    *devchain.Chain
	client   *evm.Client
	runner   *projections.Runner
	deriver  *evm.Deriver
	payments []owed
}

type owed struct {
	id                 domain.PaymentID
	address, reference string
}

func newCatchUp(ctx context.Context, b *bench, chain *devchain.Chain) (*catchUp, func(), error) {
	pool, err := b.database(ctx, "backfill")
	if err != nil {
		return nil, nil, err
	}
	pool.Close()
	server, err := url.Parse(b.url)
	if err != nil {
		return nil, nil, err
	}
	server.Path = "/backfill"
	cfg := *b.config
	cfg.PGURL = server.String()
	w := &catchUp{chain: chain}
	if w.core, err = wire.Open(ctx, &cfg, slog.New(slog.DiscardHandler)); err != nil {
		return nil, nil, err
	}
	registry, err := projections.NewRegistry(watchview.Projector{})
	if err != nil {
		return nil, nil, err
	}
	if w.runner, err = projections.New(w.core.Views, w.core.Codec, registry, projections.Options{}); err != nil {
		return nil, nil, err
	}
	if err := w.runner.Register(ctx); err != nil {
		return nil, nil, err
	}
	if w.client, err = evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}}); err != nil {
		return nil, nil, err
	}
	if w.deriver, err = evm.NewDeriver(devchain.DestinationXPub); err != nil {
		return nil, nil, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = w.runner.Run(running) }()
	return w, func() {
		stop()
		<-done
		w.client.Close()
		_ = w.core.Close(context.WithoutCancel(ctx))
	}, nil
}

// owe opens payments so large that none is ever paid in full.
func (w *catchUp) owe(ctx context.Context, n int) error {
	w.payments = make([]owed, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	for i := range w.payments {
		group.Go(func() (err error) {
			w.payments[i], err = w.open(ctx, uint32(i))
			return err
		})
	}
	return group.Wait()
}

func (w *catchUp) open(ctx context.Context, index uint32) (owed, error) {
	address, path, err := w.deriver.Address(index)
	if err != nil {
		return owed{}, err
	}
	o := owed{id: domain.PaymentID(uuid.NewString()), address: address}
	o.reference = requestnetwork.Reference(string(o.id), "bench", address)
	i := domain.Issue{By: domain.Machine(domain.Process, "bench"), At: time.Now().UTC()}
	hold, at := domain.HoldID(uuid.NewString()), domain.DestinationID(uuid.NewString())
	due := money.Of(network.TokenAsset(devchain.ChainID, devchain.USDC), money.FromUint64(perHold))
	request, offer, seller := domain.RequestID(uuid.NewString()), domain.OfferID(uuid.NewString()), domain.UserID(uuid.NewString())
	meta := eventstore.Metadata{Actor: i.By, CommandID: uuid.NewString(), Source: "job"}
	_, err = w.core.Executor.Execute(ctx, meta, nil, func(u *domain.Unit) (any, error) {
		open := escrow.Open{Issue: i, Hold: hold, Request: request, Offer: offer, Buyer: records.Buyer1, Seller: seller, Due: due, Terms: escrow.Terms{FeeBPS: 250}}
		if _, err := domain.Do(u, escrow.Decider, string(hold), open); err != nil {
			return nil, err
		}
		for _, c := range []domain.Command{
			destination.Derive{Issue: i, Destination: at, Fingerprint: "bench", Chain: devchain.ChainID, Index: index, Path: path, Address: address},
			destination.Assign{Issue: i, Payment: o.id},
		} {
			if _, err := domain.Do(u, destination.Decider, string(at), c); err != nil {
				return nil, err
			}
		}
		for _, c := range []domain.Command{
			payment.Initiate{Issue: i, Payment: o.id, Request: request, Offer: offer, Hold: hold, Buyer: records.Buyer1, Seller: seller, Due: due, Threshold: payment.Threshold{Need: 3, Floor: 1}, ExpiresAt: i.At.Add(24 * time.Hour)},
			payment.AssignDestination{Issue: i, Destination: at, Address: address, Path: path, Token: devchain.USDC, Chain: devchain.ChainID},
			payment.RegisterIntent{Issue: i, Provider: "own", RequestID: string(o.id), Reference: o.reference, Proxy: devchain.Proxy},
		} {
			if _, err := domain.Do(u, payment.Decider, string(o.id), c); err != nil {
				return nil, err
			}
		}
		return struct{}{}, nil
	})
	return o, err
}

// pay mines the payments, evenly over the blocks, and gives the first of these blocks.
func (w *catchUp) pay(ctx context.Context, size backfillSize) (uint64, error) {
	from := w.chain.Head() + 1
	batches := size.logs / perTransaction
	for n := range batches {
		var all []devchain.Payment
		for k := range perTransaction {
			o := w.payments[(n*perTransaction+k)%len(w.payments)]
			all = append(all, devchain.Payment{Payer: 1 + n%devchain.Payers, Token: devchain.USDC, To: o.address, Amount: money.FromUint64(1), Reference: o.reference})
		}
		sent, err := w.chain.PayMany(ctx, all...)
		if err != nil {
			return 0, err
		}
		if sent.Failed {
			return 0, fmt.Errorf("batch %d failed on the chain", n)
		}
		if wanted := from + uint64(size.blocks*(n+1)/batches); wanted > w.chain.Head() {
			w.chain.Mine(int(wanted - w.chain.Head()))
		}
	}
	return from, ctx.Err()
}

// bare asks the node as any watcher has to, and throws the answers away.
func (w *catchUp) bare(ctx context.Context, from, to uint64) (receipts int, err error) {
	conn, err := rpc.DialContext(ctx, w.chain.URL())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	client := ethclient.NewClient(conn)
	paid := crypto.Keccak256Hash([]byte("TransferWithReferenceAndFee(address,address,uint256,bytes,uint256,address)"))
	moved := crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)"))
	filters := []ethereum.FilterQuery{{Addresses: []common.Address{common.HexToAddress(devchain.Proxy), common.HexToAddress(devchain.EthProxy)}, Topics: [][]common.Hash{{paid}}}}
	var recipients []common.Hash
	for _, o := range w.payments {
		recipients = append(recipients, common.BytesToHash(common.HexToAddress(o.address).Bytes()))
	}
	var tokens []common.Address
	for _, t := range devchain.Network().Tokens {
		tokens = append(tokens, common.HexToAddress(t.Address))
	}
	for part := range slices.Chunk(recipients, logsAtOnce) {
		filters = append(filters, ethereum.FilterQuery{Addresses: tokens, Topics: [][]common.Hash{{moved}, nil, part}})
	}
	for at := from; at <= to; at += backfillRange {
		seen := map[common.Hash]bool{}
		var txs []common.Hash
		for _, q := range filters {
			q.FromBlock, q.ToBlock = new(big.Int).SetUint64(at), new(big.Int).SetUint64(min(to, at+backfillRange-1))
			logs, err := client.FilterLogs(ctx, q)
			if err != nil {
				return receipts, err
			}
			for _, l := range logs {
				if !seen[l.TxHash] {
					seen[l.TxHash] = true
					txs = append(txs, l.TxHash)
				}
			}
		}
		for part := range slices.Chunk(txs, receiptsAtOnce) {
			calls := make([]rpc.BatchElem, len(part))
			for i, tx := range part {
				calls[i] = rpc.BatchElem{Method: "eth_getTransactionReceipt", Args: []any{tx}, Result: new(map[string]any)}
			}
			if err := conn.BatchCallContext(ctx, calls); err != nil {
				return receipts, err
			}
			receipts += len(part)
		}
	}
	return receipts, nil
}

// follow runs our watcher until everything is in the log, and then until it is confirmed.
func (w *catchUp) follow(ctx context.Context, from, head uint64, payments int) (detected time.Duration, err error) {
	rows := records.New(w.core.Jobs, 1)
	follower := reactors.NewChainFollower(reactors.FollowerOptions{
		Network: devchain.Network(), Chain: w.client, Decode: evm.Decode, Executor: w.core.Executor, Watch: watchview.New(w.core.Jobs), Sweeps: sweepview.New(w.core.Jobs), Positions: w.runner,
		Notes: wire.FollowerNotes(rows), Every: 50 * time.Millisecond, Range: backfillRange, Lookback: head - from + 1,
	})
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	begin := time.Now()
	go func() { defer close(done); _ = follower.Run(running) }()
	defer func() { stop(); <-done }()
	for {
		var seen, confirmed int
		err := w.core.Jobs.QueryRow(ctx, `SELECT count(*) FILTER (WHERE type = 'payment.detected'), count(*) FILTER (WHERE type = 'payment.confirmed')
			FROM events WHERE type IN ('payment.detected', 'payment.confirmed')`).Scan(&seen, &confirmed)
		if err != nil {
			return detected, err
		}
		if seen == payments && detected == 0 {
			detected = time.Since(begin)
		}
		if confirmed == payments {
			return detected, nil
		}
		if s := follower.Status(); s.Failures > 5 {
			return detected, fmt.Errorf("after %d of %d: %s", seen, payments, s.LastError)
		}
		select {
		case <-ctx.Done():
			return detected, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}
