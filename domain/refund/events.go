package refund

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Event is something that happened to a refund.
type Event interface {
	domain.Event
	refund()
}

// Requested: somebody asks for money to go back. Nothing has moved yet.
type Requested struct {
	Refund  domain.RefundID  `json:"refund"`
	Hold    domain.HoldID    `json:"hold,omitempty"`
	Request domain.RequestID `json:"request,omitempty"`
	Buyer   domain.UserID    `json:"buyer,omitempty"`
	Seller  domain.UserID    `json:"seller,omitempty"`
	// Deposit names the unmatched deposit of a refund from suspense.
	Deposit string `json:"deposit,omitempty"`
	// Dispute names the dispute whose outcome this refund carries out.
	Dispute domain.DisputeID `json:"dispute,omitempty"`
	Source  Source           `json:"source"`
	Mode    Mode             `json:"mode"`
	Amount  money.Amount     `json:"amount"` // zero units in mode full: all there is at approval
	Reason  domain.Personal  `json:"reason"`
	By      domain.Actor     `json:"by"`
}

// Approved fixes the amount; the money moves to clearing.
type Approved struct {
	Refund     domain.RefundID `json:"refund"`
	Hold       domain.HoldID   `json:"hold,omitempty"`
	Buyer      domain.UserID   `json:"buyer,omitempty"`
	Source     Source          `json:"source"`
	Amount     money.Amount    `json:"amount"`      // what leaves the source
	Net        money.Amount    `json:"net"`         // what the buyer will get
	NetworkFee money.Amount    `json:"network_fee"` // disclosed and kept back
	// Fiat is the evidence of a fiat_equivalent refund.
	Fiat *Fiat        `json:"fiat,omitempty"`
	By   domain.Actor `json:"by"`
	// AddressBy is when the buyer must have confirmed an address; after it the money
	// becomes the buyer's credit.
	AddressBy time.Time `json:"address_by"`
}

// SellerClawbackRecorded: the refund is paid out of what was already released: the fee's
// share, what the seller has, and what he owes from now on.
type SellerClawbackRecorded struct {
	Refund         domain.RefundID `json:"refund"`
	Hold           domain.HoldID   `json:"hold"`
	Seller         domain.UserID   `json:"seller"`
	Amount         money.Amount    `json:"amount"`
	FeePart        money.Amount    `json:"fee_part"`
	AvailablePart  money.Amount    `json:"available_part"`
	ReceivablePart money.Amount    `json:"receivable_part"`
}

// Rejected: there will be no refund.
type Rejected struct {
	Refund domain.RefundID `json:"refund"`
	By     domain.Actor    `json:"by"`
	Reason domain.Personal `json:"reason"`
}

// AddressConfirmed: where the money goes. Digest is the SHA-256 of the lower-case address,
// so that a transaction can be checked against it without keeping the address in states.
type AddressConfirmed struct {
	Refund  domain.RefundID `json:"refund"`
	Address domain.Personal `json:"address"`
	Digest  string          `json:"digest"`
	Origin  AddressOrigin   `json:"origin"`
	// RestUntil is until when nothing is sent there.
	RestUntil time.Time `json:"rest_until,omitzero"`
}

// Broadcast: the signed transaction is recorded, before it is sent.
type Broadcast struct {
	Refund  domain.RefundID  `json:"refund"`
	Net     money.Amount     `json:"net"`
	Custody outgoing.Custody `json:"custody"`
	Tx      SentTx           `json:"tx"`
}

// Replaced: the same transfer with the same nonce and a higher fee.
type Replaced struct {
	Refund domain.RefundID `json:"refund"`
	Old    string          `json:"old"`
	New    string          `json:"new"`
}

// Confirmed: the chain has it, final by our threshold.
type Confirmed struct {
	Refund   domain.RefundID  `json:"refund"`
	Hold     domain.HoldID    `json:"hold,omitempty"`
	Net      money.Amount     `json:"net"`
	Custody  outgoing.Custody `json:"custody"`
	Evidence outgoing.Mined   `json:"evidence"`
	// Pending is the ledger's open entry; empty after a reorg.
	Pending string `json:"pending,omitempty"`
}

