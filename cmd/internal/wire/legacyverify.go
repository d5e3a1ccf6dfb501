package wire

import (
	"context"
	"errors"
	"slices"

	"holdfast/adapters/devchain"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/projections/views"
	"holdfast/reactors"
)

// ErrNoLegacy: a verb of the bridge was asked for, and there is none.
var ErrNoLegacy = errors.New("the legacy store is not connected: set MONGODB_URI, and MONGO_CONNECT_MODE to always or optional")

// liveAssets is the registry of this moment: networks are added while the service runs.
type liveAssets struct{ chains *Chains }

func (l liveAssets) Decimals(a money.Asset) (uint8, bool) {
	if n, fiat := money.FiatDecimals(a); fiat {
		return n, true
	}
	return l.chains.Registry.Decimals(a)
}

func (l liveAssets) Alias(a money.Asset) (string, bool) {
	if code, fiat := a.Currency(); fiat {
		return code, true
	}
	return l.chains.Registry.Alias(a)
}

// Bridge opens the legacy store for a verb; a service may be running beside it.
func (c *Core) Bridge(ctx context.Context) (*Legacy, error) {
	chains, err := c.knownNetworks(ctx)
	if err != nil {
		return nil, err
	}
	l, err := c.OpenLegacy(ctx, liveAssets{chains}, nil)
	if err == nil && l.Store == nil {
		err = ErrNoLegacy
	}
	return l, err
}

// knownNetworks is the registry as the service has it: the configured networks, the built-in ones,
// and what admins have listed since.
func (c *Core) knownNetworks(ctx context.Context) (*Chains, error) {
	table, err := readTable(c.Config.NetworkFile)
	if _, running := RunningDevChain(ctx, c.Config); running == nil && len(c.Config.EVMRPCURLs) == 0 {
		table, err = network.New(devchain.Network())
	}
	if err != nil {
		return nil, err
	}
	chains := &Chains{Table: table}
	if err := c.completeTable(ctx, chains, nil); err != nil {
		return nil, err
	}
	runner, _, err := c.NewRunner()
	if err != nil {
		return nil, err
	}
	listed, err := reactors.NewNetworks(reactors.NetworksOptions{
		Table: chains.Table, Floor: floors(c.Config, chains.Table), Listings: views.New(c.HTTP, c.Codec).Networks, Positions: runner, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	chains.Registry = listed
	return chains, listed.Refresh(ctx)
}

// Verify compares the collections of some domains (of all when none is named) with the log.
func (l *Legacy) Verify(ctx context.Context, domains []string, report func(projections.Progress)) ([]legacymongo.Parity, error) {
	var all []legacymongo.Parity
	for _, c := range legacymongo.Collections() {
		if len(domains) > 0 && !slices.Contains(domains, c.Domain) {
			continue
		}
		p, err := l.Store.Verify(ctx, l.Pool, c.Name, report)
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Ours leaves out the collections that the old backend owns.
func (l *Legacy) Ours(collections []string) []string {
	return slices.DeleteFunc(slices.Clone(collections), func(name string) bool {
		return slices.ContainsFunc(legacymongo.Collections(), func(c legacymongo.Collection) bool { return c.Name == name && l.Owners.Legacy(c.Domain) })
	})
}
