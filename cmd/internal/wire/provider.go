package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/adapters/requestnetwork"
	"holdfast/adapters/requestnetwork/rndouble"
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/network"
	apihttp "holdfast/http"
)

// providerName is Request Network's in the log, in the inbox and in the rows.
const providerName = "request-network"

// webhookPath is where its notices come.
const webhookPath = "/api/payment/request-network/webhook"

// The provider admits five calls a second for one key: three are for buyers who wait, two for
// the poller.
const (
	callsForBuyers = 3
	callsForPoller = 2
)

// openProvider connects with Request Network, or, in development with nothing configured, starts
// its double beside the development chain. Without either, payments go through our own checkout.
func (s *Service) openProvider(ctx context.Context) error {
	url, key, buyers, poller := s.Config.RequestNetworkURL, s.Config.RequestNetworkKey, callsForBuyers, callsForPoller
	if key == "" {
		if s.Chains.Dev == nil || !s.Config.RequestNetworkDouble() {
			return nil
		}
		double, err := rndouble.Start(ctx, rndouble.Options{
			RPC: s.Chains.Dev.URL(), Chain: devchain.Network(), Secret: s.Config.RequestNetworkWebhookSecret, APIKey: "development",
			File: s.Config.Path("requests.json"), Log: s.Log,
			// The habits of the real one: what was delivered is delivered again, and in variants.
			Behaviour: rndouble.Behaviour{Copies: 2, Variants: []string{"client_id"}},
		})
		if err != nil {
			return err
		}
		s.onClose(func(context.Context) error { return double.Close() })
		s.Double, url, key, buyers, poller = double, double.URL(), "development", 1000, 1000
	}
	var err error
	if s.buyers, err = s.requestNetwork(url, key, buyers); err != nil {
		return err
	}
	s.poller, err = s.requestNetwork(url, key, poller)
	return err
}

func (s *Service) requestNetwork(url, key string, perSecond int) (*requestnetwork.Client, error) {
	return requestnetwork.New(requestnetwork.Options{BaseURL: url, APIKey: key, Registry: s.Chains.Registry, PerSecond: perSecond})
}

// provider is what the server asks; nil without one.
func (s *Service) provider() apihttp.Provider {
	if s.buyers == nil {
		return nil
	}
	return provider{client: s.buyers, chains: s.Chains, rows: s.Records.Provider}
}

// provider joins Request Network with the rows that remember what was asked.
type provider struct {
	client *requestnetwork.Client
	chains *Chains
	rows   *records.Provider
}

// Intend notes the request, has it made, keeps the answer, and only then reads it.
func (p provider) Intend(ctx context.Context, id domain.PaymentID, in apihttp.PayIn, due money.Amount, wallet string) (apihttp.PayIn, []apihttp.ProviderTransaction, error) {
	intent, err := p.made(ctx, id, in, due)
	if err != nil {
		return in, nil, err
	}
	state, err := p.client.Request(ctx, intent.RequestID)
	if err != nil {
		return in, nil, err
	}
	// An empty word says nothing: the documented answer may leave both out.
	if (state.Ours != "" && state.Ours != string(id)) || (state.Reference != "" && state.Reference != intent.Reference) || state.Paid {
		return in, nil, requestnetwork.ErrMismatch.With("field", "reference").With("found", state.Ours)
	}
	in.Intent.Provider, in.Intent.RequestID, in.Intent.Reference = providerName, intent.RequestID, intent.Reference
	if in.Intent.Topic, err = evm.ReferenceTopic(intent.Reference); err != nil {
		return in, nil, requestnetwork.ErrMismatch.Because("%v", err)
	}
	transactions, proxy, err := p.pay(ctx, in, due, wallet)
	if err != nil {
		return in, nil, err
	}
	in.Intent.Proxy, in.Intent.Destination, in.Intent.Token, in.Intent.Amount = proxy, in.Destination.Address, in.Destination.Token, due
	return in, transactions, nil
}

// made gives the request of a payment: the one whose answer was kept, one that an earlier call
// made and whose answer was lost, or a new one.
func (p provider) made(ctx context.Context, id domain.PaymentID, in apihttp.PayIn, due money.Amount) (requestnetwork.Intent, error) {
	row, err := p.rows.Ask(ctx, records.ProviderRequest{Payment: id, Payee: in.Destination.Address, Amount: due})
	switch {
	case err != nil:
		return requestnetwork.Intent{}, err
	case row.Payee != in.Destination.Address || row.Amount != due:
		return requestnetwork.Intent{}, requestnetwork.ErrMismatch.Because("the request was made for another amount; begin anew")
	case row.RequestID != "":
		return requestnetwork.Intent{RequestID: row.RequestID, Reference: row.Reference}, nil
	}
	var intent requestnetwork.Intent
	found := false
	if row.Asks > 1 {
		if intent, found, err = p.client.Made(ctx, string(id)); err != nil {
			return intent, err
		}
	}
	if !found {
		intent, err = p.client.Create(ctx, requestnetwork.Order{Payee: in.Destination.Address, Amount: due, Reference: string(id)})
		if err != nil {
			return intent, err
		}
	}
	if err := p.rows.Answer(ctx, id, intent.RequestID, intent.Reference); err != nil {
		return intent, err
	}
	// Of two calls at the same time, the one whose answer was kept first counts for both.
	row, _, err = p.rows.Get(ctx, id)
	return requestnetwork.Intent{RequestID: row.RequestID, Reference: row.Reference}, err
}

