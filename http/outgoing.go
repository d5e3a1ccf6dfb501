package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// What payouts and refunds share on their way to the chain.

// delivered is a transaction that a custody signer brought.
type delivered struct {
	signed string
	hash   string // instead: it was sent elsewhere, and this is its hash
	tx     outgoing.Tx
}

// decoded reads what was brought. What has been sent elsewhere is fetched from the chain.
func (s *Server) decoded(ctx context.Context, asset money.Asset, d delivered) (delivered, error) {
	if s.deps.Custody == nil {
		return d, errNotConfigured
	}
	token, _ := s.deps.Registry.Token(asset)
	var err error
	if d.signed == "" {
		if d.signed, err = s.deps.Custody.Fetch(ctx, token.Chain, d.hash); err != nil {
			return d, err
		}
	}
	d.tx, err = s.deps.Custody.Decode(ctx, token.Chain, d.signed)
	return d, err
}

// presentable refuses, before the log hears of it, a transaction that should not be sent: gas
// at any price, a replacement no node would take, a recipient that is flagged by now. One that
// was sent already, by us or elsewhere, is a fact.
func (s *Server) presentable(ctx context.Context, d delivered, known []string, last, recipient string) error {
	if d.hash != "" || outgoing.Known(known, d.tx.Hash) == nil {
		return nil
	}
	if err := s.deps.Custody.CheckFee(d.tx); err != nil {
		return err
	}
	if last == "" && recipient == "" {
		return nil
	}
	if last == "" {
		verdict, err := s.screened(ctx, d.tx.Chain, recipient, "clean")
		if err == nil && verdict != "clean" {
			err = errWalletOff
		}
		return err
	}
	old, ok, err := s.deps.Custody.Kept(ctx, d.tx.Chain, last)
	if err != nil || !ok || old.Nonce != d.tx.Nonce {
		return err
	}
	return d.tx.Outbids(old)
}

// record keeps the bytes, then tells the log, then the chain, in this order: a crash between
// two of these leaves a transaction that is sent again, or one that nobody ever sends. A node
// that refuses now is not an error of the command.
func (s *Server) record(ctx context.Context, c *call, on target, f flow, d delivered) (reply, error) {
	if err := s.deps.Custody.Keep(ctx, d.tx, d.signed); err != nil {
		return reply{}, err
	}
	answer, err := s.run(ctx, c, on, f)
	if err != nil {
		return answer, err
	}
	if err := s.deps.Custody.Send(ctx, d.tx, d.signed); err != nil {
		s.log.WarnContext(ctx, "transaction was recorded and not sent yet", "tx", d.tx.Hash, "error", err)
	}
	return answer, nil
}

// screened is what screening says of a recipient now; known is what it said before, and the
// answer where nobody screens.
func (s *Server) screened(ctx context.Context, chain uint64, address, known string) (string, error) {
	if s.deps.Recipients == nil {
		return known, nil
	}
	return s.deps.Recipients.Screen(ctx, chain, address)
}

// sendable prepares the transaction of an instruction, or says why it must wait: the books or
// the chain lack the money, gas is too dear, the chain would refuse it. Nothing is decided by
// that; what was approved stays approved.
func (s *Server) sendable(ctx context.Context, t outgoing.Transfer, from outgoing.Custody, replaces outgoing.Tx) (network.Unsigned, error) {
	if replaces.Hash == "" {
		verdict, err := s.screened(ctx, t.Chain, t.To, "clean")
		if err == nil && verdict != "clean" {
			err = errWalletOff
		}
		if err != nil {
			return network.Unsigned{}, err
		}
		have, err := s.available(ctx, from.Account(), t.Amount.Asset)
		if err != nil {
			return network.Unsigned{}, err
		}
		if have.Less(t.Amount.Units) {
			return network.Unsigned{}, outgoing.ErrCustodyShort.With("have", have).With("need", t.Amount.Units)
		}
	}
	return s.deps.Custody.Unsigned(ctx, t, replaces)
}

// asOutgoing is where a derived destination is named that pays instead of the treasury.
func asOutgoing(destination string) outgoing.Custody {
	return outgoing.Custody{Destination: domain.DestinationID(destination)}
}
