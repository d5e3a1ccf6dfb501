package refund

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Table is the refund's state machine.
func Table() machine.Table[State, Event] {
	const none = ""
	people := []domain.Capacity{domain.Buyer, domain.Seller, domain.Admin, domain.Process}
	decide := []domain.Capacity{domain.Seller, domain.Admin, domain.Process}
	send := []domain.Capacity{domain.Admin, domain.Process}
	facts := []domain.Capacity{domain.Chain, domain.Process, domain.Admin}
	type line = machine.Line
	on := []machine.Row[State, Event]{
		machine.On(line{
			From: []string{none}, By: people, To: []string{PhaseRequested},
			Guard:  "own order; source and mode fit → VALIDATION_FAILED, FORBIDDEN",
			Events: []string{"refund.requested"},
		}, request),
		machine.On(line{
			From: []string{PhaseRequested}, By: decide, To: []string{PhaseAddressPending, PhaseApproved},
			Guard:  "amount ≤ asked and ≤ source → REFUND_EXCEEDS_AVAILABLE, ALREADY_REFUNDED; fee ≤ cap → NETWORK_FEE_EXCEEDS_CAP; not the buyer → SELF_APPROVAL; address screened → ADDRESS_SCREENED",
			Events: []string{"refund.seller_clawback_recorded", "refund.approved", "refund.address_confirmed"},
		}, approve),
		machine.On(line{
			From: []string{PhaseRequested}, By: decide, To: []string{PhaseRejected},
			Events: []string{"refund.rejected"},
		}, reject),
		machine.On(line{
			From: []string{PhaseRequested, PhaseAddressPending, PhaseApproved}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process}, To: []string{PhaseRequested, PhaseApproved},
			Guard:  "screened clean → ADDRESS_SCREENED; not an exchange's by default → REFUND_ADDRESS_REQUIRED; another address must rest",
			Events: []string{"refund.address_confirmed"},
		}, confirmAddress),
		machine.On(line{
			From: []string{PhaseAddressPending}, By: []domain.Capacity{domain.Timer}, To: []string{PhaseFailed},
			Guard:  "after address_by",
			Events: []string{"refund.failed"},
		}, lapseAddress),
		machine.On(line{
			From: []string{PhaseAddressPending, PhaseApproved}, By: []domain.Capacity{domain.Buyer}, To: []string{PhaseFailed},
			Guard:  "nothing sent → REFUND_IN_PROGRESS; the money becomes the buyer's credit, the network fee is his again",
			Events: []string{"refund.failed"},
		}, takeCredit),
		machine.On(line{
			From: []string{PhaseApproved}, By: send, To: []string{PhaseBroadcast},
			Guard:  "recipient = confirmed address, amount = net → INSTRUCTION_MISMATCH; screened → ADDRESS_SCREENED; rested → DESTINATION_COOLDOWN; nonce free → NONCE_IN_USE",
			Events: []string{"refund.broadcast"},
		}, broadcast),
		machine.On(line{
			From: []string{PhaseBroadcast}, By: facts, To: []string{PhaseBroadcast},
			Guard:  "same nonce → REPLACEMENT_INVALID",
			Events: []string{"refund.replaced"},
		}, replace),
		machine.On(line{
			From: []string{PhaseBroadcast, PhaseConfirmed}, By: facts, To: []string{PhaseConfirmed},
			Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing",
			Events: []string{"refund.confirmed"},
		}, confirm),
		machine.On(line{
			From: []string{PhaseBroadcast, PhaseFailed}, By: facts, To: []string{PhaseFailed},
			Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing",
			Events: []string{"refund.failed"},
		}, fail),
		machine.On(line{
			From: []string{PhaseFailed, PhaseConfirmed}, By: facts, To: []string{PhaseConfirmed},
			Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing; what was given back and is gone is owed",
			Events: []string{"refund.surfaced"},
		}, surface),
		machine.On(line{
			From: []string{PhaseConfirmed, PhaseBroadcast}, By: facts, To: []string{PhaseBroadcast},
			Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing",
			Events: []string{"refund.reorged"},
		}, reorg),
		machine.On(line{
			From: []string{PhaseRequested, PhaseAddressPending, PhaseApproved}, By: []domain.Capacity{domain.Buyer, domain.Admin, domain.Process}, To: []string{PhaseCancelled},
			Guard:  "nothing sent; an approved refund only by an admin or a process → FORBIDDEN",
			Events: []string{"refund.cancelled"},
		}, cancel),
	}
	return machine.Table[State, Event]{
		Name: "Refund",
		Phases: []string{
			none, PhaseRequested, PhaseAddressPending, PhaseApproved, PhaseBroadcast,
			PhaseConfirmed, PhaseFailed, PhaseRejected, PhaseCancelled,
		},
		Phase:  func(s State) string { return s.Phase },
		As:     as,
		Rows:   on,
		Refuse: refuse,
	}
}

// as adds the parts people have in this refund. Before there is one, anybody may be a
// party; the command is checked against the parties that it names.
func as(s State, a domain.Actor) []domain.Capacity {
	if a.User() == "" {
		return nil
	}
	if s.Phase == "" {
		return []domain.Capacity{domain.Buyer, domain.Seller}
	}
	var cs []domain.Capacity
	if a.Is(s.Buyer) {
		cs = append(cs, domain.Buyer)
	}
	if a.Is(s.Seller) {
		cs = append(cs, domain.Seller)
	}
	return cs
}
