package payment

import (
	"time"

	"holdfast/domain"
)

// Aggregate registers the payment with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			Initiated{},
			Imported{},
			DestinationAssigned{},
			IntentRegistered{},
			TransactionReported{},
			Detected{},
			Dropped{},
			Screened{},
			HeldForReview{},
			ReviewCleared{},
			ReviewRejected{},
			Confirmed{},
			PartiallyPaid{},
			Paid{},
			Overpaid{},
			Expired{},
			LateAccepted{},
			Cancelled{},
			Reorged{},
			Failed{},
		},
		Postings: Postings, Claims: Claims, Deadlines: Deadlines,
	}
}

// EvidenceClaim is the name that makes a transfer count once in the whole log.
func EvidenceClaim(e Evidence) string { return "evidence:" + e.Key() }

// Claims: one open payment an order; one use of a transfer.
func Claims(_ domain.Stream, e domain.Event) []domain.Claim {
	switch e := e.(type) {
	case Initiated:
		return []domain.Claim{{Name: "payment:" + string(e.Hold), Taken: ErrAlreadyOpen}}
	case Imported:
		return []domain.Claim{opened(e)}
	case Expired:
		return []domain.Claim{{Name: "payment:" + string(e.Hold), Free: true}}
	case Cancelled:
		return []domain.Claim{{Name: "payment:" + string(e.Hold), Free: true}}
	case Detected:
		return []domain.Claim{{Name: EvidenceClaim(e.Evidence), Taken: ErrEvidenceUsed}}
	case Dropped:
		return []domain.Claim{{Name: EvidenceClaim(e.Evidence), Free: true}}
	case Reorged:
		return []domain.Claim{{Name: EvidenceClaim(e.Evidence), Free: true}}
	}
	return nil
}

// again arms the expiry anew when it passed while money was on its way.
func again(key string, at time.Time) []domain.Deadline {
	if at.IsZero() {
		return nil
	}
	return []domain.Deadline{{Key: key, Due: at, Command: "funding.expire_payment"}}
}

// Deadlines: a payment that nobody makes expires.
func Deadlines(_ domain.Stream, e domain.Event) []domain.Deadline {
	const key = "expiry"
	switch e := e.(type) {
	case Initiated:
		return []domain.Deadline{{Key: key, Due: e.ExpiresAt, Command: "funding.expire_payment"}}
	case Imported:
		if e.Phase == CreatedPhase || e.Phase == AwaitingPayment || e.Phase == PartlyPaid {
			due := e.ExpiresAt
			if due.Before(e.LapsesAt) {
				due = e.LapsesAt
			}
			return []domain.Deadline{{Key: key, Due: due, Command: "funding.expire_payment"}}
		}
		return []domain.Deadline{{Key: key, Cancel: true}}
	case Dropped:
		return again(key, e.LapsesAt)
	case PartiallyPaid:
		return again(key, e.LapsesAt)
	case Paid, Expired, Cancelled:
		return []domain.Deadline{{Key: key, Cancel: true}}
	}
	return nil
}
