package http

import (
	"context"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

// errOtherChain: the hash is one, but of another chain than the payment's.
var errOtherChain = fault.New(fault.Rule, network.ErrInvalidTx.Code, "the payment is expected on another chain")

func decentralizedRoutes() []Route {
	const path = paymentsPath + "/decentralized"
	route := func(method, rest, summary string, roles []domain.Capacity, class Class, errors ...string) Route {
		return Route{Method: method, Path: path + rest, Roles: roles, Class: class, Rate: RatePayment, Summary: summary, Errors: errors}
	}
	save := route("POST", "/save", "Claim to have paid with a transaction; a look at the chain follows, nothing else", buyer, Command, "TX_INVALID", "TX_ALREADY_USED", "TOO_MANY_CLAIMS")
	save.Status = 202
	status := route("GET", "/status/{txHash}", "What is known of a transaction that was claimed or booked", Any, Query, "TX_INVALID", "TX_NOT_FOUND")
	status.Names = map[string]string{"txHash": "a transaction hash"}
	return []Route{
		on[claimInput, Claimed](save, (*Server).saveClaim),
		on[verifyTxInput, TxVerdict](route("POST", "/verify", "Compare a transaction with a payment; books nothing", Any, Query, "TX_INVALID", "TX_NOT_FOUND", "TX_REVERTED", "TX_ALREADY_USED", "CHAIN_UNAVAILABLE"), (*Server).verifyTx),
		on[receiverInput, Receiver](route("GET", "/receiver", "Where a payment of one's own is to go", buyer, Query, "PAYMENT_CLOSED"), (*Server).receiver),
		on[txInput, Transaction](status, (*Server).txStatus),
	}
}

type claimInput struct {
	Body struct {
		PaymentID string `json:"paymentId" format:"uuid"`
		TxHash    string `json:"txHash" maxLength:"200"`
		ChainID   uint64 `json:"chainId"`
		// From is not used: who paid is read from the chain.
		From string `json:"from,omitempty" maxLength:"64" doc:"Not needed: who paid is read from the chain"`
	}
}

// Claimed is the answer to a claim.
type Claimed struct {
	PaymentID domain.PaymentID `json:"paymentId"`
	TxHash    string           `json:"txHash"`
	ChainID   uint64           `json:"chainId"`
	Status    string           `json:"status" enum:"pending"`
}

// claim answers with the claim, not with the payment, which it does not change.
type claim struct {
	funding.ReportTransaction
	chain uint64
}

// Run decides.
func (f claim) Run(u *domain.Unit) (any, error) {
	answer, err := f.ReportTransaction.Run(u)
	if _, refused := answer.(*fault.Error); err != nil || refused {
		return answer, err
	}
	return Claimed{PaymentID: f.Payment, TxHash: f.Tx, ChainID: f.chain, Status: "pending"}, nil
}

func (s *Server) saveClaim(ctx context.Context, c *call, in *claimInput) (reply, error) {
	p, tx, err := s.claimed(ctx, c, in.Body.PaymentID, in.Body.TxHash, in.Body.ChainID)
	switch {
	case err != nil:
		return reply{}, err
	case p.Buyer != c.user():
		return reply{}, fault.ErrForbidden
	}
	if in.Body.From != "" {
		if err := network.CheckAddress(in.Body.From); err != nil {
			return reply{}, at(err, "from")
		}
	}
	if s.deps.Witness != nil {
		if elsewhere, err := s.deps.Witness.Elsewhere(ctx, p.ID, tx); err != nil {
			return reply{}, err
		} else if elsewhere {
			return reply{}, payment.ErrTxUsed
		}
	}
	f := claim{funding.ReportTransaction{Issue: c.issue(), Payment: p.ID, Tx: tx}, in.Body.ChainID}
	return s.run(ctx, c, of(payment.Decider, p.ID), f)
}

// claimed reads what somebody says about a transaction of a payment that is his to see.
func (s *Server) claimed(ctx context.Context, c *call, id, hash string, chain uint64) (p payment.State, tx string, err error) {
	if tx, err = network.ParseTx(hash); err != nil {
		return p, "", at(err, "txHash")
	}
	if p, err = s.paymentFor(ctx, c, id); err != nil {
		return p, "", err
	}
	if token, ok := s.deps.Registry.Token(p.Due.Asset); !ok || token.Chain != chain {
		return p, "", errOtherChain.With("chainId", token.Chain)
	}
	return p, tx, nil
}

type verifyTxInput struct {
	Body struct {
		PaymentID string `json:"paymentId" format:"uuid"`
		TxHash    string `json:"txHash" maxLength:"200"`
		ChainID   uint64 `json:"chainId"`
	}
}

// budgetVerify: each verification asks nodes, which cost money.
var budgetVerify = Budget{Class: "verify-tx", Limit: 10, Window: time.Minute}

func (s *Server) verifyTx(ctx context.Context, c *call, in *verifyTxInput) (reply, error) {
	if s.deps.Witness == nil {
		return reply{}, errNotConfigured
	}
	if err := s.within(ctx, budgetVerify, c.counted()); err != nil {
		return reply{}, err
	}
	p, tx, err := s.claimed(ctx, c, in.Body.PaymentID, in.Body.TxHash, in.Body.ChainID)
	if err != nil {
		return reply{}, err
	}
	verdict, err := s.deps.Witness.Verify(ctx, p, tx)
	return reply{data: verdict}, err
}

type receiverInput struct {
	PaymentID string `query:"paymentId" required:"true" format:"uuid"`
}

// Receiver is where one payment is to go; every payment has an address of its own.
type Receiver struct {
	Address   string       `json:"address"`
	Asset     money.Asset  `json:"asset"`
	ChainID   uint64       `json:"chainId"`
	Token     string       `json:"tokenAddress,omitempty"`
	Remaining money.Amount `json:"remaining"`
	ExpiresAt time.Time    `json:"expiresAt"`
}

func (s *Server) receiver(ctx context.Context, c *call, in *receiverInput) (reply, error) {
	p, version, err := stateOf(ctx, s, payment.Decider, domain.PaymentID(in.PaymentID))
	switch {
	case err != nil:
		return reply{}, err
	case p.Buyer != c.user():
		return reply{}, fault.ErrNotFound
	case !p.Open() || p.Address == "":
		return reply{}, payment.ErrClosed.With("state", p.Phase)
	}
	token, _ := s.deps.Registry.Token(p.Due.Asset)
	return reply{version: version, data: Receiver{
		Address: p.Address, Asset: p.Due.Asset, ChainID: token.Chain, Token: p.Token, Remaining: money.Of(p.Due.Asset, p.Missing()), ExpiresAt: p.ExpiresAt.UTC(),
	}}, nil
}

type txInput struct {
	TxHash string `path:"txHash" maxLength:"200"`
}

// txStatus shows everybody what concerns the own payments, and staff all of it. A transaction
// that concerns none of them is not there.
func (s *Server) txStatus(ctx context.Context, c *call, in *txInput) (reply, error) {
	if s.deps.Witness == nil {
		return reply{}, errNotConfigured
	}
	tx, err := network.ParseTx(in.TxHash)
	if err != nil {
		return reply{}, at(err, "path.txHash")
	}
	known, err := s.deps.Witness.Transaction(ctx, tx)
	if err != nil {
		return reply{}, err
	}
	if !c.has(domain.Admin) && !c.has(domain.Guard) {
		mine := map[domain.PaymentID]bool{}
		ours := func(id domain.PaymentID) bool {
			own, asked := mine[id]
			if !asked && id != "" {
				_, err := s.paymentFor(ctx, c, string(id))
				own = err == nil
				mine[id] = own
			}
			return own
		}
		known.Transfers = slices.DeleteFunc(known.Transfers, func(u TxUse) bool { return !ours(u.PaymentID) })
		known.Claims = slices.DeleteFunc(known.Claims, func(u TxClaim) bool { return !ours(u.PaymentID) })
		if len(known.Transfers)+len(known.Claims) == 0 {
			return reply{}, network.ErrTxNotFound
		}
	}
	return reply{data: known}, nil
}
