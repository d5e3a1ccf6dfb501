package http

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/receivable"
	"holdfast/domain/settlement"
	"holdfast/domain/suspense"
)

func treasuryRoutes() []Route {
	return []Route{
		on[adjustInput, funding.TreasuryAnswer](Route{Method: "POST", Path: "/api/ledger/adjustments", Roles: admin, Class: Command, Money: true, Rate: RateGeneral, Status: 201, Summary: "A typed correction; two admins ask for the same one", Errors: []string{"APPROVAL_REQUIRED", "SELF_APPROVAL", "REASON_REQUIRED"}}, (*Server).adjust),
		on[breakerInput, funding.BreakerAnswer](Route{Method: "POST", Path: "/api/admin/breaker/{asset}", Names: map[string]string{"asset": "an asset"}, Roles: adminGuard, Class: Command, Rate: RateGeneral, Summary: "Pause or resume releases, payouts and refunds of an asset; a guard may only pause"}, (*Server).breaker),
		on[assignUnmatchedInput, Assigned](Route{Method: "POST", Path: "/api/payment/unmatched/{deposit}/assign", Names: map[string]string{"deposit": "an evidence key"}, Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Give a deposit that belongs to nobody to a buyer or an order; two admins", Errors: []string{"ALREADY_ASSIGNED", "APPROVAL_REQUIRED", "NOT_FINAL"}}, (*Server).assignUnmatched),
	}
}

// Agreement is the answer to the first of two people.
type Agreement struct {
	State string        `json:"state" doc:"APPROVAL_REQUIRED"`
	By    domain.UserID `json:"by"`
}

// second finds the other person who has agreed to the same thing. Without one, the caller is
// noted as the first, and the answer is a 202.
func (s *Server) second(ctx context.Context, c *call, kind string, what ...string) (domain.UserID, reply, error) {
	if s.deps.Approvals == nil {
		return "", reply{}, errNotConfigured
	}
	digest := sha256.Sum256([]byte(strings.Join(what, "\x00")))
	first, err := s.deps.Approvals.Agree(ctx, kind, digest[:], c.user(), time.Now().UTC())
	if err != nil || first != "" {
		return first, reply{}, err
	}
	return "", reply{status: http.StatusAccepted, data: Agreement{State: "APPROVAL_REQUIRED", By: c.user()}}, nil
}

type adjustInput struct {
	Body struct {
		Kind    string   `json:"kind" enum:"capital_contributed,capital_withdrawn,goodwill,write_off,breakage"`
		Amount  AmountIn `json:"amount"`
		Ref     string   `json:"ref" minLength:"3" maxLength:"100" doc:"Names the correction; it is booked once"`
		Reason  string   `json:"reason" minLength:"5" maxLength:"500"`
		Account string   `json:"account,omitempty" maxLength:"200" pattern:"^[a-z][A-Za-z0-9:_-]*$" doc:"Custody account of capital, source of breakage; left out = the treasury"`
		User    string   `json:"userId,omitempty" format:"uuid" doc:"Who gets goodwill, or whose debt is written off"`
		Expense string   `json:"expense,omitempty" enum:"bad_debt,chain_loss" doc:"Of a write-off"`
		Party   string   `json:"party,omitempty" enum:"seller,buyer" doc:"Of a write-off"`
	}
}

func (s *Server) adjust(ctx context.Context, c *call, in *adjustInput) (reply, error) {
	b := in.Body
	amount, err := s.read("amount", b.Amount, "")
	if err != nil {
		return reply{}, err
	}
	if (b.Kind == "goodwill" || b.Kind == "write_off") && b.User == "" {
		return reply{}, fault.ErrValidation.At("userId", "required for "+b.Kind)
	}
	if b.User == string(c.user()) {
		return reply{}, errConflictOfInterest
	}
	first, waiting, err := s.second(ctx, c, "adjustment", b.Kind, string(amount.Asset), amount.Units.String(), b.Ref, b.Account, b.User, b.Expense, b.Party)
	if err != nil || first == "" {
		return waiting, err
	}
	entry := funding.Entry{Issue: c.issue(), Approver: domain.User(first, domain.Admin), Ref: b.Ref, Amount: amount, Reason: b.Reason}
	account := ledger.Account(b.Account)
	if account == "" {
		account = ledger.Treasury
	}
	var f flow
	switch b.Kind {
	case "capital_contributed":
		f = funding.ContributeCapital{Entry: entry, Custody: account}
	case "capital_withdrawn":
		f = funding.WithdrawCapital{Entry: entry, Custody: account}
	case "goodwill":
		f = funding.GrantGoodwill{Entry: entry, Buyer: domain.UserID(b.User)}
	case "breakage":
		f = funding.RecognizeBreakage{Entry: entry, Source: account}
	case "write_off":
		f = settlement.WriteOffReceivable{
			Issue: c.issue(), Party: receivable.Party(orElse(b.Party, "seller")), User: domain.UserID(b.User), Amount: amount,
			Expense: receivable.Expense(orElse(b.Expense, "bad_debt")), SecondApprover: first, Reason: b.Reason,
		}
	}
	return s.run(ctx, c, nil, f)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

type breakerInput struct {
	Asset string `path:"asset"`
	Body  struct {
		Action string `json:"action" enum:"pause,resume"`
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) breaker(ctx context.Context, c *call, in *breakerInput) (reply, error) {
	asset, ok := s.deps.Registry.Asset(in.Asset)
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	if in.Body.Action == "resume" {
		if !c.has(domain.Admin) {
			return reply{}, fault.ErrForbidden
		}
		return s.run(ctx, c, nil, funding.ResumeAsset{Issue: c.issue(), Asset: asset, Reason: in.Body.Reason})
	}
	return s.run(ctx, c, nil, funding.PauseAsset{Issue: c.issue(), Asset: asset, Reason: in.Body.Reason})
}

// Assigned is what became of an unmatched deposit.
type Assigned struct {
	Deposit string `json:"deposit"`
	Amount  Amount `json:"amount"`
}

type assignUnmatchedInput struct {
	Deposit string `path:"deposit"`
	Body    struct {
		To       string `json:"to" enum:"buyer,escrow"`
		TargetID string `json:"targetId" format:"uuid" doc:"The buyer, or the order's request"`
	}
}

func (s *Server) assignUnmatched(ctx context.Context, c *call, in *assignUnmatchedInput) (reply, error) {
	f := funding.AssignUnmatched{Issue: c.issue(), Deposit: in.Deposit}
	if in.Body.To == "escrow" {
		hold, err := s.holdOf(ctx, c, in.Body.TargetID)
		if err != nil {
			return reply{}, err
		}
		f.Hold = hold.ID
	} else {
		f.Buyer = domain.UserID(in.Body.TargetID)
	}
	var err error
	if f.Firm, err = s.firm(ctx, in.Deposit); err != nil {
		return reply{}, err
	}
	if !f.Firm { // nobody is asked to agree to what cannot be done yet
		return reply{}, suspense.ErrNotFinal
	}
	first, waiting, err := s.second(ctx, c, "unmatched", in.Deposit, in.Body.To, in.Body.TargetID)
	if err != nil || first == "" {
		return waiting, err
	}
	f.Approver = domain.User(first, domain.Admin)
	return s.run(ctx, c, nil, f)
}

// firm reports whether a deposit's block stands as firmly as its chain's rule wants, by the word of
// every node.
func (s *Server) firm(ctx context.Context, deposit string) (bool, error) {
	d, _, err := stateOf(ctx, s, suspense.Decider, deposit)
	if err != nil {
		return false, err
	}
	networks, nodes, err := s.registryInForce()
	if err != nil {
		return false, err
	}
	e := d.Evidence
	chain, ok := networks.Chain(e.Chain)
	if !ok {
		return false, fault.ErrNotFound
	}
	st, err := nodes.Standing(ctx, e.Chain, e.Block, e.BlockHash)
	rule := payment.Threshold{
		Need: chain.Confirmations.Need, Floor: chain.Confirmations.Floor,
		Finalized: chain.Confirmations.Tag == network.Finalized, Safe: chain.Confirmations.Tag == network.Safe,
	}
	return st.Canonical && rule.Reached(st.Depth, st.Safe, st.Finalized), err
}