// pay asks how to pay and reads the answer field by field.
func (p provider) pay(ctx context.Context, in apihttp.PayIn, due money.Amount, wallet string) (all []apihttp.ProviderTransaction, proxy string, err error) {
	token, ok := p.chains.Registry.Token(due.Asset)
	chain, known := p.chains.Registry.Chain(in.Destination.Chain)
	if !ok || !known {
		return nil, "", errNoChain.With("chain", in.Destination.Chain)
	}
	transactions, err := p.client.Transactions(ctx, in.Intent.RequestID, wallet, due.Units.Decimal(token.Decimals))
	if err != nil {
		return nil, "", err
	}
	proxy, err = requestnetwork.Check(transactions, requestnetwork.Wanted{
		Chain: chain, Token: token.Address, Payee: in.Destination.Address, Amount: due.Units, Reference: in.Intent.Reference,
	})
	if err != nil {
		return nil, "", err
	}
	for _, t := range transactions {
		all = append(all, apihttp.ProviderTransaction(t))
	}
	return all, proxy, nil
}

// Transactions is pay for a request that is there already.
func (p provider) Transactions(ctx context.Context, in apihttp.PayIn, due money.Amount, wallet string) ([]apihttp.ProviderTransaction, error) {
	all, _, err := p.pay(ctx, in, due, wallet)
	return all, err
}

// viewFor is how old a view may be: pages that poll must not use the provider's budget up.
const viewFor = 10 * time.Second

// View gives the kept view while it is fresh, and asks otherwise.
func (p provider) View(ctx context.Context, id domain.PaymentID, requestID string) (v apihttp.ProviderView, err error) {
	row, ok, err := p.rows.Get(ctx, id)
	if err != nil {
		return v, err
	}
	if ok && time.Since(row.SeenAt) < viewFor && json.Unmarshal(row.Seen, &v) == nil {
		return v, nil
	}
	state, err := p.client.Request(ctx, requestID)
	if err != nil {
		return v, err
	}
	v = apihttp.ProviderView{RequestID: state.RequestID, Reference: state.Reference, Paid: state.Paid, Tx: state.Tx, Status: state.Status, SeenAt: time.Now().UTC()}
	raw, err := json.Marshal(v)
	if err != nil {
		return v, fmt.Errorf("encode a view: %w", err)
	}
	return v, p.rows.See(ctx, id, raw)
}

// unusedAfter is how long a request may wait for its payment to be opened.
const unusedAfter = 10 * time.Minute

// Orphans joins what the provider listed with what we asked for and never used.
func (p provider) Orphans(ctx context.Context, limit int) ([]apihttp.Orphan, error) {
	listed, err := p.rows.Orphans(ctx, limit)
	unused, err2 := p.rows.Unused(ctx, unusedAfter, limit)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	var all []apihttp.Orphan
	for _, o := range listed {
		all = append(all, apihttp.Orphan{
			RequestID: o.RequestID, Tx: o.Tx, Reference: o.Reference, Ours: o.Ours, Network: o.Network, Amount: o.Amount, Reason: o.Reason, FirstSeen: &o.FirstSeen, LastSeen: &o.LastSeen,
		})
	}
	for _, r := range unused {
		reason := "made, and the payment was not opened"
		if r.RequestID == "" {
			reason = fmt.Sprintf("asked for %d times without an answer; the provider may have made it", r.Asks)
		}
		all = append(all, apihttp.Orphan{RequestID: r.RequestID, Reference: r.Reference, Ours: string(r.Payment), Amount: r.Amount.Units.String(), Reason: reason})
	}
	return all[:min(len(all), limit)], nil
}

// pollerNotes is what the poller remembers.
type pollerNotes struct{ rows *records.Provider }

func (n pollerNotes) Read(ctx context.Context) (time.Time, error) {
	return n.rows.Read(ctx, providerName)
}

func (n pollerNotes) ReadUntil(ctx context.Context, until time.Time) error {
	return n.rows.ReadUntil(ctx, providerName, until)
}

func (n pollerNotes) Orphan(ctx context.Context, h network.Hint, reason string) (bool, error) {
	return n.rows.Orphan(ctx, records.Orphan{
		RequestID: h.RequestID, Tx: h.Tx, Reference: h.Reference, Ours: h.Ours, Network: h.Network, Amount: h.Amount, Reason: reason,
	})
}

// verifier takes the secret, and during a rotation the old one until its time is over.
func (s *Service) verifier() *requestnetwork.Verifier {
	return requestnetwork.NewVerifier(s.Config.RequestNetworkWebhookSecret).Until(s.Config.RequestNetworkOldSecret, s.Config.RequestNetworkOldUntil)
}

// parser reads notices; the test header counts for nothing in production.
func (s *Service) parser() *requestnetwork.Parser {
	p := requestnetwork.NewParser(s.Chains.Registry)
	if s.Config.Env == "production" {
		return p.Production()
	}
	return p
}
