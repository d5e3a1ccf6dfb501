package http

import (
	"context"
	"encoding/json"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/order"
	"holdfast/domain/request"
)

const requestsPath = "/api/marketplace/requests"

// requestAliases gives the second mount of the original for a path below requests.
func requestAliases(rest string) []string {
	return []string{"/api/marketplace/purchase-requests" + rest}
}

func requestRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, errors ...string) Route {
		return Route{Method: method, Path: requestsPath + rest, Aliases: requestAliases(rest), Roles: roles, Class: Command, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	created := func(r Route) Route { r.Status = 201; return r }
	money := func(r Route) Route { r.Money = true; return r }
	also := func(r Route, rest ...string) Route {
		for _, p := range rest {
			r.Aliases = append(append(r.Aliases, requestsPath+p), requestAliases(p)...)
		}
		return r
	}
	return []Route{
		on[createRequestInput, order.RequestAnswer](created(route("POST", "", "Ask for something", buyer, "CATEGORY_INACTIVE")), (*Server).createRequest),
		on[updateRequestInput, order.RequestAnswer](route("PATCH", "/{id}", "Change what is wanted", buyer, "REQUEST_LOCKED"), (*Server).updateRequest),
		on[cancelRequestInput, order.RequestAnswer](money(route("POST", "/{id}/cancel", "Cancel; never a deletion", partiesAdmin, "REFUND_REQUIRED")), (*Server).cancelRequest),
		on[cancelRequestInput, order.RequestAnswer](money(route("DELETE", "/{id}", "As cancel", partiesAdmin, "REFUND_REQUIRED")), (*Server).cancelRequest),
		on[requestInput, order.RequestAnswer](route("POST", "/{id}/publish", "Show it to sellers", buyer), (*Server).publishRequest),
		on[inviteInput, order.RequestAnswer](route("POST", "/{id}/invite", "Invite sellers", buyer), (*Server).inviteSellers),
		on[selectOfferInput, order.SelectionAnswer](money(route("POST", "/{id}/select-offer", "Take an offer: its hold is opened", buyer, "OFFER_NOT_SELECTABLE", "OFFER_REVISION_STALE", "ALREADY_SELECTED", "OFFER_EXPIRED")), (*Server).selectOffer),
		on[releaseSelectionInput, order.RequestAnswer](route("POST", "/{id}/release-selection", "Think again, before money came", buyerAdmin, "PAYMENT_IN_PROGRESS"), (*Server).releaseSelection),
		on[requestStatusInput, order.RequestAnswer](route("PATCH", "/{id}/status", "Legacy: mapped to a command where one fits", partiesAdmin, "STATUS_NOT_SETTABLE"), (*Server).patchRequestStatus),
		on[shipInput, order.RequestAnswer](route("PUT", "/{id}/delivery", "Shipped", seller, "ESCROW_NOT_FUNDED"), (*Server).markShipped),
		on[shipInput, order.RequestAnswer](route("POST", "/{id}/delivery", "Shipped", seller, "ESCROW_NOT_FUNDED"), (*Server).markShipped),
		on[requestInput, DeliveryCode](also(route("POST", "/{id}/delivery-code/generate", "A delivery code, shown once", buyer), "/{id}/delivery-code"), (*Server).issueDeliveryCode),
		on[verifyCodeInput, order.RequestAnswer](also(money(route("POST", "/{id}/delivery-code/verify", "Prove the delivery with the buyer's code", seller, "CODE_INVALID", "CODE_EXPIRED", "CODE_LOCKED")), "/{id}/verify-delivery"), (*Server).verifyDeliveryCode),
		on[confirmDeliveryInput, order.RequestAnswer](money(route("POST", "/{id}/confirm-delivery", "The goods are here: the money becomes releasable", buyerAdmin)), (*Server).confirmDelivery),
		on[revisionInput, order.RequestAnswer](route("POST", "/{id}/request-revision", "Not content yet", buyer, "REVISION_LIMIT"), (*Server).requestRevision),
	}
}

// requestFor gives a request that the caller may see: its buyer, its selected seller, a
// seller to whom it is open or who was invited, an admin.
func (s *Server) requestFor(ctx context.Context, c *call, id string) (request.State, error) {
	state, _, err := stateOf(ctx, s, request.Decider, id)
	if err != nil {
		return state, err
	}
	if !c.seesRequest(state.Buyer, state.Seller(), state.Visible) {
		err = fault.ErrNotFound
	}
	return state, err
}

// orderFor is requestFor for commands of the order's own parties.
func (s *Server) orderFor(ctx context.Context, c *call, id string) (request.State, error) {
	state, err := s.requestFor(ctx, c, id)
	if err == nil && !c.sees(OfRequest, state.Buyer, state.Seller()) {
		err = fault.ErrForbidden // a seller who may look at it
	}
	return state, err
}

func (s *Server) inOrder(ctx context.Context, c *call, id string, f func(domain.RequestID, request.State) (flow, error)) (reply, error) {
	state, err := s.orderFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	command, err := f(domain.RequestID(id), state)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(request.Decider, domain.RequestID(id)), command)
}

// holdOf gives the hold of an order whose party (or staff) the caller is.
func (s *Server) holdOf(ctx context.Context, c *call, id string) (escrow.State, error) {
	state, _, err := stateOf(ctx, s, request.Decider, id)
	if err != nil {
		return escrow.State{}, err
	}
	if !c.sees(OfHold, state.Buyer, state.Seller()) {
		return escrow.State{}, fault.ErrNotFound
	}
	if state.Selected == nil {
		return escrow.State{}, errNoHold
	}
	hold, _, err := stateOf(ctx, s, escrow.Decider, state.Selected.Hold)
	return hold, err
}

