package requestview

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/request"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Row is a request as queries give it.
type Row = projections.Row[Doc]

// Queries read the requests.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Buyer       domain.UserID
	Seller      domain.UserID // the selected one
	VisibleTo   domain.UserID // a seller: open requests, those he was invited to or selected for, and his own
	Phase       string
	Category    string
	ProductType string
	Urgency     string
	Currency    string
	BudgetMin   string // a decimal: requests whose budget reaches up to it
	BudgetMax   string // a decimal: requests whose budget begins at or below it
	Search      string // text in title or brand; % and _ mean themselves
}

// The orders of a list, beside projections.Newest and projections.Oldest.
var (
	CheapestFirst = projections.Sort{Name: "cheapest", Column: "budget_max", Up: true}
	DearestFirst  = projections.Sort{Name: "dearest", Column: "budget_max"}
)

// Get gives one request; fault.ErrNotFound when there is none. The caller checks who may see
// it: State.Visible, Buyer, Seller.
func (q Queries) Get(ctx context.Context, id domain.RequestID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// OfHold gives the request that a hold is for.
func (q Queries) OfHold(ctx context.Context, hold domain.HoldID) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("hold", string(hold)))
}

// List gives requests, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, f.sql(), page)
}

func (f Filter) sql() *projections.Filter {
	s := new(projections.Filter).
		Eq("buyer", string(f.Buyer)).Eq("seller", string(f.Seller)).Eq("phase", f.Phase).
		Eq("category", f.Category).Eq("product_type", f.ProductType).Eq("urgency", f.Urgency).Eq("currency", f.Currency)
	if f.VisibleTo != "" {
		own := new(projections.Filter).Not("phase", request.Draft).
			Any(new(projections.Filter).Is("seller", string(f.VisibleTo)), new(projections.Filter).Has("invited", string(f.VisibleTo)))
		s.Any(new(projections.Filter).In("phase", request.Open, request.OffersReceived, request.Negotiating), new(projections.Filter).Is("buyer", string(f.VisibleTo)), own)
	}
	if f.BudgetMin != "" {
		s.AtLeast("budget_max", f.BudgetMin)
	}
	if f.BudgetMax != "" {
		s.Any(new(projections.Filter).Missing("budget_min"), new(projections.Filter).AtMost("budget_min", f.BudgetMax))
	}
	return s.Contains("search", "(COALESCE(title, '') || ' ' || COALESCE(brand, ''))", f.Search)
}
