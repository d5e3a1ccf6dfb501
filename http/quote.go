package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
)

func quoteRoutes() []Route {
	return []Route{
		on[quoteInput, order.QuoteAnswer](Route{
			Method: "POST", Path: paymentsPath + "/quotes", Roles: buyer, Class: Command, Rate: RatePayment, Status: 201, Summary: "What an offer costs in an asset; the quote before ends",
			Errors: []string{"QUOTE_UNAVAILABLE", "ORACLE_UNAVAILABLE", "ORACLE_DIVERGENCE", "DEPEG_LIMIT", "ASSET_NOT_SUPPORTED", "PRICE_MISMATCH"},
		}, (*Server).issueQuote),
	}
}

type quoteInput struct {
	Body struct {
		OfferID string `json:"offerId" format:"uuid"`
		Asset   string `json:"asset,omitempty" maxLength:"200" doc:"What you want to pay in; left out = the price's own asset"`
	}
}

// issueQuote asks the price sources first: the command carries what they said, and no
// transaction waits for them.
func (s *Server) issueQuote(ctx context.Context, c *call, in *quoteInput) (reply, error) {
	o, err := s.offerFor(ctx, c, in.Body.OfferID)
	if err != nil {
		return reply{}, err
	}
	if c.user() != o.Buyer {
		return reply{}, fault.ErrForbidden
	}
	price := o.Terms.Price.Amount
	settle := price.Asset
	if in.Body.Asset != "" {
		asset, ok := s.deps.Registry.Asset(in.Body.Asset)
		if !ok {
			return reply{}, errNoSuchAsset.At("asset", "unknown")
		}
		settle = asset
	}
	i := c.issue()
	f := order.IssueQuote{Issue: quote.Issue{
		Issue: i, Quote: domain.QuoteID(c.newID("quote")), Offer: o.ID, Buyer: c.user(), Price: price.Units,
		Currency: string(price.Asset), Settle: settle, Rule: s.config.Quoting.Rule, ExpiresAt: i.At.Add(s.config.Quoting.Life),
	}}
	if settle != price.Asset {
		if f.Rates, err = s.rates(ctx, price.Asset, settle); err != nil {
			return reply{}, err
		}
	} else if _, fiat := price.Asset.Currency(); fiat {
		return reply{}, fault.ErrValidation.At("asset", "name the asset that you want to pay in")
	}
	return s.run(ctx, c, of(quote.Decider, f.Quote), f)
}

var errNoSuchAsset = fault.New(fault.Rule, "ASSET_NOT_SUPPORTED", "nobody registered this asset, or it is not taken")

// rates asks the sources what a price in a currency is in a token.
func (s *Server) rates(ctx context.Context, price, settle money.Asset) ([]quote.Rate, error) {
	token, ok := s.deps.Registry.Token(settle)
	if !ok || token.Disabled {
		return nil, errNoSuchAsset.At("asset", "not taken")
	}
	if _, fiat := price.Currency(); !fiat {
		return nil, quote.ErrUnavailable.Because("an offer priced in an asset is paid in that asset")
	}
	if s.deps.Oracle == nil {
		return nil, quote.ErrUnavailable.Because("quotes by price sources are switched off (ORACLE_QUOTING_ENABLED)")
	}
	return s.deps.Oracle.Rates(ctx, price, token)
}

// due is what a payment of this hold has to bring: by its quote, or by the fixed price. What the
// command will refuse is refused here already, before an address is derived for it.
func (s *Server) due(ctx context.Context, c *call, f funding.InitiatePayment, hold escrow.State, asset string) (money.Amount, error) {
	settle := money.Asset("")
	if asset != "" {
		var ok bool
		if settle, ok = s.deps.Registry.Asset(asset); !ok || (!hold.ByQuote() && settle != hold.Due.Asset) {
			return money.Amount{}, payment.ErrAssetNotTaken.With("asset", hold.Due.Asset)
		}
	}
	due := hold.Due
	if f.Quote != "" {
		q, _, err := stateOf(ctx, s, quote.Decider, f.Quote)
		if err != nil && !isMissing(err) {
			return due, err
		}
		lock := quote.Lock{
			Issue: domain.Issue{By: domain.Machine(domain.Process, "checkout"), At: f.At}, Payment: f.Payment,
			Buyer: c.user(), Offer: hold.Offer, Price: hold.Agreed(), Settle: settle,
		}
		if _, err := quote.Decider.Decide(q, lock); err != nil {
			return due, err
		}
		due = q.AmountDue
	} else if hold.ByQuote() {
		return due, escrow.ErrQuoteRequired
	}
	missing, _ := due.Units.Sub(hold.In())
	return money.Of(due.Asset, missing), nil
}

func isMissing(err error) bool {
	f, ok := fault.From(err)
	return ok && f.Kind == fault.NotFound
}

// timeToPay is shorter for a quote: whoever may wait longer waits for a better price.
func (s *Server) timeToPay(hold escrow.State, t Terms) time.Duration {
	if hold.ByQuote() {
		return min(t.PaymentExpiry, s.config.Quoting.TimeToPay)
	}
	return t.PaymentExpiry
}
