package settlement

import "holdfast/domain"

// Flow is one command over one or several streams.
type Flow interface {
	Run(u *domain.Unit) (any, error)
}

// Due builds the flow of a deadline of this slice's streams; ok is false for a command that
// is not this slice's. A stale timer leads to a harmless refusal.
func Due(command string, s domain.Stream, i domain.Issue) (f Flow, ok bool) {
	d := domain.DisputeID(s.ID)
	switch command {
	case "settlement.lapse_refund_address":
		return LapseRefundAddress{Issue: i, Refund: domain.RefundID(s.ID)}, true
	case "settlement.default_respondent":
		return DefaultRespondent{Issue: i, Dispute: d}, true
	case "settlement.close_evidence":
		return CloseEvidence{Issue: i, Dispute: d}, true
	case "settlement.lapse_settlement":
		return LapseSettlement{Issue: i, Dispute: d}, true
	case "settlement.escalate_dispute":
		return EscalateDispute{Issue: i, Dispute: d}, true
	case "settlement.close_appeal_window":
		return CloseAppealWindow{Issue: i, Dispute: d}, true
	case "settlement.lapse_return":
		return LapseReturn{Issue: i, Dispute: d}, true
	case "settlement.default_dispute":
		return DefaultDispute{Issue: i, Dispute: d}, true
	case "settlement.close_dispute":
		return CloseDispute{Issue: i, Dispute: d}, true
	}
	return nil, false
}
