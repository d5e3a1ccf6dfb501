package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// ProviderTransaction is one that a wallet is to sign, by the provider's word.
type ProviderTransaction struct {
	To    string      `json:"to"`
	Data  string      `json:"data"`
	Value money.Units `json:"value" doc:"Base units of the native coin"`
}

// ProviderView is how the provider sees a payment. Nothing in it is evidence.
type ProviderView struct {
	RequestID string    `json:"requestId"`
	Reference string    `json:"reference"`
	Paid      bool      `json:"paid"`
	Tx        string    `json:"tx,omitempty"`
	Status    string    `json:"status,omitempty"`
	SeenAt    time.Time `json:"seenAt"`
}

// Orphan is a request that the provider has and no payment of ours.
type Orphan struct {
	RequestID string     `json:"requestId,omitempty" doc:"Absent when the answer was lost and nobody has paid"`
	Tx        string     `json:"tx,omitempty"`
	Reference string     `json:"reference,omitempty" doc:"The payment reference"`
	Ours      string     `json:"ours,omitempty" doc:"The payment of ours that it was made for"`
	Network   string     `json:"network,omitempty"`
	Amount    string     `json:"amount,omitempty" doc:"As the provider writes it"`
	Reason    string     `json:"reason"`
	FirstSeen *time.Time `json:"firstSeen,omitempty"`
	LastSeen  *time.Time `json:"lastSeen,omitempty"`
}

// Provider is the payment provider. Its faults are PROVIDER_UNAVAILABLE, PROVIDER_REFUSED and
// PROVIDER_MISMATCH. No transaction of the database is open while it is asked.
type Provider interface {
	// Intend has a request made for a payment whose destination is prepared, or takes up the one
	// that was made for it before. The answer is kept before it is used and compared with ours:
	// payee, token, amount, chain, reference. The pay-in comes back with the provider's intent,
	// and the transactions that a wallet is to sign. wallet is the payer's, if it is known.
	Intend(ctx context.Context, id domain.PaymentID, in PayIn, due money.Amount, wallet string) (PayIn, []ProviderTransaction, error)
	// Transactions says how to pay what is still due, compared in the same way.
	Transactions(ctx context.Context, in PayIn, due money.Amount, wallet string) ([]ProviderTransaction, error)
	// View is how the provider sees a payment, at most some seconds old.
	View(ctx context.Context, id domain.PaymentID, requestID string) (ProviderView, error)
	// Orphans lists requests that are nobody's, newest first.
	Orphans(ctx context.Context, limit int) ([]Orphan, error)
}
