package http

import (
	"context"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// Custody prepares and sends transactions out of custody. No key is here: what it builds is
// signed elsewhere and comes back.
type Custody interface {
	// Treasury is the address that pays, unless a derived destination does.
	Treasury() string
	// Instruction says what is to be signed, with the treasury's next nonce that neither the
	// chain nor another instruction has.
	Instruction(ctx context.Context, amount money.Amount, to string) (outgoing.Transfer, error)
	// Nonce is that nonce for any address of ours.
	Nonce(ctx context.Context, chain uint64, from string) (uint64, error)
	// Unsigned is the transaction of an instruction at the gas price of now, priced above the
	// one it is to replace (zero: none). Faults CUSTODY_SHORT, GAS_MISSING, GAS_TOO_HIGH,
	// TX_WOULD_FAIL say why it cannot be carried out at the moment.
	Unsigned(ctx context.Context, t outgoing.Transfer, replaces outgoing.Tx) (network.Unsigned, error)
	// UsedBy gives the signed transaction with which the chain used an instruction's nonce,
	// once that stands firmly; "" while it is unused. A fault NONCE_USED when another one has
	// it that may still go away, or cannot be found.
	UsedBy(ctx context.Context, t outgoing.Transfer) (signed string, err error)

	// Decode reads a signed transaction; a fault when it cannot be read.
	Decode(ctx context.Context, chain uint64, signed string) (outgoing.Tx, error)
	// CheckFee refuses one that pays more for gas than is allowed here: GAS_TOO_HIGH.
	CheckFee(tx outgoing.Tx) error
	// Fetch gives the signed bytes of a transaction that somebody else sent; TX_UNKNOWN.
	Fetch(ctx context.Context, chain uint64, hash string) (signed string, err error)

	// Keep stores a signed transaction, so that it can be sent again; Kept reads it; Send sends
	// it, after the log knows of the transaction.
	Keep(ctx context.Context, tx outgoing.Tx, signed string) error
	Kept(ctx context.Context, chain uint64, hash string) (tx outgoing.Tx, ok bool, err error)
	Send(ctx context.Context, tx outgoing.Tx, signed string) error
}

// Recipients knows the addresses to which money may go.
type Recipients interface {
	// Read brings a typed address into its usual spelling (EIP-55). INVALID_ADDRESS for what is
	// none: a wrong checksum, zero, a token's or payment contract, an address of ours.
	Read(asset money.Asset, text string) (address string, err error)
	// Screen says "clean", "flagged", or nothing when nobody can say.
	Screen(ctx context.Context, chain uint64, address string) (verdict string, err error)
}
