package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/settlement"
	"holdfast/domain/trezor"
)

// Instruction is what the custody signer gets: what the transaction must do, and that
// transaction ready to be signed. Its gas price may be changed; nothing else.
type Instruction struct {
	Payout      settlement.PayoutAnswer `json:"payout"`
	Instruction outgoing.Transfer       `json:"instruction"`
	Unsigned    network.Unsigned        `json:"unsigned"`
}

// instructed answers with the instruction beside the payout.
type instructed struct {
	settlement.BuildPayoutInstruction
	unsigned network.Unsigned
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
	return Instruction{Payout: p, Instruction: f.Instruction, Unsigned: f.unsigned}, nil
}

// payoutInstruction gives one instruction for a payout, and the same one again for as long as
// it can be carried out: whoever signs twice signs the same nonce.
func (s *Server) payoutInstruction(ctx context.Context, c *call, in *payoutInput) (reply, error) {
	p, err := s.payoutFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if c.is(p.Seller) {
		return reply{}, errConflictOfInterest
	}
	if s.deps.Custody == nil {
		return reply{}, errNotConfigured
	}
	if p.Instruction != nil && (p.Phase == payout.PhaseInstructionBuilt || p.Phase == payout.PhaseBroadcast) {
		return s.instructAgain(ctx, c, p)
	}
	return s.instruct(ctx, c, p, false)
}

func (s *Server) instruct(ctx context.Context, c *call, p payout.State, nonceGone bool) (reply, error) {
	t, err := s.deps.Custody.Instruction(ctx, p.Amount, p.Wallet)
	if err != nil {
		return reply{}, err
	}
	f := instructed{BuildPayoutInstruction: settlement.BuildPayoutInstruction{Issue: c.issue(), Payout: p.Payout, Instruction: t, NonceGone: nonceGone}}
	if f.unsigned, err = s.sendable(ctx, t, outgoing.Custody{}, outgoing.Tx{}); err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(payout.Decider, p.Payout), f)
}

// instructAgain looks at the chain before anything is signed a second time.
func (s *Server) instructAgain(ctx context.Context, c *call, p payout.State) (reply, error) {
	old := *p.Instruction
	replaces := outgoing.Tx{}
	if p.Phase == payout.PhaseBroadcast {
		var err error
		if replaces, _, err = s.deps.Custody.Kept(ctx, old.Chain, p.Txs[len(p.Txs)-1]); err != nil {
			return reply{}, err
		}
	} else {
		signed, err := s.deps.Custody.UsedBy(ctx, old)
		if err != nil {
			return reply{}, err
		}
		if signed != "" {
			tx, err := s.deps.Custody.Decode(ctx, old.Chain, signed)
			if err == nil && old.Check(tx.Transfer) == nil {
				return s.adopt(ctx, c, p, tx, signed)
			}
			return s.instruct(ctx, c, p, true)
		}
	}
	u, err := s.sendable(ctx, old, outgoing.Custody{}, replaces)
	if err != nil {
		return reply{}, err
	}
	answer := settlement.PayoutAnswer{
		Payout: p.Payout, State: p.Phase, Revision: p.Revision, Amount: p.Amount, Wallet: p.Wallet, Approvals: len(p.Approvers), Needed: p.Needed,
	}
	return reply{data: Instruction{Payout: answer, Instruction: old, Unsigned: u}}, nil
}

// adopt records a transaction that carried the instruction out without our being told: it was
// signed and sent elsewhere.
func (s *Server) adopt(ctx context.Context, c *call, p payout.State, tx outgoing.Tx, signed string) (reply, error) {
	if err := s.deps.Custody.Keep(ctx, tx, signed); err != nil {
		return reply{}, err
	}
	f := adopted{settlement.SignPayout{Issue: c.issue(), Payout: p.Payout, Tx: tx, Sent: true}, *p.Instruction}
	return s.run(ctx, c, of(payout.Decider, p.Payout), f)
}

type adopted struct {
	settlement.SignPayout
	instruction outgoing.Transfer
}

func (f adopted) Run(u *domain.Unit) (any, error) {
	answer, err := f.SignPayout.Run(u)
	if err != nil {
		return nil, err
	}
	p, _ := answer.(settlement.PayoutAnswer)
	return Instruction{Payout: p, Instruction: f.instruction}, nil
}

type signedInput struct {
	ID   string `path:"id"`
	Body struct {
		SignedTx string `json:"signedTx" maxLength:"60000" pattern:"^0x([0-9a-fA-F]{2})+$"`
	}
}

func (s *Server) payoutSigned(ctx context.Context, c *call, in *signedInput) (reply, error) {
	return s.signPayout(ctx, c, in.ID, delivered{signed: in.Body.SignedTx})
}

func (s *Server) signPayout(ctx context.Context, c *call, id string, d delivered) (reply, error) {
	p, err := s.payoutFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	if c.is(p.Seller) {
		return reply{}, errConflictOfInterest
	}
	if err := s.safekept(ctx, trezor.PayoutKind, string(p.Payout), false); err != nil {
		return reply{}, err
	}
	// What was sent already, by us or elsewhere, is a fact: it is booked whoever got it.
	if p.Phase != payout.PhaseBroadcast && d.hash == "" {
		if err := s.payable(ctx, c, p.Amount.Asset, p.Wallet, "payout/"+string(p.Payout)); err != nil {
			return reply{}, err
		}
	}
	if d, err = s.decoded(ctx, p.Amount.Asset, d); err != nil {
		return reply{}, err
	}
	last := ""
	if p.Phase == payout.PhaseBroadcast {
		last = p.Txs[len(p.Txs)-1]
	}
	if err := s.presentable(ctx, d, p.Txs, last, p.Wallet); err != nil {
		return reply{}, err
	}
	f := settlement.SignPayout{Issue: c.issue(), Payout: p.Payout, Tx: d.tx, Sent: d.hash != ""}
	return s.record(ctx, c, of(payout.Decider, p.Payout), f, d)
}
