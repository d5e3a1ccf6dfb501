package http

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/projections/statementview"
)

func statementRoutes() []Route {
	return []Route{
		on[statementInput, []StatementLine](Route{Method: "GET", Path: "/api/ledger/statements/{account}", Names: map[string]string{"account": "an account path"}, Roles: adminGuard, Class: Query, Rate: RateGeneral, Views: []string{statementview.Name}, Summary: "An account line by line with its running balance"}, (*Server).statement),
	}
}

// StatementLine is one entry with the balance after it.
type StatementLine struct {
	N        int64        `json:"n"`
	Position int64        `json:"position"`
	Side     string       `json:"side" enum:"debit,credit"`
	Amount   money.Amount `json:"amount"`
	Balance  string       `json:"balance" doc:"Base units on the account's normal side"`
	At       time.Time    `json:"at"`
}

type statementInput struct {
	Account string    `path:"account"`
	Asset   string    `query:"asset" maxLength:"200" required:"true"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to" doc:"Exclusive"`
	Format  string    `query:"format" enum:"json,csv" default:"json"`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor  string    `query:"cursor" maxLength:"200"`
}

func (s *Server) statement(ctx context.Context, _ *call, in *statementInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	account := ledger.Account(in.Account)
	if _, err := ledger.KindOf(account); err != nil {
		return reply{}, fault.ErrNotFound
	}
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return reply{}, err
	}
	after, err := readPositionCursor("statement", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	found, err := v.Statements.Lines(ctx, statementview.Filter{Account: account, Asset: asset, From: in.From, To: in.To, After: after, Limit: in.Limit})
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
	return reply{data: lines, meta: nextPage("statement", next)}, nil
}

func statementLines(found []statementview.Line) []StatementLine {
	lines := []StatementLine{}
	for _, l := range found {
		side := "credit"
		if l.Debit {
			side = "debit"
		}
		lines = append(lines, StatementLine{N: l.N, Position: l.Position, Side: side, Amount: money.Of(l.Asset, l.Amount), Balance: l.Balance, At: l.At})
	}
	return lines
}

func writeStatement(ec echo.Context, lines []StatementLine) error {
	ec.Response().Header().Set("Content-Type", "text/csv; charset=utf-8")
	ec.Response().WriteHeader(http.StatusOK)
	out := csv.NewWriter(ec.Response())
	if err := out.Write([]string{"n", "position", "at", "side", "asset", "amount", "balance"}); err != nil {
		return err
	}
	for _, l := range lines {
		if err := out.Write([]string{
			strconv.FormatInt(l.N, 10), strconv.FormatInt(l.Position, 10), l.At.Format(time.RFC3339), l.Side,
			string(l.Amount.Asset), l.Amount.Units.String(), l.Balance,
		}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
