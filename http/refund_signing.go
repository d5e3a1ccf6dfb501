package http

import (
	"context"
	"strings"

	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
	"holdfast/domain/trezor"
)

// RefundInstruction is what the custody signer gets for a refund. Nothing is recorded by it: a
// refund is bound to a nonce when its transaction is.
type RefundInstruction struct {
	Refund      settlement.RefundAnswer `json:"refund"`
	Instruction outgoing.Transfer       `json:"instruction"`
	Unsigned    network.Unsigned        `json:"unsigned"`
}

type refundInstructionInput struct {
	ID          string `path:"id"`
	Destination string `query:"destinationId" maxLength:"64" doc:"The derived address it is paid from; left out = the treasury"`
}

func (s *Server) refundInstruction(ctx context.Context, c *call, in *refundInstructionInput) (reply, error) {
	r, err := s.refundFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if c.is(r.Buyer) {
		return reply{}, errConflictOfInterest
	}
	if s.deps.Custody == nil {
		return reply{}, errNotConfigured
	}
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	switch r.Phase {
	case refund.PhaseApproved, refund.PhaseBroadcast:
	case refund.PhaseAddressPending:
		return reply{}, refund.ErrAddressRequired
	default:
		return reply{}, fault.ErrInvalidState.With("state", r.Phase)
	}
	row, err := v.Refunds.Get(ctx, r.Refund)
	if err != nil {
		return reply{}, err
	}
	to := textOf(row.Doc.Address)
	if refund.DigestOf(to) != r.Digest {
		return reply{}, errLag
	}
	t, from, err := s.refundTransfer(ctx, r, to, in.Destination)
	if err != nil {
		return reply{}, err
	}
	replaces := outgoing.Tx{}
	if r.Phase == refund.PhaseBroadcast {
		if replaces, _, err = s.deps.Custody.Kept(ctx, r.Tx.Chain, r.Txs[len(r.Txs)-1]); err != nil {
			return reply{}, err
		}
	}
	u, err := s.sendable(ctx, t, from, replaces)
	if err != nil {
		return reply{}, err
	}
	return reply{data: RefundInstruction{
		Refund:      settlement.RefundAnswer{Refund: r.Refund, State: r.Phase, Source: r.Source, Asked: r.Asked, Amount: r.Amount, Net: r.Net},
		Instruction: t, Unsigned: u,
	}}, nil
}

// refundTransfer is what a refund's transaction must do. One that is on its way keeps its nonce.
func (s *Server) refundTransfer(ctx context.Context, r refund.State, to, destinationID string) (outgoing.Transfer, outgoing.Custody, error) {
	token, _ := s.deps.Registry.Token(r.Net.Asset)
	t := outgoing.Transfer{Chain: token.Chain, To: to, Token: token.Address, Amount: r.Net}
	if r.Phase == refund.PhaseBroadcast {
		t.From, t.Nonce = r.Tx.From, r.Tx.Nonce
		return t, r.Custody, nil
	}
	from := asOutgoing(destinationID)
	var err error
	if t.From, err = s.pocket(ctx, from); err != nil {
		return t, from, err
	}
	t.Nonce, err = s.deps.Custody.Nonce(ctx, t.Chain, t.From)
	return t, from, err
}

// pocket is the address of a custody pocket.
func (s *Server) pocket(ctx context.Context, from outgoing.Custody) (string, error) {
	if from.Destination == "" {
		return s.deps.Custody.Treasury(), nil
	}
	d, _, err := stateOf(ctx, s, destination.Decider, from.Destination)
	return d.Address, err
}

type refundConfirmInput struct {
	ID   string `path:"id"`
	Body struct {
		RefundID    string `json:"refundId" format:"uuid"`
		SignedTx    string `json:"signedTx,omitempty" maxLength:"60000" pattern:"^0x([0-9a-fA-F]{2})+$"`
		TxHash      string `json:"txHash,omitempty" pattern:"^0x[0-9a-fA-F]{64}$" doc:"Instead of signedTx: it was sent elsewhere"`
		Destination string `json:"destinationId,omitempty" maxLength:"64" doc:"The derived address it is paid from; left out = the treasury"`
	}
}

// eitherTx reads a signed transaction or the hash of one that was sent elsewhere.
func eitherTx(signed, hash string) (delivered, error) {
	if (signed == "") == (hash == "") {
		return delivered{}, fault.ErrValidation.At("body.signedTx", "signedTx or txHash, one of them")
	}
	return delivered{signed: signed, hash: hash}, nil
}

func (s *Server) confirmRefund(ctx context.Context, c *call, in *refundConfirmInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	r, err := s.refundFor(ctx, c, strings.ToLower(in.Body.RefundID))
	if err != nil {
		return reply{}, err
	}
	if !concerns(r, p) {
		return reply{}, fault.ErrNotFound
	}
	if c.is(r.Buyer) {
		return reply{}, errConflictOfInterest
	}
	d, err := eitherTx(in.Body.SignedTx, in.Body.TxHash)
	if err != nil {
		return reply{}, err
	}
	return s.signRefund(ctx, c, r, in.Body.Destination, d)
}

// concerns reports whether a refund may be confirmed under a payment: it is of its order, or
// it pays the same buyer's credit back in the same asset.
func concerns(r refund.State, p payment.State) bool {
	if r.Hold != "" {
		return r.Hold == p.Hold
	}
	return r.Buyer == p.Buyer && (r.Net.Asset == "" || r.Net.Asset == p.Due.Asset)
}

func (s *Server) signRefund(ctx context.Context, c *call, r refund.State, destinationID string, d delivered) (reply, error) {
	asset, err := s.refundAsset(ctx, r)
	if err != nil {
		return reply{}, err
	}
	if d, err = s.decoded(ctx, asset, d); err != nil {
		return reply{}, err
	}
	if err := s.safekept(ctx, trezor.RefundKind, string(r.Refund), false); err != nil {
		return reply{}, err
	}
	// What was sent already, by us or elsewhere, is a fact: it is booked whoever got it.
	if r.Phase != refund.PhaseBroadcast && d.hash == "" {
		if err := s.payable(ctx, c, asset, d.tx.To, "refund/"+string(r.Refund)); err != nil {
			return reply{}, err
		}
	}
	f := settlement.SignRefund{
		Issue: c.issue(), Refund: r.Refund, Tx: d.tx, Custody: asOutgoing(destinationID), Screening: "clean", Sent: d.hash != "",
	}
	last := ""
	if r.Phase == refund.PhaseBroadcast {
		f.Custody, f.From, last = r.Custody, r.Tx.From, r.Txs[len(r.Txs)-1]
	} else if f.From, err = s.pocket(ctx, f.Custody); err != nil {
		return reply{}, err
	}
	to := ""
	if refund.DigestOf(d.tx.To) == r.Digest {
		to = d.tx.To
	}
	if err := s.presentable(ctx, d, r.Txs, last, to); err != nil {
		return reply{}, err
	}
	return s.record(ctx, c, of(refund.Decider, r.Refund), f, d)
}
