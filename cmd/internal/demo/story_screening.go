package demo

import (
	"context"
	"errors"
	"fmt"

	"holdfast/adapters/devchain"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/money"
)

// flagged is the payer whom the sanctions oracle lists in this story.
const flagged = 2

// FlaggedPayer pays an order from a listed address: two people refuse the money, and it goes back
// to the buyer's own, clean wallet.
func (s *Stage) FlaggedPayer(ctx context.Context) (err error) {
	s.chapter("A payer on a sanctions list: held, reviewed by two, refunded")
	o, err := s.offers(ctx, "An old coin", "60", false)
	if err != nil {
		return err
	}
	if err := s.do(ctx, "The sanctions oracle on the chain lists an address", func() (string, error) {
		_, err := s.wallet.SetSanctioned(ctx, devchain.Payer(flagged), true)
		return devchain.Payer(flagged), err
	}); err != nil {
		return err
	}
	defer func() {
		_, off := s.wallet.SetSanctioned(context.WithoutCancel(ctx), devchain.Payer(flagged), false)
		err = errors.Join(err, off)
	}()
	if err := s.open(ctx, &o, nil); err != nil {
		return err
	}
	if err := s.payFrom(ctx, &o, flagged); err != nil {
		return err
	}
	if err := s.do(ctx, "The payer is screened before the money counts: a hit, and the payment waits", func() (string, error) {
		_, err := s.await(ctx, s.buyer, "/api/payment/"+o.payment, "state", "UnderReview")
		return "nothing was credited; a release hold of kind aml is in place", err
	}); err != nil {
		return err
	}
	if err := s.rejected(ctx, o); err != nil {
		return err
	}
	deposit := ""
	if err := s.do(ctx, "Two admins give the money, which is nobody's now, to the buyer's credit", func() (string, error) {
		if deposit, err = s.depositOf(ctx, o.payment); err != nil {
			return "", err
		}
		for _, admin := range []*apiclient.Client{s.admin, s.admin2} {
			me, err := s.buyer.Call(ctx, apiclient.GET, "/api/auth/me", nil)
			if err != nil {
				return "", err
			}
			if _, err := post(ctx, admin, "/api/payment/unmatched/"+deposit+"/assign", map[string]string{"to": "buyer", "targetId": me.Get("id")}); err != nil {
				return "", err
			}
		}
		return "deposit " + deposit, nil
	}); err != nil {
		return err
	}
	return s.do(ctx, "The refund goes to the buyer's own wallet, screened as clean", func() (string, error) {
		a, err := post(ctx, s.admin, "/api/payment/"+o.payment+"/refund", map[string]any{"source": "buyer_credit", "amount": map[string]string{"display": "60"}, "reason": "the payer is on a list"})
		return "the refund is " + a.Get("state"), err
	})
}

// rejected plays the review: one person is not enough.
func (s *Stage) rejected(ctx context.Context, o order) error {
	path := "/api/payment/" + o.payment + "/review"
	body := map[string]string{"decision": "reject", "reason": "listed by the sanctions oracle"}
	if err := s.do(ctx, "One admin rejects it: noted, and nothing happens", func() (string, error) {
		a, err := post(ctx, s.admin, path, body)
		return a.Get("state"), err
	}); err != nil {
		return err
	}
	return s.do(ctx, "A second admin agrees: the money goes to suspense, and the order is free again", func() (string, error) {
		a, err := post(ctx, s.admin2, path, body)
		return "the payment is " + a.Get("state"), err
	})
}

// depositOf finds the deposit that a payment's refused money has become.
func (s *Stage) depositOf(ctx context.Context, payment string) (key string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		a, err := s.admin.Call(ctx, apiclient.GET, "/api/payment/unmatched?limit=100", nil)
		if err != nil {
			return "", err
		}
		var all []struct {
			ID        string `json:"id"`
			PaymentID string `json:"paymentId"`
		}
		if err := a.Into(&all); err != nil {
			return "", err
		}
		for _, d := range all {
			if d.PaymentID == payment {
				return d.ID, nil
			}
		}
	}
	return "", errors.New("the refused money is not listed")
}

// publish puts a request on the market.
func (s *Stage) publish(ctx context.Context, title string) (string, error) {
	a, err := post(ctx, s.buyer, "/api/marketplace/requests", map[string]any{
		"title": title, "description": "As new, with papers and box.", "categoryId": category, "productType": "goods", "publish": true,
		"budget": map[string]string{"min": "50", "max": "200", "currency": "USDC"}, "deliveryInfo": map[string]string{"deliveryType": "physical", "address": "1 Demo Street"},
	})
	return a.Get("request"), err
}

// payFrom pays what is due from a payer's wallet.
func (s *Stage) payFrom(ctx context.Context, o *order, payer int) error {
	return s.do(ctx, "The transfer is mined", func() (string, error) {
		amount, err := money.ParseUnits(o.checkout.AmountWei)
		if err != nil {
			return "", err
		}
		sent, err := s.wallet.Pay(ctx, devchain.Payment{Payer: payer, Token: o.checkout.TokenAddress, To: o.checkout.Destination, Amount: amount, Reference: o.checkout.PaymentReference})
		return fmt.Sprintf("from %s, transaction %s", devchain.Payer(payer), sent.Tx), err
	})
}
