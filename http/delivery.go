package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/order"
	"holdfast/domain/request"
)

type shipInput struct {
	ID   string `path:"id"`
	Body struct {
		Carrier        string   `json:"carrier,omitempty" maxLength:"100"`
		TrackingNumber string   `json:"trackingNumber,omitempty" maxLength:"200"`
		TrackingURL    string   `json:"trackingUrl,omitempty" maxLength:"500" format:"uri"`
		Files          []string `json:"files,omitempty" maxItems:"20"`
	}
}

func (s *Server) markShipped(ctx context.Context, c *call, in *shipInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		if c.user() != r.Seller() {
			return nil, fault.ErrForbidden
		}
		tracking := joined(in.Body.TrackingNumber, in.Body.TrackingURL)
		return order.MarkShipped{Issue: c.issue(), Request: id, Carrier: in.Body.Carrier, Tracking: domain.About(r.Buyer, tracking)}, nil
	})
}

// DeliveryCode is shown once, to the buyer; the log has only its MAC.
type DeliveryCode struct {
	Code      string    `json:"code,omitempty" doc:"Absent when the answer is repeated"`
	ExpiresAt time.Time `json:"expiresAt"`
}

var budgetCodes = Budget{Class: "delivery-code", Limit: 3, Window: time.Hour}

// codeIssued answers without the code, because what a command answers is kept with its key.
type codeIssued struct{ order.IssueDeliveryCode }

func (f codeIssued) Run(u *domain.Unit) (any, error) {
	answer, err := f.IssueDeliveryCode.Run(u)
	if _, refused := answer.(*fault.Error); err != nil || refused {
		return answer, err
	}
	return DeliveryCode{ExpiresAt: f.ExpiresAt}, nil
}

func (s *Server) issueDeliveryCode(ctx context.Context, c *call, in *requestInput) (reply, error) {
	if s.deps.Codes == nil || s.deps.Policy == nil {
		return reply{}, errNotConfigured
	}
	var code string
	answer, err := s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		if c.user() != r.Buyer {
			return nil, fault.ErrForbidden
		}
		if err := s.within(ctx, budgetCodes, "request:"+string(id)); err != nil {
			return nil, err
		}
		drawn, mac, err := s.deps.Codes.New(id)
		if err != nil {
			return nil, err
		}
		code = drawn
		i := c.issue()
		return codeIssued{order.IssueDeliveryCode{Issue: i, Request: id, MAC: mac, ExpiresAt: i.At.Add(s.deps.Policy.Terms("").CodeLife)}}, nil
	})
	if err != nil || answer.replayed {
		return answer, err
	}
	var shown DeliveryCode
	if raw, ok := answer.data.(json.RawMessage); ok {
		err = json.Unmarshal(raw, &shown)
	}
	shown.Code = code
	answer.data = shown
	return answer, err
}

type verifyCodeInput struct {
	ID   string `path:"id"`
	Body struct {
		Code string `json:"code" minLength:"4" maxLength:"32"`
	}
}

func (s *Server) verifyDeliveryCode(ctx context.Context, c *call, in *verifyCodeInput) (reply, error) {
	if s.deps.Codes == nil {
		return reply{}, errNotConfigured
	}
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		if c.user() != r.Seller() {
			return nil, fault.ErrForbidden
		}
		return order.VerifyDeliveryCode{Issue: c.issue(), Request: id, MAC: s.deps.Codes.MAC(id, in.Body.Code)}, nil
	})
}

type confirmDeliveryInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"An admin must give one"`
	}
}

func (s *Server) confirmDelivery(ctx context.Context, c *call, in *confirmDeliveryInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		if c.user() == r.Seller() {
			return nil, fault.ErrForbidden
		}
		return order.ConfirmDelivery{Issue: c.issue(), Request: id, Reason: in.Body.Reason}, nil
	})
}

type revisionInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"2000"`
	}
}

func (s *Server) requestRevision(ctx context.Context, c *call, in *revisionInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, _ request.State) (flow, error) {
		return order.RequestRevision{Issue: c.issue(), Request: id, Reason: c.about(in.Body.Reason)}, nil
	})
}
