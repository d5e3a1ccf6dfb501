package http

import (
	"context"

	"holdfast/domain/listing"
	"holdfast/domain/network"
)

// Networks is the registry in force and the table that it began with.
type Networks interface {
	Chains() []network.Chain
	Chain(id uint64) (network.Chain, bool)
	// Table is what the built-in table says of a chain, zero when it does not know it, and the
	// least depth that configuration allows there.
	Table(id uint64) (base network.Chain, floor uint64)
	// Listing is what admins have changed of a chain.
	Listing(id uint64) listing.State
	// Try says whether a chain could stand beside the others, and why not.
	Try(c network.Chain) error
	// Reach makes this process use what the log says up to a position.
	Reach(ctx context.Context, position int64) error
}

// Nodes asks the nodes of chains, and knows which may be asked.
type Nodes interface {
	// Address brings an address into EIP-55; INVALID_ADDRESS.
	Address(text string) (string, error)
	// CheckURL refuses a node's URL that must not be saved: URL_NOT_ALLOWED.
	CheckURL(ctx context.Context, raw string) error
	// Host names a node without the key in its path.
	Host(raw string) string
	// Watched reports whether this process follows a chain.
	Watched(chain uint64) bool
	// Probe asks the nodes of a chain about everything that the registry says of it; with urls,
	// those nodes instead. CHAIN_UNAVAILABLE, CHAIN_MISMATCH, URL_NOT_ALLOWED.
	Probe(ctx context.Context, c network.Chain, urls []string) (network.Probe, error)
	// Decimals is what a token's contract says; ok is false when nobody follows the chain.
	Decimals(ctx context.Context, chain uint64, token string) (decimals uint8, ok bool, err error)
	// Standing says how firmly a block stands; Wake lets the chain be looked at now.
	Standing(ctx context.Context, chain, block uint64, hash string) (network.Standing, error)
	Wake(chain uint64)
}
