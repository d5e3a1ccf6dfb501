package requestnetwork

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Order is what a buyer is to pay.
type Order struct {
	Payee  string
	Amount money.Amount
	// Reference is our id of the command, at most 255 characters: the provider documents no
	// idempotency key, so a call repeated after a lost answer makes a second request, and
	// this is how the orphan is recognised.
	Reference string
}

// Intent is the provider's side of a payment.
type Intent struct {
	RequestID string
	Reference string // the payment reference, 0x and 16 hex digits
}

// Create makes a request. Keep the answer before anything is done with it.
func (c *Client) Create(ctx context.Context, o Order) (Intent, error) {
	token, ok := c.registry.Token(o.Amount.Asset)
	if !ok || token.RequestID == "" {
		return Intent{}, ErrUnsupported.With("asset", o.Amount.Asset)
	}
	in := map[string]string{
		"amount": o.Amount.Units.Decimal(token.Decimals), "payee": o.Payee, "reference": o.Reference,
		"invoiceCurrency": token.RequestID, "paymentCurrency": token.RequestID,
	}
	var out struct{ PaymentReference, RequestID string }
	if err := c.call(ctx, http.MethodPost, "/v2/request", nil, in, &out); err != nil {
		return Intent{}, err
	}
	i := Intent{RequestID: out.RequestID, Reference: strings.ToLower(out.PaymentReference)}
	if !requestGrammar.MatchString(i.RequestID) || !referenceGrammar.MatchString(i.Reference) {
		return Intent{}, ErrMismatch.Because("the payment provider gave no usable request id and reference")
	}
	return i, nil
}

// State is a request as the provider sees it. Nothing in it is evidence.
type State struct {
	RequestID string
	Reference string
	// Ours is the reference that we gave when the request was made.
	Ours   string
	Paid   bool
	Tx     string
	Status string
	// Payments is how many the provider has seen, where it says so.
	Payments int
}

// Request reads a request; ErrNoRequest when the provider does not know it.
func (c *Client) Request(ctx context.Context, id string) (State, error) {
	if !requestGrammar.MatchString(id) {
		return State{}, ErrNoRequest
	}
	var out struct {
		RequestID, PaymentReference, Reference, Status string
		HasBeenPaid                                    bool
		TxHash                                         *string
		Payments                                       []json.RawMessage
	}
	if err := c.call(ctx, http.MethodGet, "/v2/request/"+id, nil, nil, &out); err != nil {
		return State{}, err
	}
	if out.RequestID != id {
		return State{}, ErrMismatch.Because("the payment provider answered with another request")
	}
	s := State{RequestID: id, Reference: strings.ToLower(out.PaymentReference), Ours: out.Reference, Paid: out.HasBeenPaid, Status: out.Status, Payments: len(out.Payments)}
	if out.TxHash != nil {
		s.Tx = *out.TxHash
	}
	return s, nil
}

// Query selects payments; at least one field must be set.
type Query struct {
	RequestID, Reference, Ours, Tx string
	From, To                       time.Time
	Offset                         int
}

func (q Query) values() url.Values {
	v := url.Values{"limit": {"100"}}
	for name, value := range map[string]string{"requestId": q.RequestID, "paymentReference": q.Reference, "reference": q.Ours, "txHash": q.Tx} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, value := range map[string]time.Time{"fromDate": q.From, "toDate": q.To} {
		if !value.IsZero() {
			v.Set(name, value.UTC().Format(time.RFC3339))
		}
	}
	if q.Offset > 0 {
		v.Set("offset", strconv.Itoa(q.Offset))
	}
	return v
}

// Payments lists what the provider has seen, as hints, and whether there is more beyond
// them (go on with a higher Offset). It is what finds a payment whose webhook was lost.
func (c *Client) Payments(ctx context.Context, q Query) (hints []network.Hint, more bool, err error) {
	var out struct {
		Payments []struct {
			Amount, SourceNetwork, DestinationNetwork string
			SourceTxHash, DestinationTxHash           *string
			Request                                   struct{ RequestID, PaymentReference, Reference string }
		}
		Pagination struct{ HasMore bool }
	}
	if err := c.call(ctx, http.MethodGet, "/v2/payments", q.values(), nil, &out); err != nil {
		return nil, false, err
	}
	parser := NewParser(c.registry).Production()
	for _, p := range out.Payments {
		h := network.Hint{
			Event: "payment.confirmed", RequestID: p.Request.RequestID, Reference: p.Request.PaymentReference,
			Network: p.SourceNetwork, Amount: p.Amount, Ours: p.Request.Reference,
		}
		// A payment that crossed chains arrived by its second transaction.
		if p.DestinationTxHash != nil && *p.DestinationTxHash != "" {
			h.Network, h.Tx = p.DestinationNetwork, *p.DestinationTxHash
		} else if p.SourceTxHash != nil {
			h.Tx = *p.SourceTxHash
		}
		hints = append(hints, parser.complete(h, nil))
	}
	return hints, out.Pagination.HasMore, nil
}

// Hints tells what the provider knows of one request's payments. One that was never paid costs
// a single call.
func (c *Client) Hints(ctx context.Context, requestID string) ([]network.Hint, error) {
	state, err := c.Request(ctx, requestID)
	if err != nil || (!state.Paid && state.Tx == "" && state.Payments == 0) {
		return nil, err
	}
	return c.all(ctx, Query{RequestID: requestID})
}

// Since lists a page of what was paid between two times, whoever the request is of.
func (c *Client) Since(ctx context.Context, from, to time.Time, offset int) (hints []network.Hint, more bool, err error) {
	return c.Payments(ctx, Query{From: from, To: to, Offset: offset})
}

// Made looks for a request that was made with our reference, after an answer was lost. The
// provider lists payments and not requests, so one that nobody has paid is not found.
func (c *Client) Made(ctx context.Context, ours string) (i Intent, ok bool, err error) {
	all, err := c.all(ctx, Query{Ours: ours})
	for _, h := range all {
		if h.Ours == ours && requestGrammar.MatchString(h.RequestID) && referenceGrammar.MatchString(h.Reference) {
			return Intent{RequestID: h.RequestID, Reference: h.Reference}, true, nil
		}
	}
	return Intent{}, false, err
}

func (c *Client) all(ctx context.Context, q Query) (all []network.Hint, err error) {
	for {
		q.Offset = len(all)
		page, more, err := c.Payments(ctx, q)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); !more || len(page) == 0 {
			return all, nil
		}
	}
}

// Transactions asks how a request is to be paid: wallet is the payer's address and amount a
// decimal number for a part, both may be empty. What it says is not to be believed: see Check.
func (c *Client) Transactions(ctx context.Context, id, wallet, amount string) ([]Transaction, error) {
	if !requestGrammar.MatchString(id) {
		return nil, ErrNoRequest
	}
	query := url.Values{}
	for name, v := range map[string]string{"wallet": wallet, "amount": amount} {
		if v != "" {
			query.Set(name, v)
		}
	}
	var out struct {
		Transactions []struct {
			To, Data string
			Value    json.RawMessage
		}
	}
	if err := c.call(ctx, http.MethodGet, "/v2/request/"+id+"/pay", query, nil, &out); err != nil {
		return nil, err
	}
	all := make([]Transaction, len(out.Transactions))
	for i, t := range out.Transactions {
		v, err := value(t.Value)
		if err != nil {
			return nil, ErrMismatch.Because("%v", err)
		}
		all[i] = Transaction{To: t.To, Data: strings.ToLower(t.Data), Value: v}
	}
	return all, nil
}
