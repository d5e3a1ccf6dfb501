package refund

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Source is where a refund's money comes from.
type Source string

// The sources.
const (
	FromHeld        Source = "held"
	FromReleasable  Source = "releasable"
	FromBuyerCredit Source = "buyer_credit"
	FromSuspense    Source = "suspense"
	FromClawback    Source = "clawback"
	FromDispute     Source = "dispute" // moved to clearing by dispute.resolved
)

// Mode is how the amount was found.
type Mode string

// The modes.
const (
	Full           Mode = "full"
	Partial        Mode = "partial"
	OverpaidAmount Mode = "overpaid_amount"
	FiatEquivalent Mode = "fiat_equivalent"
)

// AddressOrigin says why we believe in a refund address.
type AddressOrigin string

// The origins. A sender that is an exchange or a contract is never paid by default: the
// buyer must confirm an address first.
const (
	BuyerConfirmed  AddressOrigin = "buyer_confirmed"
	VerifiedWallet  AddressOrigin = "verified_wallet"
	SenderOwn       AddressOrigin = "sender"           // the paying address, an ordinary account
	SenderCustodial AddressOrigin = "sender_custodial" // an exchange or a contract: not accepted
)

// Address is a refund address with what an adapter found out about it.
type Address struct {
	Text   string        `json:"text"`
	Origin AddressOrigin `json:"origin"`
	// Screening is "clean", "flagged" or empty (not screened). Only clean is accepted.
	Screening string `json:"screening"`
	// RestUntil is until when the address itself must rest (it was typed in, or its wallet was
	// changed, a short while ago); zero when it may be paid.
	RestUntil time.Time `json:"-"`
}

// Fiat is the evidence of a refund that gives back a value in fiat: Minor units (cents) at
// the rate Num/Den base units a minor unit.
type Fiat struct {
	Currency string      `json:"currency"`
	Minor    uint64      `json:"minor"`
	Num      money.Units `json:"num"`
	Den      money.Units `json:"den"`
	Source   string      `json:"source"`
}

// Request asks for a refund. By: the hold's buyer or seller, an admin, a process.
type Request struct {
	domain.Issue
	Refund  domain.RefundID
	Hold    domain.HoldID
	Request domain.RequestID
	Buyer   domain.UserID
	Seller  domain.UserID
	Deposit string
	Dispute domain.DisputeID
	Source  Source
	Mode    Mode
	Amount  money.Amount
	Reason  domain.Personal
}

// Approve fixes the amount and moves it to clearing.
type Approve struct {
	domain.Issue
	Amount        money.Amount // gross, out of the source
	NetworkFee    money.Amount // disclosed to the buyer
	NetworkFeeCap money.Amount // the policy's cap
	Fiat          *Fiat
	Address       *Address // what is known of the buyer; nil or custodial: AddressPending
	// AddressWindow is how long the buyer may take to confirm an address.
	AddressWindow time.Duration
	Clawback      *Clawback // parts of a clawback, computed by the flow
}

// Clawback is how a refund after release is funded; the parts sum to the amount.
type Clawback struct {
	FeePart        money.Amount
	AvailablePart  money.Amount
	ReceivablePart money.Amount
}

// Reject refuses the refund.
type Reject struct {
	domain.Issue
	Reason domain.Personal
}

// ConfirmAddress names the address the money goes to.
type ConfirmAddress struct {
	domain.Issue
	Address Address
	// CoolingOff is how long an address rests that takes another one's place.
	CoolingOff time.Duration
}

// TakeCredit leaves the money with us: it becomes the buyer's credit at once.
type TakeCredit struct{ domain.Issue }

// BroadcastTx records the signed transaction before it is sent.
type BroadcastTx struct {
	domain.Issue
	Tx        outgoing.Tx
	Custody   outgoing.Custody
	Screening string // of the recipient, just before sending
	// Sent: it was sent elsewhere already, so that neither rest nor screening can stop it.
	Sent bool
}

// Replace records a replacement of the sent transaction.
type Replace struct {
	domain.Issue
	Tx outgoing.Tx
}

// Confirm records that the chain has a transaction of ours.
type Confirm struct {
	domain.Issue
	Evidence outgoing.Mined
}

// Surface records that the chain has a transaction of ours after we had given it up. Available is
// what the buyer has at this moment of what was given back.
type Surface struct {
	domain.Issue
	Evidence  outgoing.Mined
	Available money.Units
}

// Fail records that the transaction will never arrive. NonceUsed tells whether the chain
// has it (reverted) or it was dropped.
type Fail struct {
	domain.Issue
	Tx        string
	Code      string
	NonceUsed bool
}

// LapseAddress ends the wait for an address: the money becomes the buyer's credit.
type LapseAddress struct{ domain.Issue }

// Reorg records that the confirming block is gone.
type Reorg struct {
	domain.Issue
	Evidence outgoing.Mined
}

// Cancel takes it back before anything was sent. Of a clawback, ToReceivable reverses the seller's debt
// and ToReserve is what his reserve gets back.
type Cancel struct {
	domain.Issue
	ToReceivable money.Amount
	ToReserve    money.Amount
}