// Failed is final: the net amount becomes the buyer's credit and may be refunded anew.
type Failed struct {
	Refund  domain.RefundID `json:"refund"`
	Hold    domain.HoldID   `json:"hold,omitempty"`
	Buyer   domain.UserID   `json:"buyer,omitempty"`
	Source  Source          `json:"source"`
	Net     money.Amount    `json:"net"`
	Code    string          `json:"code"`
	Pending string          `json:"pending,omitempty"`
	// FeeBack is the disclosed network fee, given back where nothing was ever sent.
	FeeBack money.Amount `json:"fee_back,omitzero"`
	// Tx is the transaction whose nonce was not used up and is free again; nil otherwise.
	Tx *SentTx `json:"tx,omitempty"`
}

// Cancelled before anything was sent: the money is back where it came from.
type Cancelled struct {
	Refund     domain.RefundID `json:"refund"`
	Hold       domain.HoldID   `json:"hold,omitempty"`
	Buyer      domain.UserID   `json:"buyer,omitempty"`
	Seller     domain.UserID   `json:"seller,omitempty"`
	Source     Source          `json:"source"`
	Amount     money.Amount    `json:"amount"`
	Net        money.Amount    `json:"net"`
	NetworkFee money.Amount    `json:"network_fee"`
	// Moved is false when the refund had not been approved: nothing goes back then.
	Moved bool `json:"moved"`
	// FeePart, ReceivablePart and ReservePart of a clawback go back to the fee, the seller's debt
	// and his reserve, the rest to what the seller has.
	FeePart        money.Amount `json:"fee_part"`
	ReceivablePart money.Amount `json:"receivable_part"`
	ReservePart    money.Amount `json:"reserve_part,omitzero"`
	By             domain.Actor `json:"by"`
}

// Reorged: the confirming block is gone; the refund waits for the chain again.
type Reorged struct {
	Refund   domain.RefundID  `json:"refund"`
	Hold     domain.HoldID    `json:"hold,omitempty"`
	Net      money.Amount     `json:"net"`
	Custody  outgoing.Custody `json:"custody"`
	Evidence outgoing.Mined   `json:"evidence"`
}

// SentTx is a transaction as the log keeps it: without the recipient, which is personal.
type SentTx struct {
	Hash  string `json:"hash"`
	Chain uint64 `json:"chain"`
	From  string `json:"from"`
	Nonce uint64 `json:"nonce"`
}

// Surfaced: it had failed, its money was given back, and a reorganisation deeper than we wait for
// let the chain carry it out after all.
type Surfaced struct {
	Refund domain.RefundID `json:"refund"`
	Hold   domain.HoldID   `json:"hold,omitempty"`
	Buyer  domain.UserID   `json:"buyer,omitempty"`
	Net    money.Amount    `json:"net"`
	// Owed is what the buyer does not have any more of his credit; the rest is taken back.
	Owed     money.Amount     `json:"owed"`
	Custody  outgoing.Custody `json:"custody"`
	Evidence outgoing.Mined   `json:"evidence"`
}

func (Requested) EventType() string              { return "refund.requested" }
func (Approved) EventType() string               { return "refund.approved" }
func (SellerClawbackRecorded) EventType() string { return "refund.seller_clawback_recorded" }
func (Rejected) EventType() string               { return "refund.rejected" }
func (AddressConfirmed) EventType() string       { return "refund.address_confirmed" }
func (Broadcast) EventType() string              { return "refund.broadcast" }
func (Replaced) EventType() string               { return "refund.replaced" }
func (Confirmed) EventType() string              { return "refund.confirmed" }
func (Failed) EventType() string                 { return "refund.failed" }
func (Cancelled) EventType() string              { return "refund.cancelled" }
func (Reorged) EventType() string                { return "refund.reorged" }
func (Surfaced) EventType() string               { return "refund.surfaced" }

func (Requested) refund()              {}
func (Approved) refund()               {}
func (SellerClawbackRecorded) refund() {}
func (Rejected) refund()               {}
func (AddressConfirmed) refund()       {}
func (Broadcast) refund()              {}
func (Replaced) refund()               {}
func (Confirmed) refund()              {}
func (Failed) refund()                 {}
func (Cancelled) refund()              {}
func (Reorged) refund()                {}
func (Surfaced) refund()               {}
