package payout

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Event is something that happened to a payout.
type Event interface {
	domain.Event
	payout()
}

// Requested: the seller's money moves to clearing; revision 1.
type Requested struct {
	Payout   domain.PayoutID `json:"payout"`
	Seller   domain.UserID   `json:"seller"`
	Amount   money.Amount    `json:"amount"`
	Wallet   string          `json:"wallet"`
	Revision int             `json:"revision"`
	// Approvals is how many different people must approve; 0 = none.
	Approvals int `json:"approvals"`
	// CoolingOff is how long a changed destination must rest.
	CoolingOff time.Duration   `json:"cooling_off"`
	Holds      []domain.HoldID `json:"holds,omitempty"` // orders whose proceeds these are
	By         domain.Actor    `json:"by"`
}

// ApprovalRecorded: one person agreed to this amount and destination.
type ApprovalRecorded struct {
	Payout   domain.PayoutID `json:"payout"`
	By       domain.UserID   `json:"by"`
	Revision int             `json:"revision"`
}

// Approved: enough people agreed.
type Approved struct {
	Payout   domain.PayoutID `json:"payout"`
	Revision int             `json:"revision"`
}

// Rejected: the money is the seller's again.
type Rejected struct {
	Payout domain.PayoutID `json:"payout"`
	Seller domain.UserID   `json:"seller"`
	Amount money.Amount    `json:"amount"`
	By     domain.UserID   `json:"by"`
	Reason string          `json:"reason"`
}

// DestinationChanged: another wallet, a new revision; approvals begin anew after a rest.
type DestinationChanged struct {
	Payout       domain.PayoutID `json:"payout"`
	Wallet       string          `json:"wallet"`
	Revision     int             `json:"revision"`
	CoolingUntil time.Time       `json:"cooling_until"`
	By           domain.Actor    `json:"by"`
	// Dropped is the instruction that no longer holds; its nonce is free.
	Dropped *outgoing.Transfer `json:"dropped,omitempty"`
}

// InstructionBuilt: what the custody signer must sign, to the letter.
type InstructionBuilt struct {
	Payout      domain.PayoutID   `json:"payout"`
	Instruction outgoing.Transfer `json:"instruction"`
	By          domain.Actor      `json:"by"`
}

// Signed: a signed transaction that decodes to exactly the instruction.
type Signed struct {
	Payout domain.PayoutID `json:"payout"`
	TxHash string          `json:"tx_hash"`
	Signer string          `json:"signer"`
}

// Broadcast is recorded before the transaction is sent.
type Broadcast struct {
	Payout  domain.PayoutID  `json:"payout"`
	Amount  money.Amount     `json:"amount"`
	Custody outgoing.Custody `json:"custody"`
	TxHash  string           `json:"tx_hash"`
}

// Replaced: same nonce and transfer, higher fee; the same payout.
type Replaced struct {
	Payout domain.PayoutID `json:"payout"`
	Old    string          `json:"old"`
	New    string          `json:"new"`
}

// Confirmed: the chain has it, final by our threshold.
type Confirmed struct {
	Payout   domain.PayoutID  `json:"payout"`
	Amount   money.Amount     `json:"amount"`
	Custody  outgoing.Custody `json:"custody"`
	Evidence outgoing.Mined   `json:"evidence"`
	// Pending is the ledger's open entry; empty after a reorg.
	Pending string          `json:"pending,omitempty"`
	Holds   []domain.HoldID `json:"holds,omitempty"`
}

// Failed is final; the money is the seller's again.
type Failed struct {
	Payout  domain.PayoutID `json:"payout"`
	Seller  domain.UserID   `json:"seller"`
	Amount  money.Amount    `json:"amount"`
	Code    string          `json:"code"`
	Pending string          `json:"pending,omitempty"`
	// Dropped is the transfer whose nonce was not used up and is free again; nil otherwise.
	Dropped *outgoing.Transfer `json:"dropped,omitempty"`
}

// Cancelled before signing; the money is the seller's again.
type Cancelled struct {
	Payout  domain.PayoutID    `json:"payout"`
	Seller  domain.UserID      `json:"seller"`
	Amount  money.Amount       `json:"amount"`
	By      domain.Actor       `json:"by"`
	Dropped *outgoing.Transfer `json:"dropped,omitempty"`
}

// Reorged: the confirming block is gone; the payout waits for the chain again.
type Reorged struct {
	Payout   domain.PayoutID  `json:"payout"`
	Amount   money.Amount     `json:"amount"`
	Custody  outgoing.Custody `json:"custody"`
	Evidence outgoing.Mined   `json:"evidence"`
}

// Surfaced: it had failed, its money was given back, and a reorganisation deeper than we wait for
// let the chain carry it out after all.
type Surfaced struct {
	Payout domain.PayoutID `json:"payout"`
	Seller domain.UserID   `json:"seller"`
	Amount money.Amount    `json:"amount"`
	// Owed is what the seller does not have any more; the rest is taken back from him.
	Owed     money.Amount     `json:"owed"`
	Custody  outgoing.Custody `json:"custody"`
	Evidence outgoing.Mined   `json:"evidence"`
}

func (Requested) EventType() string          { return "payout.requested" }
func (ApprovalRecorded) EventType() string   { return "payout.approval_recorded" }
func (Approved) EventType() string           { return "payout.approved" }
func (Rejected) EventType() string           { return "payout.rejected" }
func (DestinationChanged) EventType() string { return "payout.destination_changed" }
func (InstructionBuilt) EventType() string   { return "payout.instruction_built" }
func (Signed) EventType() string             { return "payout.signed" }
func (Broadcast) EventType() string          { return "payout.broadcast" }
func (Replaced) EventType() string           { return "payout.replaced" }
func (Confirmed) EventType() string          { return "payout.confirmed" }
func (Failed) EventType() string             { return "payout.failed" }
func (Cancelled) EventType() string          { return "payout.cancelled" }
func (Reorged) EventType() string            { return "payout.reorged" }
func (Surfaced) EventType() string           { return "payout.surfaced" }

func (Requested) payout()          {}
func (ApprovalRecorded) payout()   {}
func (Approved) payout()           {}
func (Rejected) payout()           {}
func (DestinationChanged) payout() {}
func (InstructionBuilt) payout()   {}
func (Signed) payout()             {}
func (Broadcast) payout()          {}
func (Replaced) payout()           {}
func (Confirmed) payout()          {}
func (Failed) payout()             {}
func (Cancelled) payout()          {}
func (Reorged) payout()            {}
func (Surfaced) payout()           {}
