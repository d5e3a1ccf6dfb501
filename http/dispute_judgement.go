package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/settlement"
)

type proposeInput struct {
	ID   string `path:"id"`
	Body struct {
		SellerBPS int       `json:"seller_bps" doc:"The seller's share in basis points"`
		Message   string    `json:"message,omitempty" maxLength:"2000"`
		ExpiresAt time.Time `json:"expires_at,omitempty"`
	}
}

// share reads basis points; a share outside the whole is a wrong split, not a wrong field.
func share(bps int) (money.BPS, error) {
	if bps < 0 || bps > int(money.All) {
		return 0, dispute.ErrInvalidSplit.Because("a share is 0 to %d basis points", money.All)
	}
	return money.BPS(bps), nil
}

func (s *Server) proposeSettlement(ctx context.Context, c *call, in *proposeInput) (reply, error) {
	return s.inDisputeOr(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) (flow, error) {
		bps, err := share(in.Body.SellerBPS)
		return settlement.ProposeSettlement{
			Issue: c.issue(), Dispute: id, Settlement: c.newID("settlement"), SellerBPS: bps,
			Message: c.about(in.Body.Message), ExpiresAt: in.Body.ExpiresAt.UTC(),
		}, err
	})
}

type settlementInput struct {
	ID         string `path:"id"`
	Settlement string `path:"sid"`
}

func (s *Server) acceptSettlement(ctx context.Context, c *call, in *settlementInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.AcceptSettlement{Issue: c.issue(), Dispute: id, Settlement: in.Settlement}
	})
}

func (s *Server) declineSettlement(ctx context.Context, c *call, in *settlementInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.DeclineSettlement{Issue: c.issue(), Dispute: id, Settlement: in.Settlement}
	})
}

type decideInput struct {
	ID   string `path:"id"`
	Body struct {
		Action    string `json:"action" enum:"refund,release,split,replacement,return_then_refund"`
		SellerBPS *int   `json:"seller_bps,omitempty" doc:"The seller's share; the buyer gets the rest"`
		BuyerBPS  *int   `json:"buyer_bps,omitempty" doc:"When sent too, both must make the whole"`
		FeePayer  string `json:"fee_payer,omitempty" enum:"seller,buyer,none" default:"seller"`
		Reason    string `json:"reason" minLength:"3" maxLength:"4000"`
		Measures  []struct {
			Measure string `json:"measure" enum:"warn,ban"`
			Target  string `json:"target" enum:"buyer,seller"`
			Reason  string `json:"reason,omitempty" maxLength:"1000"`
		} `json:"side_measures,omitempty" maxItems:"4"`
	}
}

func (s *Server) decideDispute(ctx context.Context, c *call, in *decideInput) (reply, error) {
	return s.inDisputeOr(ctx, c, in.ID, func(id domain.DisputeID, d dispute.State) (flow, error) {
		if c.user() == d.Buyer || c.user() == d.Seller {
			return nil, errConflictOfInterest
		}
		f := settlement.DecideDispute{
			Issue: c.issue(), Dispute: id, Action: dispute.Action(in.Body.Action), FeePayer: dispute.FeePayer(in.Body.FeePayer),
			Reason: c.about(in.Body.Reason), Payouts: s.payoutsOf(ctx, d.Hold),
		}
		if in.Body.BuyerBPS != nil && (in.Body.SellerBPS == nil || *in.Body.BuyerBPS+*in.Body.SellerBPS != int(money.All)) {
			return nil, dispute.ErrInvalidSplit.Because("the shares must make the whole: %d basis points", money.All)
		}
		if in.Body.SellerBPS != nil {
			bps, err := share(*in.Body.SellerBPS)
			if err != nil {
				return nil, err
			}
			f.SellerBPS = &bps
		}
		for _, m := range in.Body.Measures {
			target := d.Buyer
			if m.Target == "seller" {
				target = d.Seller
			}
			f.SideMeasures = append(f.SideMeasures, settlement.SideMeasure{Measure: dispute.Measure(m.Measure), Target: target, Reason: domain.About(target, m.Reason)})
		}
		return f, nil
	})
}

// errConflictOfInterest: nobody judges an own case, whatever roles they hold.
var errConflictOfInterest = fault.New(fault.Forbidden, "CONFLICT_OF_INTEREST", "this concerns you; somebody else must do it")

type appealInput struct {
	ID   string `path:"id"`
	Body struct {
		Grounds  string       `json:"grounds" minLength:"3" maxLength:"4000"`
		Evidence []EvidenceIn `json:"evidence,omitempty" maxItems:"10"`
	}
}

func (s *Server) appealDispute(ctx context.Context, c *call, in *appealInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.AppealDispute{Issue: c.issue(), Dispute: id, Grounds: c.about(in.Body.Grounds), Evidence: c.evidence(in.Body.Evidence)}
	})
}

func (s *Server) withdrawDispute(ctx context.Context, c *call, in *disputeInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.WithdrawDispute{Issue: c.issue(), Dispute: id}
	})
}

type rejectDisputeInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"2000"`
	}
}

func (s *Server) rejectDispute(ctx context.Context, c *call, in *rejectDisputeInput) (reply, error) {
	return s.inDisputeOr(ctx, c, in.ID, func(id domain.DisputeID, d dispute.State) (flow, error) {
		if c.user() == d.Buyer || c.user() == d.Seller {
			return nil, errConflictOfInterest
		}
		return settlement.RejectDispute{Issue: c.issue(), Dispute: id, Reason: c.about(in.Body.Reason)}, nil
	})
}

func (s *Server) confirmReturn(ctx context.Context, c *call, in *disputeInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.ConfirmReturn{Issue: c.issue(), Dispute: id}
	})
}

func (s *Server) closeDispute(ctx context.Context, c *call, in *disputeInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.CloseDispute{Issue: c.issue(), Dispute: id}
	})
}
