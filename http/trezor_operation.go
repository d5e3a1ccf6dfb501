package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/domain/sweepplan"
	"holdfast/domain/trezor"
)

// operationLife is how long an operation can be signed, and how long its signature is good for.
const operationLife = 30 * time.Minute

// Refusals of safekeeping.
var (
	errUnsigned     = fault.New(fault.Rule, "OPERATION_SIGNATURE_REQUIRED", "a registered hardware wallet must agree to exactly this instruction first: POST /api/trezor/operations")
	errOurAddresses = fault.New(fault.Conflict, "DERIVATION_CONFLICT", "this account's addresses are given out at checkout")
)

type operationInput struct {
	Body struct {
		Kind     string `json:"kind" enum:"release,refund,sweep,payout"`
		TargetID string `json:"targetId" format:"uuid" doc:"The payout (also of a release), the refund, or the plan of sweeps"`
	}
}

// OperationOut is what the device is to sign.
type OperationOut struct {
	ID        string           `json:"operationId"`
	Kind      string           `json:"kind"`
	TargetID  string           `json:"targetId"`
	Message   trezor.TypedData `json:"message" doc:"EIP-712, as ethereumSignTypedData takes it"`
	Digest    string           `json:"digest"`
	ExpiresAt time.Time        `json:"expiresAt"`
}

func (s *Server) beginOperation(ctx context.Context, c *call, in *operationInput) (reply, error) {
	devices, err := s.devices()
	if err != nil {
		return reply{}, err
	}
	if s.deps.Operations == nil {
		return reply{}, errNotConfigured
	}
	if _, _, err := s.wallet(ctx, c); err != nil {
		return reply{}, err
	}
	target, err := s.operationTarget(ctx, in.Body.Kind, in.Body.TargetID)
	if err != nil {
		return reply{}, err
	}
	out := OperationOut{
		ID: c.newID("operation"), Kind: target.Kind, TargetID: target.ID,
		ExpiresAt: time.Now().UTC().Add(operationLife).Truncate(time.Second),
	}
	out.Message = target.Typed(out.ID, out.ExpiresAt)
	if out.Digest, err = devices.Digest(out.Message); err != nil {
		return reply{}, err
	}
	message, err := json.Marshal(out.Message)
	if err != nil {
		return reply{}, err
	}
	return reply{data: out}, s.deps.Operations.Add(ctx, Operation{
		ID: out.ID, User: c.user(), Kind: target.Kind, Target: target.ID, Instruction: target.Instruction, Digest: out.Digest, Message: message, ExpiresAt: out.ExpiresAt,
	})
}

// operationTarget reads what an operation would let happen, as it stands at this moment. What has
// no instruction yet, or is over, is 409.
func (s *Server) operationTarget(ctx context.Context, kind, id string) (trezor.Target, error) {
	// What a device agrees to is held against what the log says now: a check that passes on what this
	// process remembered is not made again.
	callOf(ctx).fresh = true
	t := trezor.Target{Kind: kind, ID: id}
	switch kind {
	case trezor.SweepKind:
		plan, _, err := stateOf(ctx, s, sweepplan.Decider, sweepplan.ID(id))
		if err != nil {
			return t, err
		}
		first := plan.Sweeps[0].Instruction
		t.Chain, t.To, t.Token, t.Amount = plan.Chain, first.To, first.Token, plan.Total().Units
		return trezor.NewTarget(t, plan.Planned)
	case trezor.RefundKind:
		r, _, err := stateOf(ctx, s, refund.Decider, domain.RefundID(id))
		if err != nil {
			return t, err
		}
		if r.Phase != refund.PhaseApproved {
			return t, fault.ErrInvalidState.With("state", r.Phase)
		}
		// Whom it goes to is sealed; the digest of the confirmed address stands for it.
		token, _ := s.deps.Registry.Token(r.Amount.Asset)
		t.Chain, t.Token, t.Amount = token.Chain, token.Address, r.Net.Units
		return trezor.NewTarget(t, map[string]any{"refund": id, "amount": r.Amount, "net": r.Net, "address": r.Digest})
	}
	p, _, err := stateOf(ctx, s, payout.Decider, domain.PayoutID(id))
	if err != nil {
		return t, err
	}
	if p.Instruction == nil || p.Final() {
		return t, fault.ErrInvalidState.With("state", p.Phase)
	}
	i := *p.Instruction
	t.Chain, t.To, t.Token, t.Amount, t.Nonce = i.Chain, i.To, i.Token, i.Amount.Units, i.Nonce
	return trezor.NewTarget(t, struct {
		Payout   string            `json:"payout"`
		Revision int               `json:"revision"`
		Transfer outgoing.Transfer `json:"transfer"`
	}{id, p.Revision, i})
}

// safekept refuses to go on without the signature of a registered device over exactly the
// instruction that is about to be carried out. It asks for one where TREZOR_SAFEKEEPING_REQUIRED
// is set, or the caller must have one.
func (s *Server) safekept(ctx context.Context, kind, id string, must bool) error {
	if !must && !s.deps.SafekeepingRequired {
		return nil
	}
	if s.deps.Operations == nil {
		return errNotConfigured
	}
	target, err := s.operationTarget(ctx, kind, id)
	if err != nil {
		return err
	}
	ok, err := s.deps.Operations.Agreed(ctx, target.ID, target.Instruction)
	if err == nil && !ok {
		err = errUnsigned.With("kind", kind).With("target", id)
	}
	return err
}

type verifyInput struct {
	Body struct {
		OperationID string `json:"operationId" format:"uuid"`
		Signature   string `json:"signature" minLength:"1" maxLength:"400"`
	}
}

func (s *Server) verifyOperation(ctx context.Context, c *call, in *verifyInput) (reply, error) {
	if err := trezor.RefusePrivate("signature", in.Body.Signature); err != nil {
		return reply{}, err
	}
	devices, err := s.devices()
	if err != nil {
		return reply{}, err
	}
	if s.deps.Operations == nil {
		return reply{}, errNotConfigured
	}
	o, ok, err := s.deps.Operations.OfUser(ctx, c.user(), in.Body.OperationID)
	if err != nil || !ok {
		return reply{}, orNotFound(err)
	}
	signer, err := devices.DigestSigner(o.Digest, in.Body.Signature)
	if err != nil {
		return reply{}, err
	}
	answer, err := s.run(ctx, c, of(trezor.Decider, c.user()), trezor.SignOperation{
		Issue: c.issue(), Operation: o.ID, Kind: o.Kind, Target: o.Target, Digest: o.Digest, Signature: in.Body.Signature, Signer: signer, Expires: o.ExpiresAt,
	})
	if err != nil {
		return answer, err
	}
	return answer, s.deps.Operations.Signed(ctx, o.ID)
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return fault.ErrNotFound
}
