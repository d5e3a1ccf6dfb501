package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"holdfast/cmd/internal/apiclient"
)

// QuotedOrder is priced in euros and paid in USDC.
func (s *Stage) QuotedOrder(ctx context.Context) error {
	s.chapter("A price in euros, paid in USDC by a quote")
	o := order{revision: 1}
	if err := s.do(ctx, "A seller asks for 75.50 € for what the buyer wants", func() (string, error) {
		var err error
		if o.request, err = s.publish(ctx, "A box of records"); err != nil {
			return "", err
		}
		a, err := post(ctx, s.seller, "/api/marketplace/offers", map[string]any{
			"purchaseRequestId": o.request, "title": "Forty records", "price": map[string]string{"currency": "EUR", "display": "75.50"},
			"deliveryTime": map[string]any{"amount": 3, "unit": "days"}, "validUntil": time.Now().Add(24 * time.Hour).UTC(),
		})
		o.offer = a.Get("offer")
		return "offer " + o.offer, err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "The buyer accepts; what is due in tokens is still open", func() (string, error) {
		_, err := post(ctx, s.buyer, "/api/marketplace/requests/"+o.request+"/select-offer", map[string]any{"offerId": o.offer, "revision": 1})
		return "", err
	}); err != nil {
		return err
	}
	quote := ""
	if err := s.do(ctx, "The buyer asks for a quote: a feed on the chain and two markets are asked, the median counts", func() (string, error) {
		a, err := post(ctx, s.buyer, "/api/payment/quotes", map[string]string{"offerId": o.offer, "asset": "USDC@1337"})
		if err != nil {
			return "", err
		}
		quote = a.Get("quote")
		return s.shownQuote(ctx, quote)
	}); err != nil {
		return err
	}
	if err := s.open(ctx, &o, map[string]any{"quoteId": quote}); err != nil {
		return err
	}
	if err := s.payFrom(ctx, &o, 1); err != nil {
		return err
	}
	return s.do(ctx, "The hold is funded with exactly what the quote said; the quote is used up", func() (string, error) {
		if _, err := s.await(ctx, s.buyer, "/api/payment/"+o.payment, "state", "Paid"); err != nil {
			return "", err
		}
		a, err := s.buyer.Call(ctx, apiclient.GET, "/api/payment/quotes/"+quote, nil)
		return "the quote is " + a.Get("state"), err
	})
}

// shownQuote tells a quote with what each source said.
func (s *Stage) shownQuote(ctx context.Context, id string) (string, error) {
	a, err := s.buyer.Call(ctx, apiclient.GET, "/api/payment/quotes/"+id, nil)
	if err != nil {
		return "", err
	}
	var q struct {
		AmountDue struct{ Display string } `json:"amountDue"`
		Rates     []struct {
			Source   string `json:"source"`
			Readings []struct {
				Pair     string      `json:"pair"`
				Answer   json.Number `json:"answer"`
				Decimals int         `json:"decimals"`
			} `json:"readings"`
		} `json:"rates"`
	}
	if err := a.Into(&q); err != nil {
		return "", err
	}
	var said []string
	for _, r := range q.Rates {
		said = append(said, r.Source)
	}
	return fmt.Sprintf("%s USDC are due, by %s", q.AmountDue.Display, strings.Join(said, ", ")), nil
}
