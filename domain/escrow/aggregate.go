package escrow

import (
	"time"

	"holdfast/domain"
)

// Aggregate registers the hold with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			Opened{},
			Imported{},
			ReleaseHoldImported{},
			DisputeImported{},
			DueFixed{},
			Credited{},
			Debited{},
			Funded{},
			Unfunded{},
			FeeAbsorbed{},
			DiscountFunded{},
			ReleaseHoldPlaced{},
			ReleaseHoldLifted{},
			InspectionStarted{},
			InspectionExtended{},
			MadeReleasable{},
			ReleaseRevoked{},
			ReleaseApprovalRecorded{},
			Released{},
			ReserveReleased{},
			RefundTaken{},
			RefundReturned{},
			RefundSettled{},
			RefundUnsettled{},
			ClawedBack{},
			ClawbackReturned{},
			Frozen{},
			Unfrozen{},
			DisputeSettled{},
			Cancelled{},
			Closed{},
			Reopened{},
		},
		Postings:  Postings,
		Deadlines: Deadlines,
	}
}

// Deadlines: at ReleaseAt the hold is released by itself, unless somebody objected; what is withheld
// of a release or a dispute's outcome is given back at its own time.
func Deadlines(_ domain.Stream, e domain.Event) []domain.Deadline {
	const key, command = "auto-release", "funding.auto_release"
	switch e := e.(type) {
	case InspectionStarted:
		return []domain.Deadline{{Key: key, Due: e.ReleaseAt, Command: command}}
	case Imported:
		if !e.ReleaseAt.IsZero() {
			return []domain.Deadline{{Key: key, Due: e.ReleaseAt, Command: command}}
		}
		return []domain.Deadline{{Key: key, Cancel: true}}
	case InspectionExtended:
		return []domain.Deadline{{Key: key, Due: e.ReleaseAt, Command: command}}
	case Released:
		if !e.Reserve.IsZero() {
			return reserveDue(Lot{Until: e.ReserveUntil})
		}
	case DisputeSettled:
		if !e.Reserve.IsZero() {
			return reserveDue(Lot{Until: e.ReserveUntil})
		}
	case ClawbackReturned:
		return reserveDue(e.Lots...)
	case ReleaseRevoked, Closed, Cancelled:
		return []domain.Deadline{{Key: key, Cancel: true}}
	}
	return nil
}

func reserveDue(lots ...Lot) (due []domain.Deadline) {
	for _, l := range lots {
		due = append(due, domain.Deadline{Key: "reserve:" + l.Until.UTC().Format(time.RFC3339Nano), Due: l.Until, Command: "funding.release_reserve"})
	}
	return due
}
