package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/adapters/requestnetwork"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// order is what the steps of one order hand on.
type order struct {
	request, offer, payment string
	provider                string // the provider's request id; empty in our own checkout
	revision                int
	checkout                checkout
}

type checkout struct {
	Destination      string `json:"destination"`
	TokenAddress     string `json:"tokenAddress"`
	ChainID          uint64 `json:"chainId"`
	PaymentReference string `json:"paymentReference"`
	AmountWei        string `json:"amountWei"`
}

const category = "00000000-0000-4000-8000-000000000c01"

// offers plays everything up to the selected offer: two sellers compete, the buyer counters.
func (s *Stage) offers(ctx context.Context, title, price string, compete bool) (o order, err error) {
	steps := []struct {
		what string
		act  func() (string, error)
	}{
		{"The buyer publishes a request: " + title, func() (string, error) {
			a, err := post(ctx, s.buyer, "/api/marketplace/requests", map[string]any{
				"title": title, "description": "As new, with papers and box.", "categoryId": category, "productType": "goods", "publish": true,
				"budget": map[string]string{"min": "50", "max": "200", "currency": "USDC"}, "deliveryInfo": map[string]string{"deliveryType": "physical", "address": "1 Demo Street"},
			})
			o.request = a.Get("request")
			return "request " + o.request, err
		}},
		{"A seller offers it for " + price + " USDC", func() (string, error) {
			a, err := s.offer(ctx, s.seller, o.request, price)
			o.offer, o.revision = a.Get("offer"), 1
			return "offer " + o.offer, err
		}},
	}
	if compete {
		steps = append(steps, []struct {
			what string
			act  func() (string, error)
		}{
			{"A second seller offers it for 130 USDC", func() (string, error) {
				_, err := s.offer(ctx, s.seller2, o.request, "130")
				return "", err
			}},
			{"The buyer counters the first offer: 100 USDC", func() (string, error) {
				_, err := post(ctx, s.buyer, "/api/marketplace/offers/"+o.offer+"/counter", map[string]any{
					"price": map[string]string{"asset": "USDC@1337", "display": "100"}, "message": "100 and we have a deal", "expiresAt": time.Now().Add(time.Hour).UTC(),
				})
				return "", err
			}},
			{"The first seller accepts the counter-offer", func() (string, error) {
				_, err := post(ctx, s.seller, "/api/marketplace/offers/"+o.offer+"/counter/accept", nil)
				o.revision = 2
				return "the price is 100 USDC now, revision 2", err
			}},
		}...)
	}
	steps = append(steps, struct {
		what string
		act  func() (string, error)
	}{"The buyer accepts: the hold is opened", func() (string, error) {
		_, err := post(ctx, s.buyer, "/api/marketplace/requests/"+o.request+"/select-offer", map[string]any{"offerId": o.offer, "revision": o.revision})
		return "", err
	}})
	for _, step := range steps {
		if err := s.do(ctx, step.what, step.act); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (s *Stage) offer(ctx context.Context, seller *apiclient.Client, request, price string) (apiclient.Answer, error) {
	return post(ctx, seller, "/api/marketplace/offers", map[string]any{
		"purchaseRequestId": request, "title": "Just what you look for", "price": map[string]string{"asset": "USDC@1337", "display": price},
		"deliveryTime": map[string]any{"amount": 3, "unit": "days"}, "validUntil": time.Now().Add(24 * time.Hour).UTC(),
	})
}

// open opens the payment of an order; more is added to what is sent.
func (s *Stage) open(ctx context.Context, o *order, more map[string]any) error {
	return s.do(ctx, "The buyer opens the payment and gets a destination of its own", func() (string, error) {
		body := map[string]any{"purchaseRequestId": o.request, "sellerOfferId": o.offer}
		maps.Copy(body, more)
		a, err := post(ctx, s.buyer, "/api/payment/request-network/intents", body)
		if err != nil {
			return "", err
		}
		var block struct {
			InHouse   checkout `json:"inHouseCheckout"`
			Provider  string   `json:"provider"`
			RequestID string   `json:"requestId"`
		}
		if err := a.Into(&block); err != nil {
			return "", err
		}
		o.payment, o.checkout = a.Get("payment.payment"), block.InHouse
		if block.Provider != "own" {
			o.provider = block.RequestID
		}
		return fmt.Sprintf("pay %s base units to %s, reference %s", o.checkout.AmountWei, o.checkout.Destination, o.checkout.PaymentReference), nil
	})
}

// pay mines a real ERC-20 payment on the development chain and waits until it is confirmed.
func (s *Stage) pay(ctx context.Context, o *order, announce bool) error {
	if err := s.open(ctx, o, nil); err != nil {
		return err
	}
	var tx string
	if err := s.do(ctx, "The buyer pays through the fee proxy; the transfer is mined", func() (string, error) {
		amount, err := money.ParseUnits(o.checkout.AmountWei)
		if err != nil {
			return "", err
		}
		sent, err := s.wallet.Pay(ctx, devchain.Payment{Payer: 1, Token: o.checkout.TokenAddress, To: o.checkout.Destination, Amount: amount, Reference: o.checkout.PaymentReference})
		tx = sent.Tx
		return fmt.Sprintf("transaction %s in block %d", sent.Tx, sent.Block), err
	}); err != nil {
		return err
	}
	if announce {
		if err := s.do(ctx, "Request Network announces it: signed, sent twice, and once more as .client_id", func() (string, error) {
			if o.provider != "" {
				return s.announced(ctx, *o)
			}
			return "three notices, each answered 200; they are hints, the chain decides", s.announce(ctx, *o, tx)
		}); err != nil {
			return err
		}
	}
	return s.do(ctx, "Confirmations grow until the hold is funded; the destination is swept", func() (string, error) {
		_, err := s.await(ctx, s.buyer, "/api/payment/"+o.payment, "state", "Paid")
		return "the money is held", err
	})
}

// announced waits until the provider's notices have come: its double watches the development
// chain and sends them by itself.
func (s *Stage) announced(ctx context.Context, o order) (string, error) {
	type notice struct {
		Event  string `json:"event"`
		Copies int    `json:"copies"`
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		a, err := s.admin.Call(ctx, apiclient.GET, "/api/payment/request-network/webhook/deliveries?requestId="+o.provider, nil)
		if err != nil {
			return "", err
		}
		var all []notice
		if err := a.Into(&all); err != nil {
			return "", err
		}
		came, told := 0, ""
		for _, n := range slices.Backward(all) {
			came += n.Copies
			told += fmt.Sprintf("%s ×%d, ", n.Event, n.Copies)
		}
		if came >= 3 {
			return told + "each answered 200; they are hints, the chain decides", nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%d of 3 notices came: %w", came, ctx.Err())
		case <-tick.C:
		}
	}
}

// announce plays the provider, for a service without one.
func (s *Stage) announce(ctx context.Context, o order, tx string) error {
	notice := func(event, delivery string) error {
		body, err := json.Marshal(map[string]any{
			"event": event, "requestId": o.payment, "requestID": o.payment, "paymentReference": o.checkout.PaymentReference, "amount": "100.0",
			"totalAmountPaid": "100.0", "expectedAmount": "100.0", "timestamp": time.Now().UTC(), "txHash": tx, "network": "development", "currency": "USDC", "paymentCurrency": "USDC",
		})
		if err != nil {
			return err
		}
		_, err = apiclient.New(s.base).Call(ctx, apiclient.POST, "/api/payment/request-network/webhook", bytes.Clone(body),
			apiclient.WithHeader("X-Request-Network-Signature", requestnetwork.Sign(s.secret, body)),
			apiclient.WithHeader("X-Request-Network-Delivery", delivery))
		return err
	}
	first := uuid.NewString()
	for _, n := range []struct{ event, delivery string }{
		{"payment.confirmed", first}, {"payment.confirmed", first}, {"payment.confirmed.client_id", uuid.NewString()},
	} {
		if err := notice(n.event, n.delivery); err != nil {
			return fmt.Errorf("%s: %w", n.event, err)
		}
	}
	return nil
}

// ship sends the goods.
func (s *Stage) ship(ctx context.Context, o order) error {
	return s.do(ctx, "The seller ships", func() (string, error) {
		_, err := post(ctx, s.seller, "/api/marketplace/requests/"+o.request+"/delivery", map[string]any{"carrier": "Demo Post", "trackingNumber": "HF-1"})
		return "", err
	})
}

// deliver plays the delivery code.
func (s *Stage) deliver(ctx context.Context, o order) error {
	code := ""
	if err := s.do(ctx, "The buyer gets a delivery code; the log sees only its MAC", func() (string, error) {
		a, err := post(ctx, s.buyer, "/api/marketplace/requests/"+o.request+"/delivery-code/generate", nil)
		code = a.Get("code")
		return "code " + code, err
	}); err != nil {
		return err
	}
	return s.do(ctx, "The courier has it; the seller enters it: delivered, the money is releasable", func() (string, error) {
		_, err := post(ctx, s.seller, "/api/marketplace/requests/"+o.request+"/delivery-code/verify", map[string]string{"code": code})
		return "", err
	})
}

// sign plays the custody's hardware: it builds, signs and gives the raw transaction.
func (s *Stage) sign(ctx context.Context, t outgoing.Transfer) (string, error) {
	unsigned, err := s.chain.Build(ctx, t)
	if err != nil {
		return "", fmt.Errorf("build the transaction: %w", err)
	}
	return s.signer.Sign(evm.TreasuryPath, unsigned)
}

// payout pays the seller what the release gave.
func (s *Stage) payout(ctx context.Context, amount string) error {
	id := ""
	if err := s.do(ctx, "The seller asks for a payout of "+amount+" USDC", func() (string, error) {
		a, err := post(ctx, s.seller, "/api/payment/payouts", map[string]string{"asset": "USDC@1337", "display": amount})
		id = a.Get("payout")
		return "payout " + id, err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "An admin, who is not the seller, approves it", func() (string, error) {
		_, err := post(ctx, s.admin, "/api/payment/payouts/"+id+"/approve", map[string]int{"revision": 1})
		return "", err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "The instruction is built, signed outside, checked field by field, recorded, then sent", func() (string, error) {
		a, err := post(ctx, s.admin, "/api/payment/payouts/"+id+"/instruction", nil)
		if err != nil {
			return "", err
		}
		var built struct {
			Instruction outgoing.Transfer `json:"instruction"`
		}
		if err := a.Into(&built); err != nil {
			return "", err
		}
		raw, err := s.sign(ctx, built.Instruction)
		if err != nil {
			return "", err
		}
		_, err = post(ctx, s.admin, "/api/payment/payouts/"+id+"/signed", map[string]string{"signedTx": raw})
		return "", err
	}); err != nil {
		return err
	}
	return s.do(ctx, "The chain confirms the payout", func() (string, error) {
		_, err := s.await(ctx, s.seller, "/api/payment/payouts/"+id, "state", "Confirmed")
		return "", err
	})
}
