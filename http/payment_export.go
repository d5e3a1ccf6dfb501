package http

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"holdfast/domain"
	"holdfast/projections"
	"holdfast/projections/paymentview"
)

type exportPaymentsInput struct {
	Format string    `query:"format" enum:"csv,ndjson" default:"csv"`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
}

// exportPayments streams page by page, oldest first: memory does not grow with the rows.
func (s *Server) exportPayments(ctx context.Context, c *call, in *exportPaymentsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f := paymentview.Filter{From: in.From, To: in.To}
	if !c.has(domain.Admin) {
		f.Seller = c.user()
	}
	return reply{write: func(ec echo.Context) error {
		h := ec.Response().Header()
		h.Set("Content-Disposition", `attachment; filename="payments.`+in.Format+`"`)
		rows := newRowWriter(in.Format, ec.Response(), h)
		ec.Response().WriteHeader(http.StatusOK)
		for page := (projections.Page{Limit: 100, Sort: projections.Oldest}); ; {
			nextPart(ec)
			list, err := v.Payments.List(ctx, f, page)
			if err != nil {
				return err
			}
			for _, row := range list.Rows {
				if err := rows(s, paymentOut(row)); err != nil {
					return err
				}
			}
			if page.Cursor = list.Next; list.Next == "" {
				return nil
			}
		}
	}}, nil
}

// newRowWriter writes payments in a format; CSV begins with its header.
func newRowWriter(format string, w io.Writer, h http.Header) func(*Server, PaymentOut) error {
	if format == "ndjson" {
		h.Set("Content-Type", "application/x-ndjson")
		return func(s *Server, p PaymentOut) error {
			raw, err := json.Marshal(p)
			if err != nil {
				return err
			}
			_, err = w.Write(append(s.dress(nil, raw), '\n'))
			return err
		}
	}
	h.Set("Content-Type", "text/csv; charset=utf-8")
	out := csv.NewWriter(w)
	begun := false
	return func(s *Server, p PaymentOut) error {
		if !begun {
			begun = true
			if err := out.Write([]string{"id", "purchaseRequestId", "buyerId", "sellerId", "status", "state", "exception", "asset", "due", "dueDisplay", "paid", "createdAt"}); err != nil {
				return err
			}
		}
		decimals, _ := s.deps.Registry.Decimals(p.Due.Asset)
		cells := []string{
			string(p.ID), string(p.RequestID), string(p.BuyerID), string(p.SellerID), p.Status, p.State, string(p.Exception),
			string(p.Due.Asset), p.Due.Units.String(), p.Due.Units.Decimal(decimals), p.Paid.Units.String(), p.CreatedAt.Format(time.RFC3339),
		}
		for i := range cells {
			cells[i] = inert(cells[i])
		}
		err := out.Write(cells)
		out.Flush()
		return err
	}
}

// inert keeps a spreadsheet from taking a cell for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
