package reactors

import (
	"context"
	"errors"
	"fmt"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/treasury"
	"holdfast/projections/watchview"
)

// maxTopUps is how often an address gets gas for its sweeps: prices may rise in between.
const maxTopUps = 12

// payGas sees to it that a derived address can pay for its sweep. It is true when it can. Each
// top-up is an errand of its own: one whose receipt is merely late is not repeated, and what it
// cost is booked when it has arrived.
func (s *Sweeper) payGas(ctx context.Context, c watchview.Sweepable, u network.Unsigned) (paid bool, err error) {
	for n := 1; n <= maxTopUps; n++ {
		// Counted per address and not per sweep: a reorganisation makes another sweep of the same
		// money, and the top-up for the first one must be booked all the same.
		purpose := fmt.Sprintf("gas:%s:%d", c.Destination, n)
		raw, known, err := s.o.Kept.For(ctx, purpose)
		if err != nil {
			return false, err
		}
		if known {
			if arrived, err := s.arrived(ctx, c, raw); err != nil || !arrived {
				return false, err
			}
			continue
		}
		short, err := s.o.Chain.Shortfall(ctx, u)
		if err != nil || short.IsZero() {
			return err == nil, err
		}
		return false, s.topUp(ctx, c, purpose, short)
	}
	return false, fmt.Errorf("address %s still lacks gas after %d top-ups", c.Address, maxTopUps)
}

// topUp sends what is missing and a quarter more.
func (s *Sweeper) topUp(ctx context.Context, c watchview.Sweepable, purpose string, short money.Units) error {
	coin := network.NativeAsset(s.o.Network.ID)
	more := short.MulDivFloor(money.FromUint64(5), money.FromUint64(4))
	u, err := s.build(ctx, s.o.Gas, c.Address, money.Of(coin, more))
	if err != nil {
		return err
	}
	if reserved, err := s.reserved(ctx, u.Nonce); err != nil || reserved {
		return err // a payout's instruction has this nonce and waits for its signature
	}
	raw, err := s.o.Signer.SignGas(ctx, u)
	if err != nil {
		return fmt.Errorf("sign a top-up: %w", err)
	}
	tx, err := s.o.Decode(raw)
	if err != nil {
		return err
	}
	// Another process may have been faster: then its transaction is the one that is sent.
	if raw, err = s.o.Kept.KeepFor(ctx, purpose, s.o.Network.ID, tx.Hash, raw); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "top-up of gas", "destination", c.Destination, "address", c.Address, "amount", more, "tx", tx.Hash)
	_, err = s.o.Chain.Send(ctx, raw)
	return err
}

// reserved reports whether an instruction holds a nonce of the gas address.
func (s *Sweeper) reserved(ctx context.Context, nonce uint64) (bool, error) {
	if s.o.Claimed == nil {
		return false, nil
	}
	name := outgoing.NonceClaim(outgoing.Transfer{Chain: s.o.Network.ID, From: s.o.Gas, Nonce: nonce}).Name
	taken, err := s.o.Claimed(ctx, []string{name})
	return len(taken) > 0, err
}

// arrived reports whether a top-up has ended, one way or the other; a lost one is sent again.
func (s *Sweeper) arrived(ctx context.Context, c watchview.Sweepable, raw string) (bool, error) {
	tx, err := s.o.Decode(raw)
	if err != nil {
		return false, err
	}
	out, err := s.o.Chain.Outcome(ctx, tx)
	if err != nil {
		return false, err
	}
	switch out.State {
	case network.Unknown:
		_, err := s.o.Chain.Send(ctx, raw)
		return false, err
	case network.Mined, network.Failed:
		return true, s.bookGas(ctx, c, tx, out)
	}
	return out.State == network.Replaced, nil
}

// bookGas books the coin that a top-up moved, and what it cost itself.
func (s *Sweeper) bookGas(ctx context.Context, c watchview.Sweepable, tx outgoing.Tx, out network.Outcome) error {
	chain := fmt.Sprint(s.o.Network.ID)
	_, err := s.deposits.run(ctx, "chain", "tx:"+tx.Hash, func(i domain.Issue) flow {
		entry := funding.Entry{Issue: i, Ref: outgoing.NormalHash(tx.Hash), Amount: tx.Amount, Reason: "gas"}
		var all together
		if out.State == network.Mined {
			all = append(all, funding.TopUpGas{Entry: entry, Chain: chain, Destination: c.Destination})
		}
		if !out.Fee.IsZero() {
			entry.Amount = money.Of(network.NativeAsset(s.o.Network.ID), out.Fee)
			all = append(all, funding.RecordNetworkFee{Entry: entry, Chain: chain, Purpose: "top-up"})
		}
		return all
	})
	if errors.Is(err, treasury.ErrBooked) {
		return nil
	}
	return err
}
