package http

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

const providerPath = paymentsPath + "/request-network"

func providerRoutes() []Route {
	return []Route{
		on[paymentInput, PaymentStatus](Route{Method: "GET", Path: providerPath + "/{id}/status", Roles: Any, Class: Query, Rate: RatePayment, Summary: "How the provider sees a payment, beside the chain"}, (*Server).providerStatus),
		on[orphansInput, []Orphan](Route{Method: "GET", Path: providerPath + "/orphans", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Requests that the provider has and no payment of ours"}, (*Server).orphans),
	}
}

// providerTime bounds what a question may take that can do without the answer.
const providerTime = 3 * time.Second

// intend has the provider make a request when the caller came through the provider's mount and
// one is switched on. Everything else is our own checkout.
func (s *Server) intend(ctx context.Context, c *call, hold escrow.State, id domain.PaymentID, in PayIn, due money.Amount) (PayIn, []ProviderTransaction, error) {
	if s.deps.Provider == nil || !strings.HasPrefix(c.route.Path, providerPath) {
		return in, nil, nil
	}
	if err := s.noneOpen(ctx, hold.ID, id); err != nil {
		return in, nil, err
	}
	return s.deps.Provider.Intend(ctx, id, in, due, s.walletOf(ctx, c, in.Destination.Chain))
}

// noneOpen refuses early what the command would refuse: a request at the provider for it would be
// an orphan. The read model may lag; then it is one, and is listed.
func (s *Server) noneOpen(ctx context.Context, hold domain.HoldID, id domain.PaymentID) error {
	if s.deps.Views == nil {
		return nil
	}
	rows, err := s.deps.Views.Payments.OfHold(ctx, hold)
	if err != nil {
		return err
	}
	for _, row := range rows {
		p, _, err := stateOf(ctx, s, payment.Decider, row.Doc.ID)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		if p.Open() && p.ID != id {
			return payment.ErrAlreadyOpen
		}
	}
	return nil
}

// walletOf gives the caller's wallet on a chain; empty when there is none.
func (s *Server) walletOf(ctx context.Context, c *call, chain uint64) string {
	if s.deps.Wallets == nil {
		return ""
	}
	w, ok, err := s.deps.Wallets.Default(ctx, c.user(), chain)
	if err != nil || !ok {
		return ""
	}
	return w.Address
}

// howToPay gives the provider's transactions for what is still due. A provider that does not
// answer leaves them out, because the block says all that a wallet needs; one that answers
// something else than what is due is an error, and the buyer is shown nothing.
func (s *Server) howToPay(ctx context.Context, c *call, p payment.State) ([]ProviderTransaction, error) {
	if s.deps.Provider == nil || p.Intent == nil || p.Intent.RequestID == string(p.ID) {
		return nil, nil
	}
	token, _ := s.deps.Registry.Token(p.Due.Asset)
	in := PayIn{
		Destination: funding.Destination{Address: p.Address, Token: p.Token, Chain: token.Chain},
		Intent:      funding.Intent{RequestID: p.Intent.RequestID, Reference: p.Intent.Reference},
	}
	brief, cancel := context.WithTimeout(ctx, providerTime)
	defer cancel()
	all, err := s.deps.Provider.Transactions(brief, in, money.Of(p.Due.Asset, p.Missing()), s.walletOf(ctx, c, token.Chain))
	if errors.Is(err, payment.ErrMismatch) {
		return nil, err
	}
	if err != nil {
		s.log.WarnContext(ctx, "the provider does not say how to pay", "payment", p.ID, "error", err)
		return nil, nil
	}
	return all, nil
}

// PaymentStatus shows a payment from both sides.
type PaymentStatus struct {
	Payment   string            `json:"payment"`
	State     string            `json:"state"`
	Exception payment.Exception `json:"exception"`
	Due       money.Amount      `json:"due"`
	Chain     ChainView         `json:"chain"`
	// Provider is absent in our own checkout; ProviderError says why it is absent otherwise.
	Provider      *ProviderView `json:"provider,omitempty"`
	ProviderError string        `json:"providerError,omitempty"`
	// Agree is false while the two differ: the provider says paid and the chain does not yet, or
	// the chain says paid and the provider has not noticed.
	Agree bool `json:"agree"`
}

// ChainView is what the chain has shown: the only thing that counts.
type ChainView struct {
	Confirmed money.Units    `json:"confirmed"`
	Missing   money.Units    `json:"missing"`
	Transfers []TransferView `json:"transfers"`
}

// TransferView is one transfer of a payment.
type TransferView struct {
	Evidence  string      `json:"evidence"`
	Tx        string      `json:"tx"`
	Block     uint64      `json:"block"`
	Amount    money.Units `json:"amount"`
	Confirmed bool        `json:"confirmed"`
}

func (s *Server) providerStatus(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	out := PaymentStatus{
		Payment: string(p.ID), State: p.Phase, Exception: p.Exception, Due: p.Due, Agree: true,
		Chain: ChainView{Confirmed: p.Confirmed, Missing: p.Missing(), Transfers: []TransferView{}},
	}
	for key, t := range p.Transfers {
		out.Chain.Transfers = append(out.Chain.Transfers, TransferView{Evidence: key, Tx: t.Evidence.Tx, Block: t.Evidence.Block, Amount: t.Amount.Units, Confirmed: t.Confirmed})
	}
	slices.SortFunc(out.Chain.Transfers, func(a, b TransferView) int { return strings.Compare(a.Evidence, b.Evidence) })
	if s.deps.Provider == nil || p.Intent == nil || p.Intent.RequestID == string(p.ID) {
		return reply{data: out}, nil
	}
	brief, cancel := context.WithTimeout(ctx, providerTime)
	defer cancel()
	view, err := s.deps.Provider.View(brief, p.ID, p.Intent.RequestID)
	if err != nil {
		f, ok := fault.From(err)
		if !ok || f.Kind == fault.Internal {
			return reply{}, err
		}
		out.ProviderError = f.Code
		return reply{data: out}, nil
	}
	out.Provider, out.Agree = &view, view.Paid == (p.Phase == payment.PaidPhase)
	return reply{data: out}, nil
}

type orphansInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (s *Server) orphans(ctx context.Context, _ *call, in *orphansInput) (reply, error) {
	if s.deps.Provider == nil {
		return reply{}, errNotConfigured
	}
	all, err := s.deps.Provider.Orphans(ctx, in.Limit)
	if all == nil {
		all = []Orphan{}
	}
	return reply{data: all}, err
}
