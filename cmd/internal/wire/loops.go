package wire

import (
	"context"
	"time"

	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain/network"
	"holdfast/projections"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

// loop is a reactor that runs beside the server.
type loop interface {
	Run(ctx context.Context) error
	Status() reactors.Status
}

// providerPoll is the pause between two rounds at the provider; its own retries end after
// some twenty seconds.
const providerPoll = 30 * time.Second

// openLoops makes the reactors: policies, timers, ingestion, and for each chain a follower.
func (s *Service) openLoops() error {
	watch := watchview.New(s.Jobs)
	payments := map[uint64]reactors.Payments{}
	for id, c := range s.Chains.Clients {
		payments[id] = c
	}
	policies := reactors.NewPolicies(s.Jobs, s.Codec, s.Executor, s.Log)
	ingest := reactors.NewIngest(reactors.IngestOptions{
		Inbox: notices{s.Records.Inbox}, Reader: requestnetwork.NewParser(s.Chains.Registry), Chains: payments,
		Executor: s.Executor, Watch: watch, Positions: s.Runner, Log: s.Log,
	})
	s.loops = append(s.loops, policies, ingest,
		reactors.NewTimers(s.Jobs, s.Executor, s.Log), reactors.NewSolvency(s.Jobs, s.Executor, s.Log), reactors.NewCheckpointer(s.Store, s.Log),
		reactors.NewListener(s.Jobs, map[string][]reactors.Sleeper{projections.LogChannel: {policies}, records.InboxChannel: {ingest}}, s.Log))
	s.openSweeps(watch)
	for _, client := range s.Chains.Clients {
		s.loops = append(s.loops, reactors.NewChainFollower(reactors.FollowerOptions{
			Network: client.Chain(), Chain: client, Decode: evm.Decode, Executor: s.Executor, Watch: watch, Positions: s.Runner,
			Notes: notes{s.Records}, Log: s.Log, Every: s.lookEvery(),
		}))
		if s.Chains.Signer != nil && s.Config.SweepSigner == "local" {
			s.loops = append(s.loops, reactors.NewSweeper(reactors.SweeperOptions{
				Network: client.Chain(), Chain: client, Decode: evm.Decode, Signer: localSigner{s.Chains.Signer}, Kept: s.Records.Transactions,
				Executor: s.Executor, Watch: watch, Treasury: s.Chains.Treasury, Gas: s.Chains.Gas, Token: s.Chains.Registry.Token,
				Every: s.lookEvery(), Log: s.Log,
			}))
		}
	}
	if s.Config.RequestNetworkKey == "" {
		return nil
	}
	client, err := requestnetwork.New(requestnetwork.Options{
		BaseURL: s.Config.RequestNetworkURL, APIKey: s.Config.RequestNetworkKey, Registry: s.Chains.Registry,
	})
	if err != nil {
		return err
	}
	s.loops = append(s.loops, reactors.NewProviderPoller(client, payments, s.Executor, watch, providerPoll, s.Log))
	return nil
}

// lookEvery is how often a chain is looked at: its blocks come every half second in
// development.
func (s *Service) lookEvery() time.Duration {
	if s.Chains.Dev != nil {
		return 500 * time.Millisecond
	}
	return 2 * time.Second
}

// notices hands the inbox to the ingestion.
type notices struct{ *records.Inbox }

func (n notices) Take(ctx context.Context, limit int, lease time.Duration) ([]reactors.Notice, error) {
	rows, err := n.Inbox.Take(ctx, limit, lease)
	all := make([]reactors.Notice, len(rows))
	for i, r := range rows {
		all[i] = reactors.Notice{Row: r.Row, Attempts: r.Attempts, Source: r.Source, Body: r.Body, Header: r.Header, Received: r.ReceivedAt}
	}
	return all, err
}

// notes is what a follower remembers beside the log.
type notes struct{ r *records.Records }

func (n notes) Scanned(ctx context.Context, chain uint64) ([]reactors.Block, error) {
	rows, err := n.r.Chains.Scanned(ctx, chain)
	all := make([]reactors.Block, len(rows))
	for i, b := range rows {
		all[i] = reactors.Block(b)
	}
	return all, err
}

func (n notes) Reach(ctx context.Context, chain uint64, b reactors.Block) error {
	return n.r.Chains.Reach(ctx, chain, records.Block(b))
}

func (n notes) GoBack(ctx context.Context, chain, above uint64) error {
	return n.r.Chains.GoBack(ctx, chain, above)
}

func (n notes) Deep(ctx context.Context, all []reactors.Depth) error {
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

// localSigner signs with the development keys.
type localSigner struct{ keys *evm.LocalSigner }

func (l localSigner) SignDestination(_ context.Context, index uint32, u network.Unsigned) (string, error) {
	return l.keys.Sign(evm.DestinationPath(index), u)
}

func (l localSigner) SignGas(_ context.Context, u network.Unsigned) (string, error) {
	return l.keys.Sign(evm.TreasuryPath, u)
}
