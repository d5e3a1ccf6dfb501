package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/payment"
)

// Witness looks at transactions that somebody names: on the chain, and in what is booked.
type Witness interface {
	// Verify compares a transaction with a payment: token, recipient, amount, reference,
	// finality. It books nothing. TX_NOT_FOUND, TX_REVERTED, TX_ALREADY_USED,
	// CHAIN_UNAVAILABLE.
	Verify(ctx context.Context, p payment.State, tx string) (TxVerdict, error)
	// Elsewhere reports that the transaction is counted for other payments and not for this.
	Elsewhere(ctx context.Context, p domain.PaymentID, tx string) (bool, error)
	// Transaction says what is known of a transaction that is claimed or booked.
	// TX_NOT_FOUND for one that nobody has named.
	Transaction(ctx context.Context, tx string) (Transaction, error)
}

// TxVerdict is what a look at a transaction says about a payment.
type TxVerdict struct {
	Status string `json:"status" enum:"pending,matched,mismatch"`
	// Reasons say why it is not matched, or not yet.
	Reasons       []TxReason        `json:"reasons"`
	Confirmations *ConfirmationsOut `json:"confirmations,omitempty"`
}

// TxReason is one thing that differs or is missing.
type TxReason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Transaction is what is known of one.
type Transaction struct {
	TxHash        string            `json:"txHash"`
	ChainID       uint64            `json:"chainId"`
	State         string            `json:"state" enum:"unknown,pending,mined,failed"`
	Block         uint64            `json:"block,omitempty"`
	Confirmations *ConfirmationsOut `json:"confirmations,omitempty"`
	Transfers     []TxUse           `json:"transfers" doc:"What is booked of it"`
	Claims        []TxClaim         `json:"claims"`
}

// TxUse is one booked transfer of a transaction.
type TxUse struct {
	PaymentID domain.PaymentID `json:"paymentId,omitempty"`
	Log       uint             `json:"log"`
	Confirmed bool             `json:"confirmed"`
	Unmatched bool             `json:"unmatched,omitempty" doc:"Booked as nobody's: late, or in another token"`
}

// TxClaim is a buyer's claim and how looking at it went.
type TxClaim struct {
	PaymentID domain.PaymentID `json:"paymentId"`
	State     string           `json:"state" enum:"pending,matched,mismatch,reverted,lost"`
	Reason    string           `json:"reason,omitempty" doc:"A code: TX_NOT_FOUND, TX_MISMATCH, TX_REVERTED, NOT_CONFIRMED"`
}

// PayIns tells how the parts do that payments come in through.
type PayIns interface {
	// State never fails: what cannot be read is said to be so.
	State(ctx context.Context) PayInState
}

// PayInState is how the ways in do.
type PayInState struct {
	Chains        []ChainHealth  `json:"chains"`
	Provider      ProviderHealth `json:"provider"`
	Projections   []ViewLag      `json:"projections,omitempty"`
	Insolvent     []string       `json:"insolvent,omitempty" doc:"Assets with less in custody than is owed"`
	LastWebhookAt *time.Time     `json:"lastWebhookAt,omitempty"`
}

// ChainHealth is how a chain and the way to it do.
type ChainHealth struct {
	ChainID uint64 `json:"chainId"`
	Status  string `json:"status" enum:"ok,degraded,down"`
	Reason  string `json:"reason,omitempty"`
	Head    uint64 `json:"head,omitempty"`
	// Scanned is up to where we have looked, Behind how many blocks are left.
	Scanned       uint64       `json:"scanned,omitempty"`
	Behind        uint64       `json:"behind"`
	LagSeconds    float64      `json:"lagSeconds" doc:"Since the last look that went well"`
	Safe          uint64       `json:"safe,omitempty"`
	Finalized     uint64       `json:"finalized,omitempty"`
	Confirming    int          `json:"confirming" doc:"Transfers that wait for confirmations"`
	Contradicted  uint64       `json:"contradictions" doc:"How often the nodes disagreed"`
	Endpoints     []NodeHealth `json:"endpoints,omitempty"`
	FinalityBroke uint64       `json:"finalityBrokenAt,omitempty" doc:"The chain took back blocks from here that it had called finalized"`
}

// NodeHealth is how one endpoint does: its host, and a class of error, nothing that it said.
type NodeHealth struct {
	Node      string     `json:"node"`
	State     string     `json:"state" enum:"ok,failing,stuck,untried"`
	Failures  int        `json:"failures"`
	LastError string     `json:"lastError,omitempty"`
	ErrorAt   *time.Time `json:"errorAt,omitempty"`
	LastGood  *time.Time `json:"lastGood,omitempty"`
	Head      uint64     `json:"head,omitempty"`
}

// ProviderHealth is how the payment provider does.
type ProviderHealth struct {
	Configured bool   `json:"configured"`
	Status     string `json:"status" enum:"ok,degraded,off"`
}

// ViewLag is how far a read model is behind the log.
type ViewLag struct {
	Name       string  `json:"name"`
	State      string  `json:"state"`
	Lag        int64   `json:"lag"`
	LagSeconds float64 `json:"lagSeconds"`
}
