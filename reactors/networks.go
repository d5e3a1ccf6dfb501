package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/domain/listing"
	"holdfast/domain/network"
	"holdfast/projections/networkview"
)

// NetworksOptions join a Networks.
type NetworksOptions struct {
	// Table is the registry before anybody changed anything: the built-in one or a file's.
	Table *network.Registry
	// Floor is the least depth that configuration allows on a chain.
	Floor func(chain uint64) uint64
	// Listings are the changes; see projections/networkview.
	Listings interface {
		All(ctx context.Context) ([]networkview.Row, error)
	}
	Positions Positions
	Log       *slog.Logger
}

// Networks is the registry in force: the table with what admins have changed laid over it. It
// follows the log without a restart, in every process; readers get a whole Registry, never a
// half-changed one.
type Networks struct {
	*loop
	o       NetworksOptions
	current atomic.Pointer[inForce]

	mu      sync.Mutex // one refresh at a time
	changed []func(context.Context, *network.Registry)
}

// inForce is one registry and the listings that it is made of. It never changes.
type inForce struct {
	*network.Registry
	listings map[uint64]listing.State
	mark     string
}

// NewNetworks begins with the table alone; Refresh lays the changes over it.
func NewNetworks(o NetworksOptions) (*Networks, error) {
	n := &Networks{o: o}
	n.loop = newLoop("networks", 2*time.Second, o.Log, func(ctx context.Context) (bool, error) { return false, n.Refresh(ctx) })
	n.linger = 250 * time.Millisecond
	r, err := n.build(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	n.current.Store(&inForce{Registry: r})
	return n, nil
}

// OnChange calls f with every registry that takes the place of another, one after the other. It
// must be called before the first Refresh.
func (n *Networks) OnChange(f func(context.Context, *network.Registry)) {
	n.changed = append(n.changed, f)
}

// Listing is what admins have changed of a chain, as this process uses it.
func (n *Networks) Listing(chain uint64) listing.State { return n.current.Load().listings[chain] }

// Table gives what the table says of a chain (zero when it does not know it) and its floor.
func (n *Networks) Table(chain uint64) (base network.Chain, floor uint64) {
	base, _ = n.o.Table.Chain(chain)
	return base, max(n.o.Floor(chain), base.Confirmations.Floor, 1)
}

// Reach makes this process use what the log says up to a position: its own writes are in force
// before they are answered.
func (n *Networks) Reach(ctx context.Context, position int64) error {
	if n.o.Positions != nil {
		if err := n.o.Positions.WaitFor(ctx, networkview.Name, position); err != nil {
			return err
		}
	}
	return n.Refresh(ctx)
}

// Refresh reads the changes and puts another registry in force when there are new ones.
func (n *Networks) Refresh(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	rows, err := n.o.Listings.All(ctx)
	if err != nil {
		return fmt.Errorf("read the networks: %w", err)
	}
	mark := ""
	listings := map[uint64]listing.State{}
	for _, r := range rows {
		id, err := strconv.ParseUint(r.ID, 10, 64)
		if err != nil {
			return fmt.Errorf("a listing of %q: %w", r.ID, err)
		}
		listings[id] = r.Doc.State
		mark += fmt.Sprintf("%s@%d ", r.ID, r.Version)
	}
	if mark == n.current.Load().mark {
		return nil
	}
	r, err := n.build(ctx, listings)
	if err != nil {
		return err
	}
	n.current.Store(&inForce{Registry: r, listings: listings, mark: mark})
	n.log.InfoContext(ctx, "another registry of networks is in force", "listings", len(listings))
	n.detail("listings", len(listings))
	for _, f := range n.changed {
		f(ctx, r)
	}
	return nil
}

// build lays listings over the table. One that cannot stand beside the others (a newer table may
// use its name) is left out with an alarm: the other chains must go on.
func (n *Networks) build(ctx context.Context, listings map[uint64]listing.State) (*network.Registry, error) {
	chains := map[uint64]network.Chain{}
	for _, c := range n.o.Table.Chains() {
		_, floor := n.Table(c.ID)
		chains[c.ID], _ = listing.State{}.Over(c.ID, c, floor)
	}
	r, err := network.New(sorted(chains)...)
	if err != nil {
		return nil, fmt.Errorf("the table of networks: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(listings)) {
		base, floor := n.Table(id)
		c, ok := listings[id].Over(id, base, floor)
		if !ok {
			continue
		}
		was, known := chains[id]
		chains[id] = c
		next, err := network.New(sorted(chains)...)
		if err != nil {
			n.log.ErrorContext(ctx, "what was changed of a network cannot be put in force", "chain", id, "error", err)
			if delete(chains, id); known {
				was.Disabled = true
				chains[id] = was
			}
			if next, err = network.New(sorted(chains)...); err != nil {
				return nil, fmt.Errorf("the registry without chain %d: %w", id, err)
			}
		}
		r = next
	}
	return r, nil
}

func sorted(chains map[uint64]network.Chain) []network.Chain {
	all := make([]network.Chain, 0, len(chains))
	for _, id := range slices.Sorted(maps.Keys(chains)) {
		all = append(all, chains[id])
	}
	return all
}

// Try says whether a chain could stand beside the others, and why not.
func (n *Networks) Try(c network.Chain) error {
	chains := map[uint64]network.Chain{c.ID: c}
	for _, o := range n.Chains() {
		if o.ID != c.ID {
			chains[o.ID] = o
		}
	}
	_, err := network.New(sorted(chains)...)
	return err
}
