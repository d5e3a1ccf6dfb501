package policy

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
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
		// The release itself closes a hold that it empties.
		return []Reaction{netting(issue, e.Seller, e.Net)}
	case escrow.ReserveReleased:
		if e.Refund != "" {
			return nil // the clawback has it already
		}
		return []Reaction{netting(issue, e.Seller, e.Amount)}
	case escrow.DisputeSettled, escrow.RefundSettled:
		return []Reaction{closing(issue, hold)}
	case escrow.ReleaseHoldLifted:
		return []Reaction{
			{Name: "resume release", Flow: ResumeRelease{Issue: issue("resume release"), Hold: hold}},
			{Name: "resume reserve", Flow: ResumeReserve{Issue: issue("resume reserve"), Hold: hold}},
		}
	case dispute.Resolved:
		return []Reaction{
			netting(issue, e.Seller, e.Parts.Seller),
			{Name: "close dispute", Flow: CloseDispute{Issue: issue("close dispute"), Dispute: domain.DisputeID(s.ID)}},
		}
	case refund.Confirmed, refund.Failed, refund.Cancelled:
		return []Reaction{{Name: "close dispute", Flow: CloseDispute{Issue: issue("close dispute"), Refund: domain.RefundID(s.ID)}}}
	case payment.ReviewRejected:
		return []Reaction{{Name: "refund rejected", Flow: RefundRejected{
			Issue: issue("refund rejected"), Payment: domain.PaymentID(s.ID), Refund: domain.RefundID(domain.DeriveID(seed, "refund of a part")),
		}}}
	case payment.Expired:
		if e.Partial {
			return []Reaction{{Name: "refund part", Flow: RefundPart{
				Issue: issue("refund part"), Refund: domain.RefundID(domain.DeriveID(seed, "refund of a part")), Hold: e.Hold,
			}}}
		}
	}
	return nil
}

// netting recovers what a seller owes as soon as he is paid, not only when he asks for a payout.
func netting(issue func(string) domain.Issue, seller domain.UserID, got money.Amount) Reaction {
	const name = "netting"
	return Reaction{
		Name:   name,
		Flow:   settlement.RecoverReceivable{Issue: issue(name), Party: receivable.Seller, User: seller, Asset: got.Asset, Available: got.Units},
		Unless: &Empty{Account: ledger.ReceivableSeller(seller), Asset: got.Asset},
	}
}

func closing(issue func(string) domain.Issue, hold domain.HoldID) Reaction {
	const name = "close escrow"
	return Reaction{Name: name, Flow: CloseEscrow{Issue: issue(name), Hold: hold}}
}
