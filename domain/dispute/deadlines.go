package dispute

import (
	"time"

	"holdfast/domain"
)

// The keys of a dispute's deadlines, and the flow each issues when it is due.
const (
	keyRespond    = "respond"
	keyEvidence   = "evidence"
	keySettlement = "settlement"
	keyReview     = "review"
	keyAppeal     = "appeal"
	keyReturn     = "return"
	keyMaxAge     = "max_age"
	keyClose      = "close"
)

var dueCommand = map[string]string{
	keyRespond:    "settlement.default_respondent",
	keyEvidence:   "settlement.close_evidence",
	keySettlement: "settlement.lapse_settlement",
	keyReview:     "settlement.escalate_dispute",
	keyAppeal:     "settlement.close_appeal_window",
	keyReturn:     "settlement.lapse_return",
	keyMaxAge:     "settlement.default_dispute",
	keyClose:      "settlement.close_dispute",
}

// deadlines sets the timer of the state an event leads to, and cancels that of the state it
// leaves, so that no state waits without one (docs/complaints.md, 18).
func deadlines(_ domain.Stream, e domain.Event) []domain.Deadline {
	switch e := e.(type) {
	case Opened:
		return []domain.Deadline{set(keyRespond, e.RespondBy), set(keyMaxAge, e.MaxAgeAt)}
	case Imported:
		return importedDeadlines(e)
	case Responded:
		return []domain.Deadline{stop(keyRespond), set(keyEvidence, e.EvidenceDue)}
	case RespondentDefaulted:
		return []domain.Deadline{stop(keyRespond), set(keyReview, e.ReviewBy)}
	case EvidencePeriodClosed:
		return []domain.Deadline{stop(keyEvidence), set(keyReview, e.ReviewBy)}
	case MoreEvidenceRequested:
		return []domain.Deadline{stop(keyReview), set(keyEvidence, e.DueBy)}
	case SettlementProposed:
		return []domain.Deadline{stop(keyEvidence), set(keySettlement, e.ExpiresAt)}
	case SettlementDeclined:
		return []domain.Deadline{stop(keySettlement), set(keyEvidence, e.EvidenceDue)}
	case SettlementLapsed:
		return []domain.Deadline{stop(keySettlement), set(keyEvidence, e.EvidenceDue)}
	case Decided:
		// One tick after the window: an appeal in its last instant is still in time.
		return []domain.Deadline{stop(keyReview), stop(keyMaxAge), set(keyAppeal, e.AppealUntil.Add(time.Millisecond))}
	case Appealed:
		return []domain.Deadline{stop(keyAppeal), set(keyReview, e.ReviewBy), set(keyMaxAge, e.MaxAgeAt)}
	case AppealWindowClosed:
		if e.ReturnBy != nil {
			return []domain.Deadline{stop(keyAppeal), set(keyReturn, *e.ReturnBy)}
		}
	case Resolved:
		return append(stopAllBut(keyClose), set(keyClose, e.CheckCloseAt))
	case CloseDeferred:
		return []domain.Deadline{set(keyClose, e.CheckCloseAt)}
	case Withdrawn, Rejected, Closed:
		return stopAllBut("")
	}
	return nil
}

func set(key string, at time.Time) domain.Deadline {
	return domain.Deadline{Key: key, Due: at, Command: dueCommand[key]}
}

func stop(key string) domain.Deadline { return domain.Deadline{Key: key, Cancel: true} }

func stopAllBut(kept string) []domain.Deadline {
	var all []domain.Deadline
	for _, key := range []string{keyRespond, keyEvidence, keySettlement, keyReview, keyAppeal, keyReturn, keyMaxAge, keyClose} {
		if key != kept {
			all = append(all, stop(key))
		}
	}
	return all
}
