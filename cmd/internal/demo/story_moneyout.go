package demo

import (
	"context"
	"errors"
	"fmt"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// finished plays an order of a price up to the release of its money.
func (s *Stage) finished(ctx context.Context, title, price, net string) (order, error) {
	o, err := s.offers(ctx, title, price, false)
	if err != nil {
		return o, err
	}
	for _, step := range []func() error{
		func() error { return s.pay(ctx, &o, false) },
		func() error { return s.ship(ctx, o) },
		func() error { return s.deliver(ctx, o) },
	} {
		if err := step(); err != nil {
			return o, err
		}
	}
	if err := s.do(ctx, "The buyer releases", func() (string, error) {
		_, err := post(ctx, s.buyer, "/api/payment/"+o.payment+"/release", nil)
		return "", err
	}); err != nil {
		return o, err
	}
	return o, s.swept(ctx, net)
}

// refused demands that a call is refused and tells how.
func refused(err error, code string) (string, error) {
	refusal := (*apiclient.Error)(nil)
	if !errors.As(err, &refusal) || refusal.Code != code {
		return "", fmt.Errorf("%s was expected, not: %w", code, err)
	}
	return refusal.Error(), nil
}

// approvedPayout asks for a payout, has it approved, and gives its instruction.
func (s *Stage) approvedPayout(ctx context.Context, amount string) (id string, t outgoing.Transfer, err error) {
	a, err := post(ctx, s.seller, "/api/payment/payouts", map[string]string{"asset": "USDC@1337", "display": amount})
	if err != nil {
		return "", t, err
	}
	id = a.Get("payout")
	if _, err := post(ctx, s.admin, "/api/payment/payouts/"+id+"/approve", map[string]int{"revision": 1}); err != nil {
		return id, t, err
	}
	t, err = s.instruction(ctx, id)
	return id, t, err
}

func (s *Stage) instruction(ctx context.Context, id string) (outgoing.Transfer, error) {
	a, err := post(ctx, s.admin, "/api/payment/payouts/"+id+"/instruction", nil)
	if err != nil {
		return outgoing.Transfer{}, err
	}
	var built struct {
		Instruction outgoing.Transfer `json:"instruction"`
	}
	return built.Instruction, a.Into(&built)
}

// ReplacedPayout is stuck behind another nonce, and is replaced by a dearer transaction.
func (s *Stage) ReplacedPayout(ctx context.Context) error {
	s.chapter("A payout that is stuck is replaced, and paid once")
	if _, err := s.finished(ctx, "A turntable", "100", "97.5"); err != nil {
		return err
	}
	var first, second string
	var one, two outgoing.Transfer
	var tx outgoing.Tx
	for _, step := range []struct {
		what string
		act  func() (string, error)
	}{
		{"Two payouts are approved; each instruction has a nonce of its own", func() (note string, err error) {
			if first, one, err = s.approvedPayout(ctx, "50"); err != nil {
				return "", err
			}
			second, two, err = s.approvedPayout(ctx, "47.5")
			return fmt.Sprintf("nonces %d and %d", one.Nonce, two.Nonce), err
		}},
		{"The second is signed first: its transaction waits for the nonce before it", func() (string, error) {
			raw, err := s.sign(ctx, two)
			if err != nil {
				return "", err
			}
			if tx, err = evm.Decode(raw); err != nil {
				return "", err
			}
			_, err = post(ctx, s.admin, "/api/payment/payouts/"+second+"/signed", map[string]string{"signedTx": raw})
			return "transaction " + tx.Hash, err
		}},
		{"A second signer signs it with another nonce: that would be a second payment", func() (string, error) {
			other := two
			other.Nonce++
			raw, err := s.sign(ctx, other)
			if err != nil {
				return "", err
			}
			_, err = post(ctx, s.admin2, "/api/payment/payouts/"+second+"/signed", map[string]string{"signedTx": raw})
			return refused(err, "PAYOUT_IN_PROGRESS")
		}},
		{"The same nonce at a higher price replaces it: the chain takes one of the two", func() (string, error) {
			u, err := s.chain.Outbid(ctx, two, tx)
			if err != nil {
				return "", err
			}
			raw, err := s.signer.Sign(evm.TreasuryPath, u)
			if err != nil {
				return "", err
			}
			_, err = post(ctx, s.admin, "/api/payment/payouts/"+second+"/signed", map[string]string{"signedTx": raw})
			return "", err
		}},
		{"The first is signed, and the chain takes both", func() (string, error) {
			raw, err := s.sign(ctx, one)
			if err != nil {
				return "", err
			}
			if _, err = post(ctx, s.admin, "/api/payment/payouts/"+first+"/signed", map[string]string{"signedTx": raw}); err != nil {
				return "", err
			}
			for _, id := range []string{first, second} {
				if _, err = s.await(ctx, s.seller, "/api/payment/payouts/"+id, "state", "Confirmed"); err != nil {
					return "", err
				}
			}
			return "two payouts, two payments", nil
		}},
	} {
		if err := s.do(ctx, step.what, step.act); err != nil {
			return err
		}
	}
	return nil
}

// FailedRefund fails on the chain, becomes credit, and is sent to another address.
func (s *Stage) FailedRefund(ctx context.Context) error {
	s.chapter("A refund fails on the chain and is sent to another address")
	o, err := s.offers(ctx, "A typewriter", "40", false)
	if err != nil {
		return err
	}
	if err := s.pay(ctx, &o, false); err != nil {
		return err
	}
	if err := s.swept(ctx, "40"); err != nil {
		return err
	}
	path := "/api/payment/" + o.payment + "/refund"
	refund, again := "", ""
	for _, step := range []struct {
		what string
		act  func() (string, error)
	}{
		{"The seller cannot deliver and gives the order up", func() (string, error) {
			a, err := post(ctx, s.seller, path, map[string]string{"mode": "full", "reason": "It broke"})
			refund = a.Get("refund")
			return "refund " + refund, err
		}},
		{"It is signed; meanwhile somebody uses custody's nonce for something else", func() (string, error) {
			t, err := s.refundInstruction(ctx, refund)
			if err != nil {
				return "", err
			}
			raw, err := s.sign(ctx, t)
			if err != nil {
				return "", err
			}
			t.To, t.Amount.Units = devchain.Treasury, money.FromUint64(1)
			other, err := s.sign(ctx, t)
			if err != nil {
				return "", err
			}
			if _, err := s.chain.Send(ctx, other); err != nil {
				return "", err
			}
			_, err = post(ctx, s.admin, path+"/confirm", map[string]string{"refundId": refund, "signedTx": raw})
			return "", err
		}},
		{"The refund can never be mined: it failed, and the money is the buyer's credit", func() (string, error) {
			_, err := s.await(ctx, s.buyer, "/api/payment/refunds/"+refund, "state", "Failed")
			return "", err
		}},
		{"The buyer asks for it at another wallet of his; an admin approves", func() (string, error) {
			a, err := post(ctx, s.buyer, path, map[string]any{
				"source": "buyer_credit", "mode": "partial", "amount": map[string]string{"display": "40"}, "reason": "Once more", "walletId": records.OtherWallet(records.Buyer1, devchain.ChainID),
			})
			if err != nil {
				return "", err
			}
			again = a.Get("refund")
			_, err = post(ctx, s.admin, "/api/payment/refunds/"+again+"/approve", nil)
			return "refund " + again, err
		}},
		{"It is signed, recorded, sent and confirmed", func() (string, error) {
			t, err := s.refundInstruction(ctx, again)
			if err != nil {
				return "", err
			}
			raw, err := s.sign(ctx, t)
			if err != nil {
				return "", err
			}
			if _, err = post(ctx, s.admin, path+"/confirm", map[string]string{"refundId": again, "signedTx": raw}); err != nil {
				return "", err
			}
			_, err = s.await(ctx, s.buyer, "/api/payment/refunds/"+again, "state", "Confirmed")
			return "40 USDC went to " + t.To, err
		}},
	} {
		if err := s.do(ctx, step.what, step.act); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) refundInstruction(ctx context.Context, id string) (outgoing.Transfer, error) {
	if _, err := s.await(ctx, s.admin, "/api/payment/refunds/"+id, "state", "Approved"); err != nil {
		return outgoing.Transfer{}, err
	}
	a, err := s.admin.Call(ctx, apiclient.GET, "/api/payment/refunds/"+id+"/instruction", nil)
	if err != nil {
		return outgoing.Transfer{}, err
	}
	var built struct {
		Instruction outgoing.Transfer `json:"instruction"`
	}
	return built.Instruction, a.Into(&built)
}

// ClawedBack refunds a buyer after the seller was paid; the seller's next order pays for it.
func (s *Stage) ClawedBack(ctx context.Context) error {
	s.chapter("A refund after the payout: the seller owes it, and the next order pays")
	s.seller, s.seller2 = s.seller2, s.seller
	defer func() { s.seller, s.seller2 = s.seller2, s.seller }()
	o, err := s.finished(ctx, "A radio", "60", "58.5")
	if err != nil {
		return err
	}
	if err := s.payout(ctx, "58.5"); err != nil {
		return err
	}
	if err := s.float(ctx, "50", o.payment); err != nil {
		return err
	}
	path := "/api/payment/" + o.payment + "/refund"
	if err := s.do(ctx, "It was a fake: an admin refunds 40 out of what was released", func() (string, error) {
		a, err := post(ctx, s.admin, path, map[string]any{"source": "clawback", "mode": "partial", "amount": map[string]string{"display": "40"}, "reason": "A fake"})
		if err != nil {
			return "", err
		}
		t, err := s.refundInstruction(ctx, a.Get("refund"))
		if err != nil {
			return "", err
		}
		raw, err := s.sign(ctx, t)
		if err != nil {
			return "", err
		}
		if _, err = post(ctx, s.admin, path+"/confirm", map[string]string{"refundId": a.Get("refund"), "signedTx": raw}); err != nil {
			return "", err
		}
		_, err = s.await(ctx, s.buyer, "/api/payment/refunds/"+a.Get("refund"), "state", "Confirmed")
		return "1 of it is the platform's fee given back, 39 the seller owes: " + string(ledger.ReceivableSeller(records.Seller2)), err
	}); err != nil {
		return err
	}
	if _, err := s.finished(ctx, "A lamp", "60", "58.5"); err != nil {
		return err
	}
	if err := s.do(ctx, "The next order's release has paid the debt; what was netted cannot be asked for", func() (string, error) {
		_, err := post(ctx, s.seller, "/api/payment/payouts", map[string]string{"asset": "USDC@1337", "display": "58.5"})
		return refused(err, "INSUFFICIENT_AVAILABLE")
	}); err != nil {
		return err
	}
	return s.payout(ctx, "19.5")
}

// float puts platform money into the treasury, on the chain and in the books: what is owed to a
// buyer before the seller pays it back must come from somewhere.
func (s *Stage) float(ctx context.Context, amount, ref string) error {
	return s.do(ctx, "The platform keeps a float of "+amount+" USDC for such cases; two admins book it", func() (string, error) {
		units, err := money.ParseDecimal(amount, 6)
		if err != nil {
			return "", err
		}
		sent, err := s.wallet.Transfer(ctx, 2, devchain.USDC, devchain.Treasury, units)
		if err != nil {
			return "", err
		}
		for _, admin := range []*apiclient.Client{s.admin, s.admin2} {
			if _, err := post(ctx, admin, "/api/ledger/adjustments", map[string]any{
				"kind": "capital_contributed", "amount": map[string]string{"asset": "USDC@1337", "display": amount}, "ref": "float-" + ref,
				"reason": "float for refunds after payouts", "account": string(ledger.Treasury),
			}); err != nil {
				return "", err
			}
		}
		return "transaction " + sent.Tx, nil
	})
}
