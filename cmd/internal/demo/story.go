package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/adapters/devchain"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// HappyOrder goes from a request to a confirmed payout.
func (s *Stage) HappyOrder(ctx context.Context) error {
	s.chapter("First order: from offer to payout")
	o, err := s.offers(ctx, "A mechanical watch", "120", true)
	if err != nil {
		return err
	}
	if err := s.pay(ctx, &o, true); err != nil {
		return err
	}
	if err := s.ship(ctx, o); err != nil {
		return err
	}
	if err := s.deliver(ctx, o); err != nil {
		return err
	}
	if err := s.do(ctx, "The buyer releases: 2.5 % to the platform, the rest to the seller", func() (string, error) {
		_, err := post(ctx, s.buyer, "/api/payment/"+o.payment+"/release", nil)
		return "", err
	}); err != nil {
		return err
	}
	if err := s.swept(ctx, "97.5"); err != nil {
		return err
	}
	return s.payout(ctx, "97.5")
}

// swept waits until the books show that the tokens have reached the treasury.
func (s *Stage) swept(ctx context.Context, amount string) error {
	want, err := money.ParseDecimal(amount, 6)
	if err != nil {
		return err
	}
	return s.do(ctx, "The sweep brings the tokens to the treasury", func() (string, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		for {
			have, err := s.treasury(ctx)
			if err != nil {
				return "", err
			}
			if resting, err := s.resting(ctx); err != nil {
				return "", err
			} else if resting && !have.Less(want) {
				return "the treasury holds " + have.Decimal(6) + " USDC", nil
			}
			select {
			case <-ctx.Done():
				return "", errors.New("the tokens did not reach the treasury in time")
			case <-time.After(300 * time.Millisecond):
			}
		}
	})
}

// resting reports whether the newest destinations are swept: nothing of theirs is under way.
func (s *Stage) resting(ctx context.Context) (bool, error) {
	a, err := s.admin.Call(ctx, apiclient.GET, "/api/payment/derived-destinations?limit=5", nil)
	if err != nil {
		return false, err
	}
	var all []struct{ State string }
	if err := a.Into(&all); err != nil {
		return false, err
	}
	for _, d := range all {
		if d.State == "Funded" || d.State == "Sweeping" {
			return false, nil
		}
	}
	return true, nil
}

// treasury is what the ledger says is available in the treasury.
func (s *Stage) treasury(ctx context.Context) (money.Units, error) {
	a, err := s.admin.Call(ctx, apiclient.GET, "/api/ledger/trial-balance", nil)
	if err != nil {
		return money.Zero, err
	}
	var b struct {
		Accounts []struct{ Account, Asset, Available string }
	}
	if err := a.Into(&b); err != nil {
		return money.Zero, err
	}
	for _, l := range b.Accounts {
		if l.Account == string(ledger.Treasury) && s.short(l.Asset) == "USDC@1337" {
			return money.ParseUnits(l.Available)
		}
	}
	return money.Zero, nil
}

