package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/threshold"
)

// PayIn is where and how a payment is to be made: everything but the amount comes from the
// registry, the derived destination and, where one is switched on, the provider.
type PayIn struct {
	Destination funding.Destination
	Intent      funding.Intent
	Threshold   payment.Threshold
	// Basis lets the chain's confirmation rule say the threshold, as of the moment of the command.
	Basis *threshold.Basis
}

// Checkout prepares a pay-in before the command runs: it derives the next free address (the
// same one again for the same payment) and looks the chain up. A provider that is switched
// on is asked too; its failures are faults PROVIDER_UNAVAILABLE and PROVIDER_MISMATCH.
type Checkout interface {
	Prepare(ctx context.Context, payment domain.PaymentID, due money.Amount) (PayIn, error)
}

// Custody prepares and sends transactions out of custody. No key is here: what it builds is
// signed elsewhere and comes back.
type Custody interface {
	// Instruction says what is to be signed, with the next free nonce of the treasury.
	Instruction(ctx context.Context, amount money.Amount, to string) (outgoing.Transfer, error)
	// Decode reads a signed transaction; a fault when it cannot be read.
	Decode(ctx context.Context, chain uint64, signed string) (outgoing.Tx, error)
	// Keep stores a signed transaction, so that it can be sent again; Send sends it. It is
	// called after the log knows of the transaction.
	Keep(ctx context.Context, tx outgoing.Tx, signed string) error
	Send(ctx context.Context, tx outgoing.Tx, signed string) error
}
