package demo

import (
	"context"
	"fmt"
	"time"

	"holdfast/adapters/devchain"
	"holdfast/domain/money"
)

// PayIns tells how money comes in that is not simply what was asked for: in parts, too much,
// too late, and in a block that the chain takes back.
func (s *Stage) PayIns(ctx context.Context) error {
	s.chapter("Money in, in every way: parts and too much")
	o, err := s.offers(ctx, "A tent", "20", false)
	if err != nil {
		return err
	}
	if err := s.open(ctx, &o, nil); err != nil {
		return err
	}
	if err := s.transfer(ctx, "The buyer sends 8 of 20 USDC", o, "8", "PartiallyPaid"); err != nil {
		return err
	}
	if err := s.transfer(ctx, "Then 15: 12 are the rest, 3 are the buyer's credit", o, "15", "Paid"); err != nil {
		return err
	}
	if err := s.late(ctx); err != nil {
		return err
	}
	return s.forked(ctx)
}

// late pays what was given up.
func (s *Stage) late(ctx context.Context) error {
	s.chapter("Too late: the payment was given up, the order still waits")
	o, err := s.offers(ctx, "A lamp", "10", false)
	if err != nil {
		return err
	}
	if err := s.open(ctx, &o, nil); err != nil {
		return err
	}
	if err := s.do(ctx, "The buyer gives the payment up", func() (string, error) {
		_, err := post(ctx, s.buyer, "/api/payment/"+o.payment+"/cancel", map[string]string{"reason": "changed my mind"})
		return "", err
	}); err != nil {
		return err
	}
	return s.transfer(ctx, "And pays all the same: the order can still take it", o, "10", "Paid")
}

// forked has the chain take back the block of a payment and mine it again in another.
func (s *Stage) forked(ctx context.Context) error {
	s.chapter("The chain changes its mind")
	o, err := s.offers(ctx, "A radio", "12", false)
	if err != nil {
		return err
	}
	if err := s.open(ctx, &o, nil); err != nil {
		return err
	}
	if err := s.transfer(ctx, "The buyer pays 12 USDC", o, "12", "Paid"); err != nil {
		return err
	}
	return s.do(ctx, "The chain replaces the blocks since then; the same transactions come in others", func() (string, error) {
		a, err := s.buyer.Call(ctx, "GET", "/api/payment/"+o.payment, nil)
		if err != nil {
			return "", err
		}
		var p struct {
			Transfers []struct{ Block uint64 }
		}
		if err := a.Into(&p); err != nil || len(p.Transfers) != 1 {
			return "", fmt.Errorf("one transfer was expected, %d are there: %w", len(p.Transfers), err)
		}
		// Sweeps and top-ups are mined meanwhile, so the block is named and not its depth.
		if err := s.wallet.ReplaceSince(ctx, p.Transfers[0].Block, false); err != nil {
			return "", err
		}
		if err := s.happened(ctx, "payment.reorged", o.payment); err != nil {
			return "", err
		}
		_, err = s.await(ctx, s.buyer, "/api/payment/"+o.payment, "state", "Paid")
		return "the block of the payment was replaced: the money was taken back, and is held again once", err
	})
}

// happened waits for an event in a stream.
func (s *Stage) happened(ctx context.Context, kind, stream string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		events, err := s.events(ctx, s.shown)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Type == kind && e.Stream.ID == stream {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s of %s did not happen in time", kind, stream)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// transfer sends tokens straight to a payment's address.
func (s *Stage) transfer(ctx context.Context, what string, o order, amount, state string) error {
	return s.do(ctx, what, func() (string, error) {
		n, err := money.ParseDecimal(amount, 6)
		if err != nil {
			return "", err
		}
		sent, err := s.wallet.Transfer(ctx, 1, devchain.USDC, o.checkout.Destination, n)
		if err != nil {
			return "", err
		}
		a, err := s.await(ctx, s.buyer, "/api/payment/"+o.payment, "state", state)
		return fmt.Sprintf("transaction %s; exception %q", sent.Tx, a.Get("exception")), err
	})
}
