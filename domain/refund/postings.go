package refund

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/outgoing"
)

// Aggregate registers refunds with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Category,
		Events: []domain.Event{
			Requested{},
			Approved{},
			SellerClawbackRecorded{},
			Rejected{},
			AddressConfirmed{},
			Broadcast{},
			Replaced{},
			Confirmed{},
			Failed{},
			Cancelled{},
			Reorged{},
			Surfaced{},
		},
		Postings:  func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) { return Postings(e) },
		Claims:    claims,
		Deadlines: deadlines,
	}
}

// Postings is what an event does to the ledger (domain.md §2.3). It is pure.
func Postings(e domain.Event) (tx ledger.Transaction, ok bool) {
	switch e := e.(type) {
	case Approved:
		return approvedPosting(e)
	case SellerClawbackRecorded:
		clearing := ledger.ClearingRefund(e.Refund)
		return ledger.Transaction{Mode: ledger.Post, Refused: ErrExceedsAvailable, Lines: ledger.Lines(
			ledger.Dr(ledger.PlatformFee, clearing, e.FeePart),
			ledger.Dr(ledger.SellerAvailable(e.Seller), clearing, e.AvailablePart),
			ledger.Dr(ledger.ReceivableSeller(e.Seller), clearing, e.ReceivablePart),
		)}, true
	case Broadcast:
		return ledger.Transaction{
			Mode: ledger.Pend, Key: outgoing.PendingKey(Category, e.Refund, e.Tx.Hash), Fact: true,
			Lines: ledger.Lines(ledger.Dr(ledger.ClearingRefund(e.Refund), e.Custody.Account(), e.Net)),
		}, true
	case Confirmed:
		return outgoing.Confirmed(e.Pending, ledger.Dr(ledger.ClearingRefund(e.Refund), e.Custody.Account(), e.Net)), true
	case Failed:
		to := ledger.BuyerAvailable(e.Buyer)
		if e.Buyer == "" {
			to = ledger.Suspense
		}
		tx := outgoing.Undone(e.Pending, ledger.Dr(ledger.ClearingRefund(e.Refund), to, e.Net))
		if !e.FeeBack.IsZero() {
			tx.Lines = append(tx.Lines, ledger.Dr(ledger.NetworkFeeRecovery, to, e.FeeBack))
		}
		return tx, true
	case Surfaced:
		rest := e.Net
		rest.Units = rest.Units.Minus(e.Owed.Units)
		if e.Buyer == "" {
			return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(ledger.Dr(ledger.Suspense, e.Custody.Account(), e.Net))}, true
		}
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(
			ledger.Dr(ledger.BuyerAvailable(e.Buyer), e.Custody.Account(), rest),
			ledger.Dr(ledger.ReceivableBuyer(e.Buyer), e.Custody.Account(), e.Owed))}, true
	case Reorged:
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(
			ledger.Dr(e.Custody.Account(), ledger.ClearingRefund(e.Refund), e.Net))}, true
	case Cancelled:
		return cancelledPosting(e)
	}
	return ledger.Transaction{}, false
}

// approvedPosting moves the money to clearing. A clawback and a dispute have done that
// already, in events of their own; only the network fee is left then.
func approvedPosting(e Approved) (ledger.Transaction, bool) {
	clearing := ledger.ClearingRefund(e.Refund)
	from, own := sourceAccount(e.Source, e.Hold, e.Buyer)
	lines := ledger.Lines(
		ledger.Dr(from, clearing, e.Net),
		ledger.Dr(from, ledger.NetworkFeeRecovery, e.NetworkFee),
	)
	if !own {
		lines = ledger.Lines(ledger.Dr(clearing, ledger.NetworkFeeRecovery, e.NetworkFee))
	}
	return ledger.Transaction{Mode: ledger.Post, Lines: lines, Refused: ErrExceedsAvailable}, len(lines) > 0
}

// sourceAccount is the account a refund takes from; own is false when the money was moved
// to clearing by another event.
func sourceAccount(s Source, hold domain.HoldID, buyer domain.UserID) (account ledger.Account, own bool) {
	switch s {
	case FromHeld:
		return ledger.Held(hold), true
	case FromReleasable:
		return ledger.Releasable(hold), true
	case FromSuspense:
		return ledger.Suspense, true
	case FromBuyerCredit:
		return ledger.BuyerAvailable(buyer), true
	}
	return "", false
}

// cancelledPosting gives the money back to its source. A dispute's outcome stands, so its
// money becomes the buyer's credit; a clawback is undone part by part.
func cancelledPosting(e Cancelled) (ledger.Transaction, bool) {
	if !e.Moved {
		return ledger.Transaction{}, false
	}
	clearing := ledger.ClearingRefund(e.Refund)
	var lines []ledger.Line
	if e.Source == FromClawback {
		rest := e.Amount
		rest.Units = rest.Units.Minus(e.FeePart.Units).Minus(e.ReceivablePart.Units).Minus(e.ReservePart.Units)
		lines = ledger.Lines(
			ledger.Dr(ledger.NetworkFeeRecovery, clearing, e.NetworkFee),
			ledger.Dr(clearing, ledger.PlatformFee, e.FeePart),
			ledger.Dr(clearing, ledger.ReceivableSeller(e.Seller), e.ReceivablePart),
			ledger.Dr(clearing, ledger.SellerReserve(e.Seller), e.ReservePart),
			ledger.Dr(clearing, ledger.SellerAvailable(e.Seller), rest),
		)
	} else {
		to, own := sourceAccount(e.Source, e.Hold, e.Buyer)
		if !own {
			to = ledger.BuyerAvailable(e.Buyer)
		}
		lines = ledger.Lines(
			ledger.Dr(clearing, to, e.Net),
			ledger.Dr(ledger.NetworkFeeRecovery, to, e.NetworkFee),
		)
	}
	return ledger.Transaction{Mode: ledger.Post, Lines: lines}, true
}

// claims take the custody address's nonce while a transaction of ours may still use it.
func claims(_ domain.Stream, e domain.Event) []domain.Claim {
	switch e := e.(type) {
	case Broadcast:
		return []domain.Claim{e.Tx.claim()}
	case Failed:
		if e.Tx != nil {
			return []domain.Claim{outgoing.Free(e.Tx.claim())}
		}
	}
	return nil
}

func (t SentTx) claim() domain.Claim {
	return outgoing.NonceClaim(outgoing.Transfer{Chain: t.Chain, From: t.From, Nonce: t.Nonce})
}

// deadlines end the wait for the buyer's address.
func deadlines(_ domain.Stream, e domain.Event) []domain.Deadline {
	const key = "address"
	switch e := e.(type) {
	case Approved:
		if !e.AddressBy.IsZero() {
			return []domain.Deadline{{Key: key, Due: e.AddressBy, Command: "settlement.lapse_refund_address"}}
		}
	case AddressConfirmed, Cancelled, Failed:
		return []domain.Deadline{{Key: key, Cancel: true}}
	}
	return nil
}
