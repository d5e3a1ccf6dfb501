package refund

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Category is the stream type of refunds.
const Category = "refund"

// The phases of a refund.
const (
	PhaseRequested      = "Requested"
	PhaseAddressPending = "AddressPending"
	PhaseApproved       = "Approved"
	PhaseBroadcast      = "Broadcast"
	PhaseConfirmed      = "Confirmed"
	PhaseFailed         = "Failed"
	PhaseRejected       = "Rejected"
	PhaseCancelled      = "Cancelled"
)

// State is what the rules need to know of a refund.
type State struct {
	Phase   string           `json:"phase"`
	Refund  domain.RefundID  `json:"refund"`
	Hold    domain.HoldID    `json:"hold"`
	Request domain.RequestID `json:"request"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Deposit string           `json:"deposit"`
	Dispute domain.DisputeID `json:"dispute"`
	Source  Source           `json:"source"`
	Mode    Mode             `json:"mode"`
	Asked   money.Amount     `json:"asked"` // zero in mode full: all there is

	Amount     money.Amount `json:"amount"`
	Net        money.Amount `json:"net"`
	NetworkFee money.Amount `json:"network_fee"`
	Clawback   Clawback     `json:"clawback"`
	AddressBy  time.Time    `json:"address_by"`
	Digest     string       `json:"digest"` // of the confirmed address
	RestUntil  time.Time    `json:"rest_until"`

	Txs     []string         `json:"txs"` // every hash that was sent, oldest first
	Tx      SentTx           `json:"tx"`  // the first of them
	Custody outgoing.Custody `json:"custody"`
	Pending string           `json:"pending"` // the ledger's open entry
}

// Final reports whether nothing more will happen, reorgs aside.
func (s State) Final() bool {
	switch s.Phase {
	case PhaseConfirmed, PhaseFailed, PhaseRejected, PhaseCancelled:
		return true
	}
	return false
}

// Decider is the refund as the executor runs it.
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
			Phase: PhaseRequested, Refund: e.Refund, Hold: e.Hold, Request: e.Request,
			Buyer: e.Buyer, Seller: e.Seller, Deposit: e.Deposit, Dispute: e.Dispute,
			Source: e.Source, Mode: e.Mode, Asked: e.Amount,
		}
	case SellerClawbackRecorded:
		s.Clawback = Clawback{FeePart: e.FeePart, AvailablePart: e.AvailablePart, ReceivablePart: e.ReceivablePart}
	case Approved:
		s.Phase, s.AddressBy = PhaseAddressPending, e.AddressBy
		if s.Digest != "" {
			s.Phase = PhaseApproved // the buyer named an address when he asked
		}
		s.Amount, s.Net, s.NetworkFee = e.Amount, e.Net, e.NetworkFee
	case AddressConfirmed:
		s.Digest, s.RestUntil = e.Digest, e.RestUntil
		if s.Phase != PhaseRequested {
			s.Phase = PhaseApproved
		}
	case Broadcast:
		s.Phase, s.Tx, s.Custody = PhaseBroadcast, e.Tx, e.Custody
		s.Txs = []string{e.Tx.Hash}
		s.Pending = outgoing.PendingKey(Category, e.Refund, e.Tx.Hash)
	case Replaced:
		s.Txs = append(append([]string(nil), s.Txs...), e.New)
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
