package wire

import (
	"context"
	"time"

	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/network"
	domainpolicy "holdfast/domain/policy"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/projections/sweepview"
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
	payments, chains := s.payments, func() map[uint64]reactors.Chain { return clientsAs[reactors.Chain](s.Chains) }
	claims := reactors.NewClaims(reactors.ClaimsOptions{
		Chains: chains, Executor: s.Executor, Watch: watch, Positions: s.positions(), Looks: s.Records.Claims, Log: s.Log,
	})
	policies := reactors.NewPolicies(s.Jobs, s.Runner.Reader(domainpolicy.Categories()...), s.Executor, s.Log)
	ingest := reactors.NewIngest(reactors.IngestOptions{
		Inbox: notices{records.NewInbox(s.Jobs)}, Reader: s.parser(), Chains: payments,
		Executor: s.Executor, Watch: watch, Positions: s.positions(), Log: s.Log,
	})
	screening := reactors.NewScreening(s.Views.Payments, s.screener, s.Executor, s.lookEvery(), s.Log)
	bot, botSleepers, err := s.telegramLoops()
	if err != nil {
		return err
	}
	s.loops = append(s.loops, bot...)
	wakes := map[string][]reactors.Sleeper{projections.LogChannel: {policies, s.networks}, records.InboxChannel: {ingest}, records.TelegramChannel: botSleepers}
	if s.mail != nil {
		postman := reactors.NewPostman(postbag{s.mail.queue, s.mail}, s.Config.MailKeep, nil, s.Log)
		wakes[records.MailChannel] = []reactors.Sleeper{postman}
		s.loops = append(s.loops, postman)
	}
	timers := reactors.NewTimers(s.Jobs, s.Executor, s.Log)
	timers.RestFor(func(of domain.Stream) bool {
		_, theirs := s.Legacy.Owners.Writes(of.Type, "")
		return theirs
	})
	s.loops = append(s.loops, s.personalLoops(timers, wakes)...)
	s.loops = append(s.loops, s.networks, policies, ingest, claims, screening,
		timers, reactors.NewSolvency(s.Jobs, s.Executor, s.Log), reactors.NewCheckpointer(s.Store, s.Log),
		reactors.NewListener(s.Jobs, wakes, s.Log))
	s.loops = append(s.loops, news{s}, reactors.NewExpiry(records.NewExpiry(s.Jobs), s.Log))
	if s.Config.Screens() && s.Config.Rescreen > 0 {
		s.loops = append(s.loops, reactors.NewRescreening(known{s.Views.Payments, s.Records}, s.screener, s.Executor, s.Config.Rescreen, s.Log))
	}
	s.openSweeps(watch)
	for _, client := range s.Chains.All() {
		s.loops = append(s.loops, s.chainLoops(client, watch)...)
	}
	s.reconciler = s.NewReconciler(s.Chains, s.Runner, s.poller)
	s.loops = append(s.loops, s.reconciler, reactors.NewCoins(reactors.CoinsOptions{Reconciler: s.reconciler, Watch: watch, Need: s.need, Log: s.Log}))
	if s.poller != nil {
		s.loops = append(s.loops, reactors.NewProviderPoller(reactors.PollerOptions{
			Provider: s.poller, Notes: pollerNotes{s.Records.Provider}, Chains: payments, Executor: s.Executor, Watch: watch, Positions: s.positions(),
			Every: providerPoll, Log: s.Log,
		}))
	}
	return nil
}

// need is how deep a chain's blocks must be.
func (s *Service) need(chain uint64) uint64 {
	c, _ := s.Chains.Registry.Chain(chain)
	return max(c.Confirmations.Need, c.Confirmations.Floor, 1)
}

// payments are those of every chain that the registry knows at this moment.
func (s *Service) payments() map[uint64]reactors.Payments {
	all := map[uint64]reactors.Payments{}
	for _, c := range s.Chains.Registry.Chains() {
		all[c.ID] = chainPayments{s.Chains, c.ID}
	}
	return all
}

// clientsAs gives the clients there are at this moment as what a loop asks of them.
func clientsAs[T any](chains *Chains) map[uint64]T {
	all := map[uint64]T{}
	for id, c := range chains.All() {
		all[id] = any(c).(T)
	}
	return all
}

// chainLoops are those of one chain: its follower, the one that follows gas and, where keys are at
// hand, its sweeper.
func (s *Service) chainLoops(client *evm.Client, watch watchview.Queries) []loop {
	all := []loop{reactors.NewChainFollower(reactors.FollowerOptions{
		Network: client.Chain(), Chain: client, Decode: evm.Decode, Executor: s.Executor, Watch: watch, Sweeps: sweepview.New(s.Jobs), Positions: s.positions(),
		Notes: notes{s.Records}, Log: s.Log, OwnGas: s.Chains.Gas != s.Chains.Treasury, Every: s.lookEvery(), Reorg: s.Config.ReorgDepth, Range: s.Config.ScanRange,
	}), reactors.NewTopUps(reactors.TopUpOptions{
		Network: client.Chain(), Chain: client, Decode: evm.Decode, Raw: s.Records.Transactions.Raw, Executor: s.Executor, Sweeps: sweepview.New(s.Jobs),
		Every: s.lookEvery(), Log: s.Log,
	})}
	if s.Chains.Signer != nil && s.Config.SweepSigner == "local" && !s.sweptElsewhere() {
		all = append(all, reactors.NewSweeper(reactors.SweeperOptions{
			Network: client.Chain(), Chain: client, Decode: evm.Decode, Signer: localSigner{s.Chains.Signer}, Kept: s.Records.Transactions,
			Executor: s.Executor, Watch: watch, Treasury: s.Chains.Treasury, Gas: s.Chains.Gas, Token: s.Chains.Registry.Token,
			Claimed: s.Store.Claimed,
			Every:   s.lookEvery(), Log: s.Log,
		}))
	}
	return all
}

// sweptElsewhere reports whether the old backend still sweeps what stands on derived addresses.
func (s *Service) sweptElsewhere() bool {
	return s.Legacy != nil && (s.Legacy.Owners.Legacy(legacymongo.Destination) || s.Legacy.Owners.Legacy(legacymongo.Payment))
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
		all[i] = reactors.Notice{Row: r.Row, Attempts: r.Attempts, Replayed: r.Replayed, Delivery: r.Delivery.ID, Source: r.Source, Body: r.Body, Header: r.Header, Received: r.ReceivedAt}
	}
	return all, err
}

// FollowerNotes are the rows as a chain's follower wants them.
func FollowerNotes(r *records.Records) reactors.Notes { return notes{r} }

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
