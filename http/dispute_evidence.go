package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/settlement"
)

type respondInput struct {
	ID   string `path:"id"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"5000"`
	}
}

func (s *Server) respondToDispute(ctx context.Context, c *call, in *respondInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.RespondToDispute{Issue: c.issue(), Dispute: id, Text: c.about(in.Body.Text)}
	})
}

type evidenceInput struct {
	ID   string `path:"id"`
	Body EvidenceIn
}

func (s *Server) submitEvidence(ctx context.Context, c *call, in *evidenceInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.SubmitEvidence{Issue: c.issue(), Dispute: id, Evidence: c.evidence([]EvidenceIn{in.Body})[0]}
	})
}

type requestEvidenceInput struct {
	ID   string `path:"id"`
	Body struct {
		From  string    `json:"from" enum:"buyer,seller,both"`
		DueBy time.Time `json:"due_by"`
		What  string    `json:"what" minLength:"3" maxLength:"2000"`
	}
}

func (s *Server) requestEvidence(ctx context.Context, c *call, in *requestEvidenceInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.RequestMoreEvidence{Issue: c.issue(), Dispute: id, From: in.Body.From, DueBy: in.Body.DueBy.UTC(), What: c.about(in.Body.What)}
	})
}

func (s *Server) closeEvidence(ctx context.Context, c *call, in *disputeInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.CloseEvidence{Issue: c.issue(), Dispute: id}
	})
}

func (s *Server) escalateDispute(ctx context.Context, c *call, in *disputeInput) (reply, error) {
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, _ dispute.State) flow {
		return settlement.EscalateDispute{Issue: c.issue(), Dispute: id}
	})
}
