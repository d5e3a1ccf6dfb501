// Package paymentview is the read model of pay-ins: how to pay, what was seen on the chain, how
// deep it stands, and what is unusual.
package paymentview

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/payment"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "payments"

// Doc is a payment: the aggregate's own state and what only readers want to know.
type Doc struct {
	payment.State
	LegacyStatus string            `json:"legacy_status"`
	Chain        uint64            `json:"chain,omitempty"`
	Path         string            `json:"path,omitempty"`
	Reported     []Reported        `json:"reported,omitempty"` // claims, not evidence
	Txs          []string          `json:"txs"`                // all that it was ever seen in or said to be in
	PaidAt       *time.Time        `json:"paid_at,omitempty"`
	EndedAt      *time.Time        `json:"ended_at,omitempty"` // expired, cancelled, rejected
	CancelReason string            `json:"cancel_reason,omitempty"`
	ReviewKind   string            `json:"review_kind,omitempty"`
	Reorgs       []payment.Reorged `json:"reorgs,omitempty"`
	Verdicts     []Verdict         `json:"verdicts,omitempty"`
	Unscreened   bool              `json:"unscreened,omitempty"` // a payer has no answer yet
	InReview     bool              `json:"in_review,omitempty"`  // two people are asked for
}

// Verdict is what screening said of a transfer's payer.
type Verdict struct {
	payment.Screened
	At time.Time `json:"at"`
}

// Reported is a transaction that somebody claims to have paid with.
type Reported struct {
	Tx string       `json:"tx"`
	By domain.Actor `json:"by"`
	At time.Time    `json:"at"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 1, Category: payment.Decider.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(payment.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case payment.Initiated:
		d.Txs = []string{}
	case payment.Imported:
		d.imported(e)
	case payment.DestinationAssigned:
		d.Chain, d.Path = e.Chain, e.Path
	case payment.TransactionReported:
		d.Reported = append(d.Reported, Reported{Tx: e.Tx, By: e.By, At: at})
		d.saw(e.Tx)
	case payment.Detected:
		d.saw(e.Evidence.Tx)
	case payment.Screened:
		d.Verdicts = append(d.Verdicts, Verdict{Screened: e, At: at})
	case payment.HeldForReview:
		d.ReviewKind = e.Kind
	case payment.Paid:
		d.PaidAt, d.EndedAt = &at, nil
	case payment.Reorged:
		d.PaidAt = nil
		d.Reorgs = append(d.Reorgs, e)
	case payment.Expired, payment.ReviewRejected:
		d.EndedAt = &at
	case payment.LateAccepted:
		d.EndedAt = nil
	case payment.Cancelled:
		d.EndedAt, d.CancelReason = &at, e.Reason
	}
	if d.LegacyStatus = legacy(d.Phase); d.Untouched() {
		d.LegacyStatus = d.Imported.Status
	}
	d.Unscreened = len(d.ToScreen()) > 0
	d.InReview = d.Phase == payment.UnderReview || d.Doubtful() && len(d.Verdicts) > 0
	return nil
}

// imported is what a document of the old backend says beside the state.
func (d *Doc) imported(e payment.Imported) {
	*d = Doc{State: d.State, Chain: e.Chain, Path: e.Path, Txs: []string{}, PaidAt: e.PaidAt}
	for _, tx := range slices.Concat(e.Counted, e.Claimed) {
		d.saw(tx)
	}
	switch e.Phase {
	case payment.ExpiredPhase:
		d.EndedAt = &e.At
	case payment.CancelledPhase, payment.RejectedPhase:
		d.CancelReason = e.Failure
		if d.EndedAt = &e.At; !e.UpdatedAt.IsZero() {
			d.EndedAt = &e.UpdatedAt
		}
	}
}

// saw notes a transaction once, in lower case.
func (d *Doc) saw(tx string) {
	if tx = strings.ToLower(tx); !slices.Contains(d.Txs, tx) {
		d.Txs = append(d.Txs, tx)
	}
}

// legacy is the original's word for a phase (domain.md §2.14); "refunded" is for the caller to
// say, who knows the refunds.
func legacy(phase string) string {
	switch phase {
	case payment.Confirming, payment.PartlyPaid, payment.UnderReview:
		return "processing"
	case payment.PaidPhase:
		return "completed"
	case payment.RejectedPhase, payment.ReversedPhase:
		return "failed"
	case payment.CancelledPhase, payment.ExpiredPhase:
		return "cancelled"
	}
	return "pending"
}
