package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/order"
	"holdfast/domain/request"
)

type requestStatusInput struct {
	ID   string `path:"id"`
	Body struct {
		Status string `json:"status" maxLength:"40"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

// patchRequestStatus takes the statuses of the original that are somebody's decision. All
// others follow from what happens.
func (s *Server) patchRequestStatus(ctx context.Context, c *call, in *requestStatusInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		i := c.issue()
		switch {
		case in.Body.Status == "cancelled":
			return order.CancelRequest{Issue: i, Request: id, Reason: in.Body.Reason}, nil
		case in.Body.Status == "active" || in.Body.Status == "pending":
			return order.PublishRequest{Issue: i, Request: id}, nil
		case in.Body.Status == "delivery":
			return order.MarkShipped{Issue: i, Request: id}, nil
		case in.Body.Status == "delivered" && c.user() == r.Buyer:
			return order.ConfirmDelivery{Issue: i, Request: id, Reason: in.Body.Reason}, nil
		}
		return nil, errStatusByPatch.With("status", in.Body.Status)
	})
}
