package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
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
