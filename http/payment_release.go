package http

import (
	"context"
	"strconv"
	"strings"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
)

type releaseInput struct {
	ID   string `path:"id"`
	Body struct {
		Amount *AmountIn `json:"amount,omitempty" doc:"Left out = all that can be released"`
		DryRun bool      `json:"dryRun,omitempty" doc:"Say what would happen, and do nothing"`
	}
}

func (s *Server) releasePayment(ctx context.Context, c *call, in *releaseInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if c.is(p.Seller) {
		return reply{}, errConflictOfInterest // an admin who sells releases nothing to himself
	}
	// The buyer may release early; whoever is only an admin waits for the conditions.
	f := funding.ReleaseEscrow{Issue: c.issue(), Hold: p.Hold, Early: c.user() == p.Buyer}
	if in.Body.Amount != nil {
		amount, err := s.read("amount", *in.Body.Amount, p.Due.Asset)
		if err != nil {
			return reply{}, err
		}
		if amount.IsZero() {
			return reply{}, errInvalidAmount.At("amount", "more than nothing")
		}
		f.Amount = amount.Units
	}
	if in.Body.DryRun {
		return s.rehearse(ctx, c, f)
	}
	return s.run(ctx, c, of(escrow.Decider, p.Hold), f)
}

type releaseConfirmInput struct {
	ID   string `path:"id"`
	Body struct {
		PayoutID string `json:"payoutId,omitempty" format:"uuid" doc:"Left out = the one payout of this order's proceeds that waits for a signature"`
		SignedTx string `json:"signedTx,omitempty" maxLength:"60000" pattern:"^0x([0-9a-fA-F]{2})+$"`
		TxHash   string `json:"txHash,omitempty" pattern:"^0x[0-9a-fA-F]{64}$" doc:"Instead of signedTx: it was sent elsewhere"`
	}
}

// confirmRelease is the original's place for it: here a release is a credit inside the
// ledger, and it is the payout of the seller's credit that is signed and sent.
func (s *Server) confirmRelease(ctx context.Context, c *call, in *releaseConfirmInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	d, err := eitherTx(in.Body.SignedTx, in.Body.TxHash)
	if err != nil {
		return reply{}, err
	}
	id := strings.ToLower(in.Body.PayoutID)
	if id == "" {
		if id, err = s.waitingPayout(ctx, p.Hold); err != nil {
			return reply{}, err
		}
	}
	o, err := s.payoutFor(ctx, c, id)
	if err != nil || o.Seller != p.Seller || o.Amount.Asset != p.Due.Asset {
		return reply{}, fault.ErrNotFound
	}
	return s.signPayout(ctx, c, id, d)
}

// waitingPayout finds the payout of an order's proceeds that waits for a signature.
func (s *Server) waitingPayout(ctx context.Context, hold domain.HoldID) (string, error) {
	v, err := s.views()
	if err != nil {
		return "", err
	}
	rows, err := v.Payouts.OfHold(ctx, hold)
	if err != nil {
		return "", err
	}
	var found []string
	for _, row := range rows {
		if row.Doc.Phase == payout.PhaseInstructionBuilt || row.Doc.Phase == payout.PhaseBroadcast {
			found = append(found, string(row.Doc.Payout))
		}
	}
	if len(found) != 1 {
		return "", fault.ErrValidation.At("body.payoutId", "names the payout: "+strconv.Itoa(len(found))+" wait")
	}
	return found[0], nil
}

type reviewInput struct {
	ID   string `path:"id"`
	Body struct {
		Decision string `json:"decision" enum:"clear,reject"`
		Reason   string `json:"reason" minLength:"3" maxLength:"1000"`
	}
}

// reviewPayment needs two people: the first is noted, the second carries it out.
func (s *Server) reviewPayment(ctx context.Context, c *call, in *reviewInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if c.user() == p.Buyer || c.user() == p.Seller {
		return reply{}, errConflictOfInterest
	}
	first, waiting, err := s.second(ctx, c, "review", in.ID, in.Body.Decision)
	if err != nil || first == "" {
		return waiting, err
	}
	id := domain.PaymentID(in.ID)
	approver := domain.User(first, domain.Admin)
	var f flow = funding.ClearReview{Issue: c.issue(), Payment: id, Approver: approver}
	if in.Body.Decision == "reject" {
		f = funding.RejectReview{Issue: c.issue(), Payment: id, Approver: approver}
	}
	return s.run(ctx, c, of(payment.Decider, id), f)
}