// errNoHold: there is nothing to contest or stop before an offer was taken.
var errNoHold = fault.New(fault.Conflict, "ESCROW_NOT_OPEN", "no offer has been selected, so there is no money yet")

func (s *Server) createRequest(ctx context.Context, c *call, in *createRequestInput) (reply, error) {
	id := domain.RequestID(c.newID("request"))
	var err error
	if c.rows, err = s.deliverTo(ctx, c, in.Body.Delivery, id); err != nil {
		return reply{}, err
	}
	details, err := s.details(ctx, c, in.Body.RequestIn)
	if err != nil {
		return reply{}, err
	}
	f := order.CreateRequest{
		Issue: c.issue(), Request: id, Buyer: c.user(), Details: details,
		Invited: userIDs(in.Body.PreferredSellers), Publish: in.Body.Publish,
	}
	return s.run(ctx, c, of(request.Decider, f.Request), f)
}

func (s *Server) updateRequest(ctx context.Context, c *call, in *updateRequestInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		if c.user() != r.Buyer {
			return nil, fault.ErrForbidden
		}
		merged, err := merge(detailsOut(r.Details), c.body)
		if err != nil {
			return nil, err
		}
		if d := in.Body.Delivery; d != nil && d.Address+d.AddressID != "" {
			// One of the two is new: it replaces both.
			merged.Delivery.Address, merged.Delivery.AddressID = d.Address, d.AddressID
			if c.rows, err = s.deliverTo(ctx, c, merged.Delivery, id); err != nil {
				return nil, err
			}
		}
		details, err := s.details(ctx, c, merged)
		return order.UpdateRequest{Issue: c.issue(), Request: id, Details: details}, err
	})
}

// merge lays a partial body, which the schema has checked, over what is there.
func merge(was RequestIn, body []byte) (RequestIn, error) {
	if err := json.Unmarshal(body, &was); err != nil {
		return was, errInvalidJSON
	}
	return was, nil
}

type requestInput struct {
	ID string `path:"id"`
}

func (s *Server) publishRequest(ctx context.Context, c *call, in *requestInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, _ request.State) (flow, error) {
		return order.PublishRequest{Issue: c.issue(), Request: id}, nil
	})
}

type inviteInput struct {
	ID   string `path:"id"`
	Body struct {
		Sellers []string `json:"sellerIds" minItems:"1" maxItems:"50" uniqueItems:"true"`
	}
}

func (s *Server) inviteSellers(ctx context.Context, c *call, in *inviteInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, _ request.State) (flow, error) {
		return order.InviteSellers{Issue: c.issue(), Request: id, Sellers: userIDs(in.Body.Sellers)}, nil
	})
}

func userIDs(in []string) []domain.UserID {
	var all []domain.UserID
	for _, id := range in {
		all = append(all, domain.UserID(id))
	}
	return all
}

type cancelRequestInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
		Refund bool   `json:"refund,omitempty" doc:"A funded order is cancelled only together with its refund"`
	}
}

func (s *Server) cancelRequest(ctx context.Context, c *call, in *cancelRequestInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, r request.State) (flow, error) {
		f := order.CancelRequest{Issue: c.issue(), Request: id, Reason: in.Body.Reason, Refund: in.Body.Refund, RefundID: domain.RefundID(c.newID("refund"))}
		if !in.Body.Refund || r.Selected == nil {
			return f, nil
		}
		hold, _, err := stateOf(ctx, s, escrow.Decider, r.Selected.Hold)
		if err != nil {
			return nil, err
		}
		terms, err := s.refundTerms(ctx, r.Buyer, r.Seller(), hold.Due.Asset)
		if err != nil {
			return nil, err
		}
		f.Terms = *terms
		return f, nil
	})
}

type selectOfferInput struct {
	ID   string `path:"id"`
	Body struct {
		OfferID  string `json:"offerId" format:"uuid"`
		Revision int    `json:"revision" minimum:"1" doc:"The one you have looked at"`
	}
}

func (s *Server) selectOffer(ctx context.Context, c *call, in *selectOfferInput) (reply, error) {
	return s.selectRevision(ctx, c, in.ID, domain.OfferID(in.Body.OfferID), in.Body.Revision)
}

// selectRevision takes an offer at the revision that the buyer has seen.
func (s *Server) selectRevision(ctx context.Context, c *call, id string, offerID domain.OfferID, revision int) (reply, error) {
	return s.inOrder(ctx, c, id, func(id domain.RequestID, r request.State) (flow, error) {
		o, err := s.offerFor(ctx, c, string(offerID))
		if err != nil {
			return nil, err
		}
		if o.Request != id {
			return nil, fault.ErrNotFound
		}
		terms, err := s.terms(o.Terms.Price.Amount.Asset)
		if err != nil {
			return nil, err
		}
		return order.SelectOffer{
			Issue: c.issue(), Request: id, Offer: o.ID, Revision: revision,
			Hold: domain.HoldID(c.newID("hold")), Terms: terms.Escrow,
		}, nil
	})
}

type releaseSelectionInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Server) releaseSelection(ctx context.Context, c *call, in *releaseSelectionInput) (reply, error) {
	return s.inOrder(ctx, c, in.ID, func(id domain.RequestID, _ request.State) (flow, error) {
		return order.ReleaseSelection{Issue: c.issue(), Request: id, Reason: in.Body.Reason}, nil
	})
}
