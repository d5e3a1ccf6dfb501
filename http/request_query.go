package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/request"
	"holdfast/projections"
	"holdfast/projections/offerview"
	"holdfast/projections/requestview"
	"holdfast/projections/timelineview"
)

func requestQueries() []Route {
	route := func(rest, summary string, roles []domain.Capacity) Route {
		return Route{Method: "GET", Path: requestsPath + rest, Aliases: requestAliases(rest), Roles: roles, Class: Query, Rate: RateGeneral, Views: []string{requestview.Name, offerview.Name}, Summary: summary}
	}
	timeline := route("/{id}/timeline", "What happened to the order", Any)
	timeline.Views = append(timeline.Views, timelineview.Name)
	return []Route{
		on[listRequestsInput, []RequestOut](route("", "Requests: the own ones, and for sellers those that are open", Any), (*Server).listRequests),
		on[requestInput, RequestOut](route("/{id}", "A request with its offers", Any), (*Server).getRequest),
		on[requestInput, []OfferOut](route("/{id}/offers", "Its offers; a seller sees the own one", Any), (*Server).offersOfRequest),
		on[timelineInput, []Happening](timeline, (*Server).orderTimeline),
	}
}

// RequestOut is a request as this caller may see it. Who has not been selected does not
// learn who the buyer is or where the goods go.
type RequestOut struct {
	ID             domain.RequestID `json:"id"`
	Version        int64            `json:"version"`
	BuyerID        domain.UserID    `json:"buyerId,omitempty" doc:"Hidden from sellers before selection"`
	Status         string           `json:"status" doc:"The original's word"`
	State          string           `json:"state"`
	Revision       int              `json:"revision"`
	Title          string           `json:"title"`
	Description    string           `json:"description"`
	CategoryID     string           `json:"categoryId"`
	ProductType    string           `json:"productType"`
	ProductLink    string           `json:"productLink,omitempty"`
	Size           string           `json:"size,omitempty"`
	Color          string           `json:"color,omitempty"`
	Brand          string           `json:"brand,omitempty"`
	Specifications []request.Spec   `json:"specifications,omitempty"`
	Quantity       int              `json:"quantity"`
	Budget         *request.Budget  `json:"budget,omitempty"`
	Urgency        string           `json:"urgency"`
	Attachments    []string         `json:"attachments,omitempty"`
	OffersCount    int              `json:"offersCount"`
	Delivery       *DeliveryIn      `json:"deliveryInfo,omitempty" doc:"The parties only"`
	Selected       *SelectedOut     `json:"selected,omitempty" doc:"The parties only"`
	DisputeID      domain.DisputeID `json:"disputeId,omitempty"`
	Shipping       *ShippingOut     `json:"shipping,omitempty"`
	Invited        []domain.UserID  `json:"preferredSellerIds,omitempty" doc:"The buyer only"`
	Offers         []OfferOut       `json:"offers,omitempty"`
	CreatedAt      time.Time        `json:"createdAt"`
	UpdatedAt      time.Time        `json:"updatedAt"`
	ExpiresAt      *time.Time       `json:"expiresAt,omitempty"`
}

// SelectedOut is the offer an order is about.
type SelectedOut struct {
	OfferID  domain.OfferID `json:"offerId"`
	Revision int            `json:"revision"`
	SellerID domain.UserID  `json:"sellerId"`
	HoldID   domain.HoldID  `json:"holdId"`
	Price    money.Amount   `json:"price"`
}

// ShippingOut is where the goods are.
type ShippingOut struct {
	Carrier  string    `json:"carrier"`
	Tracking string    `json:"tracking,omitempty"`
	At       time.Time `json:"at"`
}

func (c *call) requestOut(row requestview.Row) RequestOut {
	d := row.Doc
	out := RequestOut{
		ID: d.ID, Version: row.Version, Status: d.LegacyStatus, State: d.Phase, Revision: d.State.Revision,
		Title: d.Details.Title, Description: textOf(d.Details.Description), CategoryID: d.Details.CategoryID, ProductType: d.Details.ProductType,
		ProductLink: d.Details.ProductLink, Size: d.Details.Size, Color: d.Details.Color, Brand: d.Details.Brand, Specifications: d.Details.Specifications,
		Quantity: d.Details.Quantity, Urgency: d.Details.Urgency, Attachments: d.Details.Attachments, OffersCount: len(d.State.Offers),
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, ExpiresAt: timeOf(d.Details.ExpiresAt),
	}
	if d.Details.Budget.Currency != "" {
		out.Budget = &d.Details.Budget
	}
	isBuyer := c.is(d.Buyer) || c.has(domain.Admin)
	if isBuyer {
		out.Invited = d.Invited
	}
	if !isBuyer && !c.is(d.Seller()) {
		return out
	}
	out.BuyerID, out.DisputeID = d.Buyer, d.Dispute
	var where DeliveryIn
	if json.Unmarshal([]byte(d.Details.Delivery.Text), &where) == nil {
		out.Delivery = &where
	}
	if s := d.Selected; s != nil {
		out.Selected = &SelectedOut{OfferID: s.Offer, Revision: s.Revision, SellerID: s.Seller, HoldID: s.Hold, Price: s.Price}
	}
	if s := d.Shipping; s != nil {
		out.Shipping = &ShippingOut{Carrier: s.Carrier, Tracking: textOf(s.Tracking), At: s.At}
	}
	return out
}

