package reactors

import (
	"context"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// What the loops ask of a chain; adapters/evm answers it.

// Blocks tells where a chain stands.
type Blocks interface {
	Head(ctx context.Context) (network.Head, error)
	// BlockHash is the hash of the canonical block at a height, empty when there is none.
	BlockHash(ctx context.Context, number uint64) (string, error)
	// Standing says how firmly a block stands, by the word of every node that answers.
	Standing(ctx context.Context, number uint64, hash string) (network.Standing, error)
}

// Witnesses answer with what every node says, where the word of one is not enough.
type Witnesses interface {
	// Standings is Standing for many blocks; the error speaks of those that are missing.
	Standings(ctx context.Context, blocks []network.Mark) (map[network.Mark]network.Standing, error)
	// Attest gives what a mined transaction moved; nothing for one that failed or is unknown.
	Attest(ctx context.Context, tx string) ([]network.Deposit, error)
	// Find says what became of a transaction and in which block it stands, be it that it failed
	// there; no block while it stands in none.
	Find(ctx context.Context, tx string) (network.TxState, network.Mark, error)
}

// Payments finds and verifies payments on a chain.
type Payments interface {
	Scan(ctx context.Context, from, to uint64, w network.Watch) (network.Scanned, error)
	VerifyPayment(ctx context.Context, tx string, want network.Expected) (network.Verified, error)
}

// Outgoing follows and sends transactions of ours.
type Outgoing interface {
	Outcome(ctx context.Context, tx outgoing.Tx) (network.Outcome, error)
	// Send hands a signed transaction over; one that the chain has already is no error.
	Send(ctx context.Context, raw string) (hash string, err error)
}

// Safes tells about the contract that the treasury may be.
type Safes interface {
	// SafeNonce is the nonce of the Safe's next transaction.
	SafeNonce(ctx context.Context, safe string) (uint64, error)
	// ExecutedBy finds the transaction in which a Safe carried out a SafeTx, from a block on; empty
	// when it did not.
	ExecutedBy(ctx context.Context, safe, safeTxHash string, from uint64) (tx string, err error)
	// Fetched says what a transaction of somebody else moved of a transfer.
	Fetched(ctx context.Context, t outgoing.Transfer, tx string) (network.Outcome, error)
}

// Builder prepares transactions of ours.
type Builder interface {
	NextNonce(ctx context.Context, address string) (uint64, error)
	Build(ctx context.Context, t outgoing.Transfer) (network.Unsigned, error)
	// Shortfall is how much native coin the sender lacks for a transaction.
	Shortfall(ctx context.Context, u network.Unsigned) (money.Units, error)
	Balance(ctx context.Context, asset money.Asset, owner string) (money.Units, error)
}

// Chain is everything about one chain.
type Chain interface {
	Blocks
	Witnesses
	Payments
	Outgoing
	Builder
	Safes
}

// Decoder reads a signed transaction as the transfer it makes.
type Decoder func(raw string) (outgoing.Tx, error)

// Positions lets a loop wait until a read model has passed a position.
type Positions interface {
	WaitFor(ctx context.Context, view string, position int64) error
}
