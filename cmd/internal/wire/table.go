package wire

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"holdfast/cmd/internal/config"
	"holdfast/domain/network"
)

// readTable gives the registry of NETWORKS_FILE, or the built-in one.
func readTable(file string) (*network.Registry, error) {
	if file == "" {
		return network.Known()
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("NETWORKS_FILE: %w", err)
	}
	table, err := network.Read(raw)
	if err != nil {
		return nil, fmt.Errorf("NETWORKS_FILE: %w", err)
	}
	return table, nil
}

// completeTable adds the built-in networks that the table lacks, so that an admin can enable
// them. A chain is offered where it has a node, and only there: nobody would see money on
// another.
func (c *Core) completeTable(ctx context.Context, chains *Chains, urls map[uint64][]string) error {
	known, err := network.Known()
	if err != nil {
		return err
	}
	var all []network.Chain
	for _, chain := range chains.Table.Chains() {
		chain.Disabled = chain.Disabled || len(urls[chain.ID]) == 0
		all = append(all, chain)
	}
	for _, chain := range known.Chains() {
		if _, listed := chains.Table.Chain(chain.ID); listed {
			continue
		}
		chain.Disabled = len(urls[chain.ID]) == 0
		if _, err := network.New(append(all, chain)...); err != nil {
			c.Log.WarnContext(ctx, "a built-in network is left out", "chain", chain.ID, "error", err)
			continue
		}
		all = append(all, chain)
	}
	if chains.Table, err = network.New(all...); err != nil {
		return fmt.Errorf("the table of networks: %w", err)
	}
	chains.Registry = chains.Table
	return nil
}

// unknownFloor is how deep a transfer must stand at least on a chain that no table knows, unless
// CONFIRMATION_FLOORS says otherwise.
const unknownFloor = 12

// floors gives the least depth that configuration allows on a chain, beside the table's own.
func floors(cfg *config.Config, table *network.Registry) func(chain uint64) uint64 {
	said, others := map[uint64]uint64{}, uint64(unknownFloor)
	for _, pair := range cfg.ConfirmationFloors {
		name, depth, _ := strings.Cut(pair, "=")
		n, _ := strconv.ParseUint(depth, 10, 31) // checked by config
		if name == "*" {
			others = n
			continue
		}
		id, _ := strconv.ParseUint(name, 10, 64)
		said[id] = n
	}
	return func(chain uint64) uint64 {
		if n, ok := said[chain]; ok {
			return n
		}
		if _, known := table.Chain(chain); known {
			return 1
		}
		return others
	}
}
