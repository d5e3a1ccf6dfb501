package http

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections/escrowview"
	"holdfast/projections/statementview"
)

func ownMoneyRoutes() []Route {
	return []Route{
		on[struct{}, []OwnBalance](viewing(userRoute("GET", "/balances", "One's money, per asset", Any, Query), escrowview.Name), (*Server).ownBalances),
		on[ownStatementInput, []StatementLine](viewing(userRoute("GET", "/statement", "One's account line by line with its running balance", Any, Query), statementview.Name), (*Server).ownStatement),
	}
}

// OwnBalance is a person's money in one asset.
type OwnBalance struct {
	Asset money.Asset `json:"asset"`
	// Available may be paid out or spent; Reserved is kept back for a while.
	Available money.Amount `json:"available"`
	Reserved  money.Amount `json:"reserved"`
	// Paying is on its way out.
	Paying money.Amount `json:"paying"`
	// Pending is what orders as a seller hold and have not released, InEscrow what one has paid
	// into orders as a buyer.
	Pending  money.Amount `json:"pending"`
	InEscrow money.Amount `json:"inEscrow"`
}

// ownBalances adds up the ledger's accounts of the caller and the holds of their open orders.
func (s *Server) ownBalances(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	sums := map[money.Asset]*OwnBalance{}
	of := func(a money.Asset) *OwnBalance {
		if sums[a] == nil {
			zero := money.Of(a, money.FromUint64(0))
			sums[a] = &OwnBalance{Asset: a, Available: zero, Reserved: zero, Paying: zero, Pending: zero, InEscrow: zero}
		}
		return sums[a]
	}
	for _, side := range []string{"buyer:", "seller:"} {
		totals, err := s.deps.Executor.Store().Balances(ctx, side+string(c.user())+":", 0)
		if err != nil {
			return reply{}, err
		}
		for _, t := range totals {
			if err := addOwn(of(t.Asset), t, c.user()); err != nil {
				return reply{}, err
			}
		}
	}
	holds, err := v.Holds.OpenOf(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for _, h := range holds {
		b := of(h.Doc.Due.Asset)
		sum := &b.InEscrow.Units
		if h.Doc.Seller == c.user() {
			sum = &b.Pending.Units
		}
		if *sum, err = sum.Add(h.Doc.Left()); err != nil {
			return reply{}, err
		}
	}
	all := []OwnBalance{}
	for _, b := range sums {
		all = append(all, *b)
	}
	slices.SortFunc(all, func(a, b OwnBalance) int { return strings.Compare(string(a.Asset), string(b.Asset)) })
	return reply{data: all}, nil
}

// addOwn adds one account of the ledger. Its normal side is credit; a fact may have taken it
// below zero, which shows as nothing.
func addOwn(b *OwnBalance, t eventstore.Totals, u domain.UserID) (err error) {
	posted, _ := t.CreditsPosted.Sub(t.DebitsPosted)
	free, _ := posted.Sub(t.DebitsPending)
	sum := &b.Available.Units
	if t.Account == ledger.SellerReserve(u) {
		sum = &b.Reserved.Units
	}
	if *sum, err = sum.Add(free); err != nil {
		return err
	}
	b.Paying.Units, err = b.Paying.Units.Add(t.DebitsPending)
	return err
}

type ownStatementInput struct {
	Asset   string    `query:"asset" maxLength:"200" required:"true"`
	Account string    `query:"account" enum:"buyer,seller,reserve" doc:"Which of one's accounts; without it the seller's for a seller, else the buyer's"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to" doc:"Exclusive"`
	Format  string    `query:"format" enum:"json,csv" default:"json"`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor  string    `query:"cursor" maxLength:"200"`
}

func (s *Server) ownStatement(ctx context.Context, c *call, in *ownStatementInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	if !in.From.IsZero() && !in.To.IsZero() && !in.To.After(in.From) {
		return reply{}, fault.ErrValidation.At("query.to", "after from")
	}
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return reply{}, err
	}
	after, err := readPositionCursor("own statement", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	found, err := v.Statements.Lines(ctx, statementview.Filter{Account: ownAccount(c, in.Account), Asset: asset, From: in.From, To: in.To, After: after, Limit: in.Limit})
	if err != nil {
		return reply{}, err
	}
	lines := statementLines(found)
	if in.Format == "csv" {
		return reply{write: func(ec echo.Context) error { return writeStatement(ec, lines) }}, nil
	}
	var next int64
	if len(lines) == in.Limit {
		next = lines[len(lines)-1].N
	}
	return reply{data: lines, meta: nextPage("own statement", next)}, nil
}

// ownAccount is the account of the caller that is meant; nobody can name one of others.
func ownAccount(c *call, which string) ledger.Account {
	switch {
	case which == "reserve":
		return ledger.SellerReserve(c.user())
	case which == "seller", which == "" && c.has(domain.Seller):
		return ledger.SellerAvailable(c.user())
	}
	return ledger.BuyerAvailable(c.user())
}
