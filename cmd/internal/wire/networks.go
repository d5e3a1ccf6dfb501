package wire

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"holdfast/adapters/evm"
	"holdfast/adapters/urlguard"
	"holdfast/domain/listing"
	"holdfast/domain/network"
	"holdfast/projections"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

// openNetworks lays what admins have changed over the table. From then on every client knows the
// tokens and payment contracts of the registry in force, and a chain that is enabled while the
// service runs gets a client and a follower.
func (s *Service) openNetworks(ctx context.Context) (err error) {
	s.guard = &urlguard.Guard{Loopback: s.Config.AllowLoopbackURLs}
	s.networks, err = reactors.NewNetworks(reactors.NetworksOptions{
		Table: s.Chains.Table, Floor: floors(s.Config, s.Chains.Table), Listings: s.Views.Networks, Positions: s.Runner, Log: s.Log,
	})
	if err != nil {
		return err
	}
	s.Chains.Registry = s.networks
	s.networks.OnChange(s.networksChanged)
	s.describe(s.networks.Current())
	return s.networks.Refresh(ctx)
}

func (s *Service) describe(r *network.Registry) {
	for id, client := range s.Chains.All() {
		if chain, ok := r.Chain(id); ok {
			client.Describe(chain)
		}
	}
}

func (s *Service) networksChanged(ctx context.Context, r *network.Registry) {
	s.describe(r)
	for _, chain := range r.Chains() {
		if _, err := s.Chains.Client(chain.ID); err == nil || chain.Family != network.EVM {
			continue
		}
		l := s.networks.Listing(chain.ID)
		if l.Unwatched || l.Definition == nil || len(l.Definition.Nodes) == 0 {
			continue
		}
		client, err := s.newClient(chain, nodesOf(l))
		if err != nil {
			s.Log.ErrorContext(ctx, "an enabled chain cannot be watched", "chain", chain.ID, "error", err)
			continue
		}
		s.Chains.add(chain.ID, client)
		s.Log.InfoContext(ctx, "a chain is watched from now on", "chain", chain.ID, "name", chain.Name)
		s.follow(client)
	}
}

// newClient speaks to nodes that people have named: through the guard.
func (s *Service) newClient(chain network.Chain, nodes []string) (*evm.Client, error) {
	return evm.New(evm.Options{
		Chain: chain, Guarded: nodes, Transport: s.guard.Transport(), MaxFeePerGas: s.Config.MaxFeePerGas(), Own: s.Chains.own(), Log: s.Log,
	})
}

func nodesOf(l listing.State) []string {
	if l.Definition == nil {
		return nil
	}
	var urls []string
	for _, n := range l.Definition.Nodes {
		if n.Text != "" {
			urls = append(urls, n.Text)
		}
	}
	return urls
}

// follow starts the loops of a chain that was enabled while the service runs; before that,
// openLoops makes them.
func (s *Service) follow(client *evm.Client) {
	s.loopsLock.Lock()
	defer s.loopsLock.Unlock()
	if !s.running {
		return
	}
	for _, l := range s.chainLoops(client, watchview.New(s.Jobs)) {
		s.loops = append(s.loops, l)
		s.group.Go(func() error { return l.Run(s.ctx) })
	}
}

// allLoops are the loops there are at this moment.
func (s *Service) allLoops() []loop {
	s.loopsLock.Lock()
	defer s.loopsLock.Unlock()
	return slices.Clone(s.loops)
}

// positions lets a follower wait for the watch list and, with it, for the registry: a token that
// a payment of the list is made in must be looked for.
func (s *Service) positions() reactors.Positions { return watchPositions{s.Runner, s.networks} }

type watchPositions struct {
	runner   *projections.Runner
	networks *reactors.Networks
}

func (p watchPositions) WaitFor(ctx context.Context, view string, position int64) error {
	if err := p.runner.WaitFor(ctx, view, position); err != nil || view != watchview.Name {
		return err
	}
	return p.networks.Reach(ctx, position)
}

// chainPayments asks a chain's client, as soon as there is one.
type chainPayments struct {
	chains *Chains
	id     uint64
}

func (p chainPayments) Scan(ctx context.Context, from, to uint64, w network.Watch) (network.Scanned, error) {
	client, err := p.chains.Client(p.id)
	if err != nil {
		return network.Scanned{}, err
	}
	return client.Scan(ctx, from, to, w)
}

func (p chainPayments) VerifyPayment(ctx context.Context, tx string, want network.Expected) (network.Verified, error) {
	client, err := p.chains.Client(p.id)
	if err != nil {
		return network.Verified{}, err
	}
	return client.VerifyPayment(ctx, tx, want)
}

// nodes is what the server asks of chains' nodes.
type nodes struct{ s *Service }

func (n nodes) Address(text string) (string, error) { return evm.ParseAddress(text) }

func (n nodes) CheckURL(ctx context.Context, raw string) error { return n.s.guard.Check(ctx, raw) }

func (n nodes) Watched(chain uint64) bool {
	_, err := n.s.Chains.Client(chain)
	return err == nil
}

// Probe looks at the nodes that a chain has; with urls, at those instead.
func (n nodes) Probe(ctx context.Context, chain network.Chain, urls []string) (network.Probe, error) {
	if len(urls) == 0 {
		client, err := n.s.Chains.Client(chain.ID)
		if err == nil {
			return client.Probe(ctx, chain)
		}
		if urls = nodesOf(n.s.networks.Listing(chain.ID)); len(urls) == 0 {
			return network.Probe{}, err
		}
	}
	client, err := n.s.newClient(chain, urls)
	if err != nil {
		return network.Probe{}, urlguard.ErrNotAllowed
	}
	defer client.Close()
	return client.Probe(ctx, chain)
}

// Decimals is what a token's contract says; ok is false when nobody watches the chain.
func (n nodes) Decimals(ctx context.Context, chain uint64, token string) (decimals uint8, ok bool, err error) {
	client, err := n.s.Chains.Client(chain)
	if errors.Is(err, errNoChain) {
		return 0, false, nil
	}
	if err == nil {
		decimals, err = client.Decimals(ctx, token)
	}
	return decimals, true, err
}

// Standing says how firmly a block stands.
func (n nodes) Standing(ctx context.Context, chain, block uint64, hash string) (network.Standing, error) {
	client, err := n.s.Chains.Client(chain)
	if err != nil {
		return network.Standing{}, err
	}
	return client.Standing(ctx, block, hash)
}

// Wake lets a chain be looked at now.
func (n nodes) Wake(chain uint64) {
	for _, l := range n.s.allLoops() {
		if f, ok := l.(*reactors.ChainFollower); ok && f.Name() == "chain:"+strconv.FormatUint(chain, 10) {
			f.Wake()
		}
	}
}

// Host names a node without its key.
func (n nodes) Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "?"
	}
	return u.Host
}
