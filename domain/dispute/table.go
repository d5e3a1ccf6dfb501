package dispute

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Table is the dispute's state machine.
func Table() machine.Table[State, Event] {
	const none = ""
	type line = machine.Line
	who := func(c ...domain.Capacity) []domain.Capacity { return c }
	at := func(phases ...string) []string { return phases }
	parties := who(domain.Buyer, domain.Seller)
	staff := who(domain.Resolver, domain.Admin)
	undecided := at(PhaseAwaitingResponse, PhaseEvidence, PhaseSettlementProposed, PhaseUnderReview)
	phases := at(none, PhaseAwaitingResponse, PhaseEvidence, PhaseSettlementProposed, PhaseUnderReview, PhaseDecided,
		PhaseAwaitingReturn, PhaseExecuting, PhaseResolved, PhaseWithdrawn, PhaseRejected, PhaseClosed)
	return machine.Table[State, Event]{
		Name:   "Dispute",
		Phases: phases,
		Phase:  func(s State) string { return s.Phase },
		As:     as,
		Refuse: refuse,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: at(none), By: parties, To: at(PhaseAwaitingResponse),
				Guard:  "a party; one open dispute a hold → DISPUTE_OPEN; in time → WINDOW_CLOSED; money there → NOTHING_TO_DISPUTE",
				Events: []string{"dispute.opened"},
			}, open),
			machine.On(line{
				From: phases, By: who(domain.Import), To: at(PhaseAwaitingResponse, PhaseUnderReview, PhaseResolved, PhaseWithdrawn, PhaseRejected, PhaseClosed), Aside: true,
				Guard:  "the same document again is no news; one that was changed here as well → LEGACY_CONFLICT",
				Events: []string{"dispute.imported"},
			}, importDispute),
			machine.On(line{
				From: at(PhaseAwaitingResponse), By: parties, To: at(PhaseEvidence),
				Guard:  "the other party → FORBIDDEN",
				Events: []string{"dispute.responded"},
			}, respond),
			machine.On(line{
				From: at(PhaseAwaitingResponse), By: who(domain.Timer), To: at(PhaseUnderReview),
				Guard:  "after respond_by",
				Events: []string{"dispute.respondent_defaulted"},
			}, defaultRespondent),
			machine.On(line{
				From: at(PhaseAwaitingResponse, PhaseEvidence, PhaseSettlementProposed), By: parties,
				To:     at(PhaseAwaitingResponse, PhaseEvidence, PhaseSettlementProposed),
				Guard:  "in time → EVIDENCE_CLOSED; at most n a party and round → EVIDENCE_LIMIT",
				Events: []string{"dispute.evidence_submitted"},
			}, submitEvidence),
			machine.On(line{
				From: at(PhaseEvidence), By: who(domain.Timer, domain.Resolver, domain.Admin), To: at(PhaseUnderReview),
				Guard:  "a timer after the due date; a resolver only his own → NOT_ASSIGNED",
				Events: []string{"dispute.evidence_period_closed"},
			}, closeEvidence),
			machine.On(line{
				From: at(PhaseUnderReview), By: staff, To: at(PhaseEvidence),
				Guard:  "assigned → NOT_ASSIGNED; due in the future",
				Events: []string{"dispute.more_evidence_requested"},
			}, requestMoreEvidence),
			machine.On(line{
				From: undecided, By: staff, To: undecided,
				Guard:  "no party, nobody of an earlier round, no approver of a payout → RESOLVER_CONFLICT; a resolver only himself",
				Events: []string{"dispute.resolver_assigned"},
			}, assignResolver),
			machine.On(line{
				From: at(PhaseEvidence), By: parties, To: at(PhaseSettlementProposed),
				Guard:  "0 … 10000 bps → INVALID_SPLIT",
				Events: []string{"dispute.settlement_proposed"},
			}, proposeSettlement),
			machine.On(line{
				From: at(PhaseSettlementProposed), By: parties, To: at(PhaseExecuting),
				Guard:  "the other party; in time → SETTLEMENT_EXPIRED",
				Events: []string{"dispute.settlement_accepted"},
			}, acceptSettlement),
			machine.On(line{
				From: at(PhaseSettlementProposed), By: parties, To: at(PhaseEvidence),
				Events: []string{"dispute.settlement_declined"},
			}, declineSettlement),
			machine.On(line{
				From: at(PhaseSettlementProposed), By: who(domain.Timer), To: at(PhaseEvidence),
				Guard:  "after expires_at",
				Events: []string{"dispute.settlement_lapsed"},
			}, lapseSettlement),
			machine.On(line{
				From: at(PhaseUnderReview), By: staff, To: at(PhaseDecided),
				Guard:  "assigned, or an admin → NOT_ASSIGNED, RESOLVER_CONFLICT; the split fits the action → INVALID_SPLIT",
				Events: []string{"dispute.decided"},
			}, decide),
			machine.On(line{
				From: at(PhaseDecided), By: parties, To: at(PhaseUnderReview),
				Guard:  "did not get everything; in time → APPEAL_CLOSED; once → APPEAL_LIMIT",
				Events: []string{"dispute.appealed", "dispute.evidence_submitted"},
			}, appeal),
			machine.On(line{
				From: at(PhaseDecided), By: who(domain.Timer, domain.Process), To: at(PhaseExecuting, PhaseAwaitingReturn),
				Guard:  "after appeal_until, or the decision is final",
				Events: []string{"dispute.appeal_window_closed"},
			}, closeAppealWindow),
			machine.On(line{
				From: at(PhaseAwaitingReturn), By: who(domain.Seller, domain.Admin), To: at(PhaseExecuting),
				Events: []string{"dispute.return_confirmed"},
			}, confirmReturn),
			machine.On(line{
				From: at(PhaseAwaitingReturn), By: who(domain.Timer), To: at(PhaseExecuting),
				Guard:  "after return_by",
				Events: []string{"dispute.return_lapsed"},
			}, lapseReturn),
			machine.On(line{
				From: undecided, By: who(domain.Timer), To: at(PhaseExecuting),
				Guard:  "after max_age_at",
				Events: []string{"dispute.defaulted"},
			}, defaultSplit),
			machine.On(line{
				From: at(PhaseExecuting), By: who(domain.Process), To: at(PhaseResolved),
				Guard:  "the parts sum to the contested amount",
				Events: []string{"dispute.resolved"},
			}, resolve),
			machine.On(line{
				From: at(PhaseAwaitingResponse, PhaseEvidence), By: who(domain.Buyer, domain.Seller, domain.Admin), To: at(PhaseWithdrawn),
				Guard:  "the opener, or an admin → FORBIDDEN",
				Events: []string{"dispute.withdrawn"},
			}, withdraw),
			machine.On(line{
				From: at(PhaseAwaitingResponse), By: staff, To: at(PhaseRejected),
				Guard:  "assigned, or an admin → NOT_ASSIGNED",
				Events: []string{"dispute.rejected"},
			}, reject),
			machine.On(line{
				From: undecided, By: who(domain.Buyer, domain.Seller, domain.Resolver, domain.Admin, domain.Timer), To: undecided,
				Events: []string{"dispute.escalated"},
			}, escalate),
			machine.On(line{
				From: append(at(PhaseDecided, PhaseAwaitingReturn, PhaseResolved, PhaseWithdrawn, PhaseRejected, PhaseClosed), undecided...), By: staff,
				To:     append(at(PhaseDecided, PhaseAwaitingReturn, PhaseResolved, PhaseWithdrawn, PhaseRejected, PhaseClosed), undecided...),
				Guard:  "against a party",
				Events: []string{"dispute.side_measure_taken"},
			}, takeSideMeasure),
			machine.On(line{
				From: at(PhaseResolved), By: who(domain.Timer, domain.Process, domain.Admin), To: at(PhaseClosed, PhaseResolved),
				Guard:  "the money has arrived; a timer tries again later",
				Events: []string{"dispute.closed", "dispute.close_deferred"},
			}, closeDispute),
		},
	}
}

// as adds the parts people have in this dispute. Before there is one, anybody may be a
// party; the command is checked against the parties that it names.
func as(s State, a domain.Actor) []domain.Capacity {
	switch {
	case a.User() == "":
		return nil
	case s.Phase == "":
		return []domain.Capacity{domain.Buyer, domain.Seller}
	case a.Is(s.Buyer):
		return []domain.Capacity{domain.Buyer}
	case a.Is(s.Seller):
		return []domain.Capacity{domain.Seller}
	}
	return nil
}
