package payout

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Table is the payout's state machine.
func Table() machine.Table[State, Event] {
	const none = ""
	admins := []domain.Capacity{domain.Admin}
	send := []domain.Capacity{domain.Admin, domain.Process}
	facts := []domain.Capacity{domain.Chain, domain.Process, domain.Admin}
	type line = machine.Line
	return machine.Table[State, Event]{
		Name: "Payout",
		Phases: []string{
			none, PhaseRequested, PhaseApproved, PhaseInstructionBuilt, PhaseSigned, PhaseBroadcast,
			PhaseConfirmed, PhaseFailed, PhaseRejected, PhaseCancelled,
		},
		Phase: func(s State) string { return s.Phase },
		As:    as,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{none}, By: []domain.Capacity{domain.Seller, domain.Process}, To: []string{PhaseRequested, PhaseApproved},
				Guard:  "own money → FORBIDDEN; wallet rested → WALLET_COOLING_OFF; no debt in the way → RECEIVABLE_OUTSTANDING; enough available → INSUFFICIENT_AVAILABLE",
				Events: []string{"payout.requested", "payout.approved"},
			}, request),
			machine.On(line{
				From: []string{PhaseRequested}, By: admins, To: []string{PhaseRequested, PhaseApproved},
				Guard:  "present revision → REVISION_STALE; not the requester → SELF_APPROVAL; destination rested → WALLET_COOLING_OFF",
				Events: []string{"payout.approval_recorded", "payout.approved"},
			}, approve),
			machine.On(line{
				From: []string{PhaseRequested}, By: admins, To: []string{PhaseRejected},
				Events: []string{"payout.rejected"},
			}, reject),
			machine.On(line{
				From: []string{PhaseRequested, PhaseApproved, PhaseInstructionBuilt}, By: []domain.Capacity{domain.Seller, domain.Admin}, To: []string{PhaseRequested},
				Guard:  "another wallet; approvals begin anew",
				Events: []string{"payout.destination_changed"},
			}, changeDestination),
			machine.On(line{
				From: []string{PhaseApproved, PhaseInstructionBuilt}, By: send, To: []string{PhaseInstructionBuilt},
				Guard:  "wallet and amount of the payout → INSTRUCTION_MISMATCH; rested → DESTINATION_COOLDOWN; nonce free → NONCE_IN_USE; a second one only when the first one's nonce is gone → PAYOUT_IN_PROGRESS",
				Events: []string{"payout.instruction_built"},
			}, buildInstruction),
			machine.On(line{
				From: []string{PhaseInstructionBuilt, PhaseSigned}, By: send, To: []string{PhaseSigned},
				Guard:  "decodes to exactly the instruction → INSTRUCTION_MISMATCH",
				Events: []string{"payout.signed"},
			}, recordSignature),
			machine.On(line{
				From: []string{PhaseSigned}, By: send, To: []string{PhaseBroadcast},
				Events: []string{"payout.broadcast"},
			}, broadcast),
			machine.On(line{
				From: []string{PhaseBroadcast}, By: facts, To: []string{PhaseBroadcast},
				Guard:  "same nonce → REPLACEMENT_INVALID; same transfer → INSTRUCTION_MISMATCH",
				Events: []string{"payout.replaced"},
			}, replace),
			machine.On(line{
				From: []string{PhaseBroadcast, PhaseConfirmed}, By: facts, To: []string{PhaseConfirmed},
				Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing",
				Events: []string{"payout.confirmed"},
			}, confirm),
			machine.On(line{
				From: []string{PhaseBroadcast, PhaseFailed}, By: facts, To: []string{PhaseFailed},
				Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing",
				Events: []string{"payout.failed"},
			}, fail),
			machine.On(line{
				From: []string{PhaseFailed, PhaseConfirmed}, By: facts, To: []string{PhaseConfirmed},
				Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing; what was given back and is gone is owed",
				Events: []string{"payout.surfaced"},
			}, surface),
			machine.On(line{
				From: []string{PhaseConfirmed, PhaseBroadcast}, By: facts, To: []string{PhaseBroadcast},
				Guard:  "a recorded transaction → TX_NOT_OURS; a repeat changes nothing",
				Events: []string{"payout.reorged"},
			}, reorg),
			machine.On(line{
				From: []string{PhaseRequested, PhaseApproved, PhaseInstructionBuilt}, By: []domain.Capacity{domain.Seller, domain.Admin, domain.Process}, To: []string{PhaseCancelled},
				Events: []string{"payout.cancelled"},
			}, cancel),
		},
		Refuse: refuse,
	}
}

// as makes the payout's seller its seller. Before there is one, anybody may be; the command
// is checked against the seller that it names.
func as(s State, a domain.Actor) []domain.Capacity {
	if a.User() != "" && (s.Phase == "" || a.Is(s.Seller)) {
		return []domain.Capacity{domain.Seller}
	}
	return nil
}
