package payout

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Category is the stream type of payouts.
const Category = "payout"

// The phases of a payout.
const (
	PhaseRequested        = "Requested"
	PhaseApproved         = "Approved"
	PhaseInstructionBuilt = "InstructionBuilt"
	PhaseSigned           = "Signed"
	PhaseBroadcast        = "Broadcast"
	PhaseConfirmed        = "Confirmed"
	PhaseFailed           = "Failed"
	PhaseRejected         = "Rejected"
	PhaseCancelled        = "Cancelled"
)

// State is what the rules need to know of a payout.
type State struct {
	Phase    string          `json:"phase"`
	Payout   domain.PayoutID `json:"payout"`
	Seller   domain.UserID   `json:"seller"`
	Amount   money.Amount    `json:"amount"`
	Wallet   string          `json:"wallet"`
	Holds    []domain.HoldID `json:"holds"`
	Revision int             `json:"revision"`

	// RequestedBy is whoever named the present amount and destination.
	RequestedBy  domain.Actor    `json:"requested_by"`
	Needed       int             `json:"needed"`
	Approvers    []domain.UserID `json:"approvers"` // of the present revision
	CoolingOff   time.Duration   `json:"cooling_off"`
	CoolingUntil time.Time       `json:"cooling_until"`

	Instruction *outgoing.Transfer `json:"instruction"`
	Txs         []string           `json:"txs"` // signed hashes, oldest first
	Custody     outgoing.Custody   `json:"custody"`
	Pending     string             `json:"pending"` // the ledger's open entry
}

// Final reports whether nothing more will happen, reorgs aside.
func (s State) Final() bool {
	switch s.Phase {
	case PhaseConfirmed, PhaseFailed, PhaseRejected, PhaseCancelled:
		return true
	}
	return false
}

// Decider is the payout as the executor runs it.
var Decider = domain.Decider[State, Event]{
	Category: Category,
	Decide:   Table().Decide,
	Evolve:   Evolve,
}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Requested:
		s = State{
			Phase: PhaseRequested, Payout: e.Payout, Seller: e.Seller, Amount: e.Amount, Wallet: e.Wallet,
			Holds: e.Holds, Revision: e.Revision, RequestedBy: e.By, Needed: e.Approvals, CoolingOff: e.CoolingOff,
		}
	case ApprovalRecorded:
		s.Approvers = append(slices.Clone(s.Approvers), e.By)
	case Approved:
		s.Phase = PhaseApproved
	case DestinationChanged:
		s.Phase, s.Wallet, s.Revision, s.RequestedBy = PhaseRequested, e.Wallet, e.Revision, e.By
		s.Approvers, s.Instruction, s.CoolingUntil = nil, nil, e.CoolingUntil
	case InstructionBuilt:
		s.Phase, s.Instruction = PhaseInstructionBuilt, &e.Instruction
	case Signed:
		s.Phase, s.Txs = PhaseSigned, []string{e.TxHash}
	case Broadcast:
		s.Phase, s.Custody = PhaseBroadcast, e.Custody
		s.Pending = outgoing.PendingKey(Category, e.Payout, e.TxHash)
	case Replaced:
		s.Txs = append(slices.Clone(s.Txs), e.New)
	case Confirmed:
		s.Phase, s.Pending = PhaseConfirmed, ""
	case Surfaced:
		s.Phase, s.Pending = PhaseConfirmed, ""
	case Reorged:
		s.Phase = PhaseBroadcast
	case Failed:
		s.Phase, s.Pending = PhaseFailed, ""
	case Rejected:
		s.Phase = PhaseRejected
	case Cancelled:
		s.Phase = PhaseCancelled
	}
	return s
}