type listRequestsInput struct {
	Page
	Status      string  `query:"status" enum:"Draft,Open,OffersReceived,Negotiating,AwaitingPayment,Processing,Shipped,Delivered,Completed,Cancelled,Expired"`
	CategoryID  string  `query:"categoryId" maxLength:"64"`
	ProductType string  `query:"productType" maxLength:"60"`
	Urgency     string  `query:"urgency" enum:"low,medium,high,urgent"`
	BudgetMin   Decimal `query:"budgetMin"`
	BudgetMax   Decimal `query:"budgetMax"`
	Search      string  `query:"search" maxLength:"200" doc:"Taken literally"`
	Mine        bool    `query:"mine" doc:"Only the own ones"`
	SellerID    string  `query:"sellerId" maxLength:"36" doc:"The selected seller; others than oneself for admins only"`
	BuyerID     string  `query:"buyerId" maxLength:"36" doc:"For admins only"`
	Sort        string  `query:"sort" enum:"newest,oldest,cheapest,dearest" default:"newest"`
}

var requestSorts = map[string]projections.Sort{
	"newest": projections.Newest, "oldest": projections.Oldest,
	"cheapest": requestview.CheapestFirst, "dearest": requestview.DearestFirst,
}

func (s *Server) listRequests(ctx context.Context, c *call, in *listRequestsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f := requestview.Filter{
		Phase: in.Status, Category: in.CategoryID, ProductType: in.ProductType, Urgency: in.Urgency,
		BudgetMin: string(in.BudgetMin), BudgetMax: string(in.BudgetMax), Search: in.Search,
	}
	me := string(c.user())
	if !c.has(domain.Admin) && (in.BuyerID != "" && in.BuyerID != me || in.SellerID != "" && in.SellerID != me) {
		return reply{}, fault.ErrForbidden
	}
	f.Buyer, f.Seller = domain.UserID(in.BuyerID), domain.UserID(in.SellerID)
	switch {
	case c.has(domain.Admin) && !in.Mine:
	case c.has(domain.Seller) && !in.Mine:
		f.VisibleTo = c.user()
	case f.Seller == "":
		f.Buyer = c.user()
	}
	list, err := v.Requests.List(ctx, f, in.ask(requestSorts[in.Sort]))
	return listed(list, err, c.requestOut)
}

func (s *Server) requestRow(ctx context.Context, c *call, id string) (requestview.Row, error) {
	v, err := s.views()
	if err != nil {
		return requestview.Row{}, err
	}
	row, err := v.Requests.Get(ctx, domain.RequestID(id))
	if err != nil {
		return row, err
	}
	d := row.Doc
	if !c.seesRequest(d.Buyer, d.Seller(), d.Visible) {
		return requestview.Row{}, fault.ErrNotFound
	}
	return row, nil
}

func (s *Server) getRequest(ctx context.Context, c *call, in *requestInput) (reply, error) {
	row, err := s.requestRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	out := c.requestOut(row)
	offers, err := s.offersSeen(ctx, c, row)
	out.Offers = shown(offers, offerOut)
	return reply{data: out, version: row.Version}, err
}

// offersSeen is every offer for the buyer and an admin, the own ones for a seller.
func (s *Server) offersSeen(ctx context.Context, c *call, row requestview.Row) ([]offerview.Row, error) {
	only := c.user()
	if c.is(row.Doc.Buyer) || c.has(domain.Admin) {
		only = ""
	}
	return s.deps.Views.Offers.OfRequest(ctx, row.Doc.ID, only)
}

func (s *Server) offersOfRequest(ctx context.Context, c *call, in *requestInput) (reply, error) {
	row, err := s.requestRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	offers, err := s.offersSeen(ctx, c, row)
	return reply{data: shown(offers, offerOut)}, err
}
