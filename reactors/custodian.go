package reactors

import (
	"context"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
)

// PlanChain is what plans of sweeps need of a chain.
type PlanChain interface {
	Outgoing
	NextNonce(ctx context.Context, address string) (uint64, error)
	// Instruct builds the transaction of a transfer, with all that its signature will cover.
	Instruct(ctx context.Context, t outgoing.Transfer) (outgoing.Signable, network.Unsigned, error)
	Shortfall(ctx context.Context, u network.Unsigned) (money.Units, error)
	Balance(ctx context.Context, asset money.Asset, owner string) (money.Units, error)
	// Fetched says what a transaction of somebody else moved of a transfer.
	Fetched(ctx context.Context, t outgoing.Transfer, tx string) (network.Outcome, error)
	// SafeNonce and Allowance are asked for Safes only.
	SafeNonce(ctx context.Context, safe string) (uint64, error)
	Allowance(ctx context.Context, token, owner, spender string) (money.Units, error)
	Head(ctx context.Context) (network.Head, error)
}

// Custodian says how a sweep comes to its signature. Whichever is in force, no key of it is here.
type Custodian interface {
	// Mode is the configuration's word for it.
	Mode() string
	// Arrange prepares sweep n of a plan, and gives the transaction whose gas the address must pay
	// for; nil when somebody else pays. sweepplan.ErrNoSigner when it cannot be signed now.
	Arrange(ctx context.Context, chain PlanChain, n int, w *sweepplan.Sweep) (*network.Unsigned, error)
}

// BuildOnly prepares transactions for a signer outside. LocalKeys are signed by the Sweeper, or
// like these.
type BuildOnly struct{ Local bool }

// Mode implements Custodian.
func (b BuildOnly) Mode() string {
	if b.Local {
		return "local"
	}
	return "build-only"
}

// Arrange implements Custodian.
func (BuildOnly) Arrange(ctx context.Context, chain PlanChain, _ int, w *sweepplan.Sweep) (*network.Unsigned, error) {
	t := w.Instruction.Transfer
	nonce, err := chain.NextNonce(ctx, t.From)
	if err != nil {
		return nil, err
	}
	t.Nonce = nonce
	i, u, err := chain.Instruct(ctx, t)
	w.Instruction = i
	return &u, err
}

// Hardware is BuildOnly for a device that is registered; the plan itself is agreed to on it.
type Hardware struct {
	// Registered reports whether there is a device.
	Registered func(ctx context.Context) (bool, error)
}

// Mode implements Custodian.
func (Hardware) Mode() string { return "hardware" }

// Arrange implements Custodian.
func (h Hardware) Arrange(ctx context.Context, chain PlanChain, n int, w *sweepplan.Sweep) (*network.Unsigned, error) {
	ok, err := h.Registered(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, sweepplan.ErrNoSigner.Because("no admin has registered a hardware wallet")
	}
	return BuildOnly{}.Arrange(ctx, chain, n, w)
}

// Safe proposes to the treasury's Safe, which fetches tokens that the address has approved.
// Native coin cannot be fetched.
type Safe struct {
	Propose func(t outgoing.Transfer, nonce uint64) (sweepplan.Proposal, error)
}

// Mode implements Custodian.
func (Safe) Mode() string { return "safe" }

// Arrange implements Custodian.
func (s Safe) Arrange(ctx context.Context, chain PlanChain, n int, w *sweepplan.Sweep) (*network.Unsigned, error) {
	t := w.Instruction.Transfer
	if t.Token == "" {
		return nil, sweepplan.ErrNoSigner.Because("a Safe cannot fetch native coin")
	}
	allowed, err := chain.Allowance(ctx, t.Token, t.From, t.To)
	if err != nil {
		return nil, err
	}
	if allowed.Less(t.Amount.Units) {
		return nil, sweepplan.ErrNoSigner.Because("the address has not approved the Safe for this token").With("allowance", allowed)
	}
	head, err := chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	nonce, err := chain.SafeNonce(ctx, t.To)
	if err != nil {
		return nil, sweepplan.ErrNoSigner.Because("the treasury is no Safe on this chain, or it does not answer")
	}
	p, err := s.Propose(t, nonce+uint64(n))
	p.Block = head.Number
	w.Proposal = &p
	return nil, err
}
