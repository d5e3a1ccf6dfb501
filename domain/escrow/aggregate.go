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

// Deadlines: at ReleaseAt the hold is released by itself, unless somebody objected; what a release
// withholds is given back at its own time.
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
			until := e.ReserveUntil
			return []domain.Deadline{{Key: "reserve:" + until.UTC().Format(time.RFC3339Nano), Due: until, Command: "funding.release_reserve"}}
		}
	case ReleaseRevoked, Closed, Cancelled:
		return []domain.Deadline{{Key: key, Cancel: true}}
	}
	return nil
}
