package payout

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Request asks for a payout. By: the seller, or the process that pays automatically.
type Request struct {
	domain.Issue
	Payout domain.PayoutID
	Seller domain.UserID
	Amount money.Amount
	Wallet string
	// WalletCoolingUntil is until when the wallet itself must rest (it was added or changed
	// a short while ago); zero when it may be used.
	WalletCoolingUntil time.Time
	Approvals          int
	CoolingOff         time.Duration
	Holds              []domain.HoldID
}

// Approve quotes the revision that the approver saw.
type Approve struct {
	domain.Issue
	Revision int
}

// Reject refuses the payout; the money goes back to the seller.
type Reject struct {
	domain.Issue
	Reason string
}

// ChangeDestination sends the money to another wallet of the seller.
type ChangeDestination struct {
	domain.Issue
	Wallet string
}

// BuildInstruction fixes what is to be signed.
type BuildInstruction struct {
	domain.Issue
	Instruction outgoing.Transfer
	// NonceGone: the chain has, for good, another transaction with the nonce of the
	// instruction before this one, so that that one can never be carried out. Without it an
	// instruction that was given out is not changed: somebody may have signed it.
	NonceGone bool
}

// RecordSignature brings the signed transaction, decoded.
type RecordSignature struct {
	domain.Issue
	Tx outgoing.Tx
}

// BroadcastTx is recorded before the transaction is sent.
type BroadcastTx struct {
	domain.Issue
	Custody outgoing.Custody
}

// Replace records a replacement with the same nonce.
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
// what the seller has at this moment of what was given back.
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

// Cancel takes the payout back before it is signed.
type Cancel struct{ domain.Issue }

// Reorg records that the confirming block is gone.
type Reorg struct {
	domain.Issue
	Evidence outgoing.Mined
}
