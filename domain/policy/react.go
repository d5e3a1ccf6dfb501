package policy

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

// React says what follows from an event of a stream. seed is the event's id, from which new ids
// are derived; at is the time of the command that follows.
func React(s domain.Stream, e domain.Event, seed string, at time.Time) []Reaction {
	issue := func(name string) domain.Issue {
		return domain.Issue{By: domain.Machine(domain.Process, name), At: at}
	}
	hold := domain.HoldID(s.ID)
	switch e := e.(type) {
	case escrow.Released:
		return []Reaction{
			netting(issue, e.Seller, e.Net),
			closing(issue, hold),
		}
	case escrow.DisputeSettled, escrow.RefundSettled:
		return []Reaction{closing(issue, hold)}
	case escrow.ReleaseHoldLifted:
		return []Reaction{{"resume release", ResumeRelease{Issue: issue("resume release"), Hold: hold}}}
	case dispute.Resolved:
		return []Reaction{
			netting(issue, e.Seller, e.Parts.Seller),
			{"close dispute", CloseDispute{Issue: issue("close dispute"), Dispute: domain.DisputeID(s.ID)}},
		}
	case refund.Confirmed, refund.Failed, refund.Cancelled:
		return []Reaction{{"close dispute", CloseDispute{Issue: issue("close dispute"), Refund: domain.RefundID(s.ID)}}}
	case payment.Expired:
		if e.Partial {
			return []Reaction{{"refund part", RefundPart{
				Issue: issue("refund part"), Refund: domain.RefundID(domain.DeriveID(seed, "refund of a part")), Hold: e.Hold,
			}}}
		}
	}
	return nil
}

// netting recovers what a seller owes as soon as he is paid, not only when he asks for a payout.
func netting(issue func(string) domain.Issue, seller domain.UserID, got money.Amount) Reaction {
	const name = "netting"
	return Reaction{name, settlement.RecoverReceivable{
		Issue: issue(name), Party: receivable.Seller, User: seller, Asset: got.Asset, Available: got.Units,
	}}
}

func closing(issue func(string) domain.Issue, hold domain.HoldID) Reaction {
	const name = "close escrow"
	return Reaction{name, CloseEscrow{Issue: issue(name), Hold: hold}}
}
