package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/settlement"
	"holdfast/domain/trezor"
)

// Instruction is what the custody signer gets.
type Instruction struct {
	Payout      settlement.PayoutAnswer `json:"payout"`
	Instruction outgoing.Transfer       `json:"instruction"`
}

// instructed answers with the instruction beside the payout.
type instructed struct {
	settlement.BuildPayoutInstruction
}

func (f instructed) Run(u *domain.Unit) (any, error) {
	answer, err := f.BuildPayoutInstruction.Run(u)
	if err != nil {
		return nil, err
	}
	p, ok := answer.(settlement.PayoutAnswer)
	if !ok {
		return answer, nil
	}
	return Instruction{Payout: p, Instruction: f.Instruction}, nil
}

func (s *Server) payoutInstruction(ctx context.Context, c *call, in *payoutInput) (reply, error) {
	return s.onPayout(ctx, c, in.ID, func(id domain.PayoutID, p payout.State) (flow, error) {
		if s.deps.Custody == nil {
			return nil, errNotConfigured
		}
		t, err := s.deps.Custody.Instruction(ctx, p.Amount, p.Wallet)
		return instructed{settlement.BuildPayoutInstruction{Issue: c.issue(), Payout: id, Instruction: t}}, err
	})
}

type signedInput struct {
	ID   string `path:"id"`
	Body struct {
		SignedTx string `json:"signedTx" maxLength:"60000" pattern:"^0x([0-9a-fA-F]{2})+$"`
	}
}

// recorded takes the signature and the broadcast in one append: the log knows of the
// transaction before any node does.
type recorded struct {
	settlement.RecordPayoutSignature
}

func (f recorded) Run(u *domain.Unit) (any, error) {
	if _, err := f.RecordPayoutSignature.Run(u); err != nil {
		return nil, err
	}
	return settlement.BroadcastPayout{Issue: f.Issue, Payout: f.Payout}.Run(u)
}

func (s *Server) payoutSigned(ctx context.Context, c *call, in *signedInput) (reply, error) {
	state, err := s.payoutFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if err := s.safekept(ctx, trezor.PayoutKind, in.ID, false); err != nil {
		return reply{}, err
	}
	tx, err := s.decode(ctx, state.Amount.Asset, in.Body.SignedTx)
	if err != nil {
		return reply{}, err
	}
	id := domain.PayoutID(in.ID)
	answer, err := s.run(ctx, c, of(payout.Decider, id), recorded{settlement.RecordPayoutSignature{Issue: c.issue(), Payout: id, Tx: tx}})
	if err != nil {
		return answer, err
	}
	return answer, s.send(ctx, tx, in.Body.SignedTx)
}

// decode reads a signed transaction and keeps it, so that it can be sent again after a crash.
func (s *Server) decode(ctx context.Context, asset money.Asset, signed string) (outgoing.Tx, error) {
	if s.deps.Custody == nil {
		return outgoing.Tx{}, errNotConfigured
	}
	token, _ := s.deps.Registry.Token(asset)
	tx, err := s.deps.Custody.Decode(ctx, token.Chain, signed)
	if err != nil {
		return tx, err
	}
	return tx, s.deps.Custody.Keep(ctx, tx, signed)
}

// send hands a recorded transaction to the chain. A node that refuses now is not an error of
// this command: what was recorded is sent again until the chain has it or it is replaced.
func (s *Server) send(ctx context.Context, tx outgoing.Tx, signed string) error {
	if err := s.deps.Custody.Send(ctx, tx, signed); err != nil {
		s.log.Warn("transaction was recorded and not sent yet", "tx", tx.Hash, "error", err)
	}
	return nil
}