// DisputedOrder ends in a dispute, a split decision, an appeal and a refund.
func (s *Stage) DisputedOrder(ctx context.Context) error {
	s.chapter("Second order: a dispute, a split, a refund")
	o, err := s.offers(ctx, "A vintage camera", "80", false)
	if err != nil {
		return err
	}
	if err := s.pay(ctx, &o, false); err != nil {
		return err
	}
	if err := s.ship(ctx, o); err != nil {
		return err
	}
	dispute := ""
	if err := s.do(ctx, "The buyer opens a dispute: the money is frozen", func() (string, error) {
		a, err := post(ctx, s.buyer, "/api/disputes", map[string]any{
			"purchaseRequestId": o.request, "category": "not_as_described", "reason": "The shutter is stuck", "desiredOutcome": "split",
		})
		dispute = a.Get("dispute")
		return "dispute " + dispute, err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "A release is refused while it is open", func() (string, error) {
		_, err := post(ctx, s.buyer, "/api/payment/"+o.payment+"/release", nil)
		if refusal := (*apiclient.Error)(nil); errors.As(err, &refusal) {
			return refusal.Error(), nil
		}
		return "", errors.New("the release of a frozen hold was not refused")
	}); err != nil {
		return err
	}
	if err := s.judge(ctx, dispute); err != nil {
		return err
	}
	return s.refund(ctx, o)
}

func (s *Stage) judge(ctx context.Context, dispute string) error {
	base := "/api/disputes/" + dispute
	resolve := func(resolver *apiclient.Client, sellerBPS int) error {
		if _, err := resolver.Call(ctx, apiclient.PATCH, base+"/assign", map[string]any{}); err != nil {
			return err
		}
		_, err := post(ctx, resolver, base+"/decide", map[string]any{"action": "split", "seller_bps": sellerBPS, "reason": "Both are right in part"})
		return err
	}
	for _, step := range []struct {
		what string
		act  func() error
	}{
		{"The seller answers", func() error {
			_, err := post(ctx, s.seller, base+"/respond", map[string]string{"text": "It worked when I sent it"})
			return err
		}},
		{"Both submit evidence; it is sealed and immutable", func() error {
			for _, party := range []*apiclient.Client{s.buyer, s.seller} {
				if _, err := post(ctx, party, base+"/evidence", map[string]string{"kind": "text", "text": "See the photo"}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"The collection of evidence ends", func() error { _, err := post(ctx, s.admin, base+"/close-evidence", nil); return err }},
		{"A resolver decides 60 : 40 for the seller", func() error { return resolve(s.resolver, 6000) }},
		{"The buyer appeals", func() error {
			_, err := post(ctx, s.buyer, base+"/appeal", map[string]any{"grounds": "The photo was not looked at"})
			return err
		}},
		{"Another resolver decides 50 : 50; the decision is final and carried out", func() error { return resolve(s.resolver2, 5000) }},
	} {
		if err := s.do(ctx, step.what, func() (string, error) { return "", step.act() }); err != nil {
			return err
		}
	}
	return nil
}

// refund pays the buyer's half back.
func (s *Stage) refund(ctx context.Context, o order) error {
	path := "/api/payment/" + o.payment + "/refunds"
	// The seeded wallet's id follows from the seeded user's.
	wallet := domain.DeriveID(fmt.Sprintf("%s/%d", records.Buyer1, devchain.ChainID), "seeded-wallet")
	refund := ""
	if err := s.do(ctx, "The buyer confirms the address for the refund", func() (string, error) {
		a, err := s.buyer.Call(ctx, apiclient.GET, path, nil)
		if err != nil {
			return "", err
		}
		list := []map[string]any{}
		if err := a.Into(&list); err != nil || len(list) == 0 {
			return "", errors.Join(err, errors.New("there is no refund"))
		}
		if id, ok := list[0]["refund"].(string); ok {
			refund = id
		} else if id, ok := list[0]["id"].(string); ok {
			refund = id
		}
		_, err = post(ctx, s.buyer, "/api/payment/refunds/"+refund+"/address", map[string]string{"walletId": wallet})
		return "refund " + refund, err
	}); err != nil {
		return err
	}
	if err := s.swept(ctx, "40"); err != nil {
		return err
	}
	if err := s.do(ctx, "The refund is signed outside, recorded, then sent", func() (string, error) {
		t := outgoing.Transfer{
			Chain: devchain.ChainID, From: devchain.Treasury, To: devchain.Payer(1), Token: devchain.USDC,
			Amount: money.Of(network.TokenAsset(devchain.ChainID, devchain.USDC), money.FromUint64(40_000_000)),
		}
		var err error
		if t.Nonce, err = s.chain.NextNonce(ctx, devchain.Treasury); err != nil {
			return "", err
		}
		raw, err := s.sign(ctx, t)
		if err != nil {
			return "", err
		}
		_, err = post(ctx, s.admin, "/api/payment/"+o.payment+"/refund/confirm", map[string]string{"refundId": refund, "signedTx": raw})
		return "40 USDC go back to the buyer", err
	}); err != nil {
		return err
	}
	return s.do(ctx, "The chain confirms the refund; dispute and order are closed", func() (string, error) {
		_, err := s.await(ctx, s.buyer, "/api/marketplace/requests/"+o.request, "state", "Completed")
		return "", err
	})
}
