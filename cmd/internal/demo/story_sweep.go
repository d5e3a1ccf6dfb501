package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"holdfast/adapters/evm"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

const destinations = "/api/payment/derived-destinations"

// plannedSweeps is what the demo reads of a plan.
type plannedSweeps struct {
	ID     string `json:"planId"`
	Sweeps []struct {
		Index       uint32            `json:"index"`
		Instruction outgoing.Signable `json:"instruction"`
	} `json:"sweeps"`
	TopUps []struct {
		Instruction outgoing.Signable `json:"instruction"`
	} `json:"topUps"`
}

// SignedOutside sweeps an address with keys that the service does not have.
func (s *Stage) SignedOutside(ctx context.Context) error {
	s.chapter("A sweep that is planned here and signed outside")
	minimum := func(amount string) error {
		_, err := s.admin.Call(ctx, apiclient.PUT, destinations+"/cron", map[string]string{"minAmount": amount})
		return err
	}
	if err := s.do(ctx, "The schedule leaves amounts below 1000 where they are", func() (string, error) { return "", minimum("1000") }); err != nil {
		return err
	}
	o, err := s.offers(ctx, "A barometer", "60", false)
	if err != nil {
		return err
	}
	if err := s.pay(ctx, &o, false); err != nil {
		return err
	}
	var plan plannedSweeps
	if err := s.do(ctx, "An admin plans the sweep: unsigned transactions, gas included", func() (string, error) {
		a, err := post(ctx, s.admin, destinations+"/sweep/plan", map[string]any{"all": true, "asset": "USDC@1337"})
		if err == nil {
			err = a.Into(&plan)
		}
		return fmt.Sprintf("%d sweep(s), %d top-up(s)", len(plan.Sweeps), len(plan.TopUps)), err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "A signer outside signs; each field is compared, the log hears of it, then it is sent", func() (string, error) {
		raws, err := s.signPlan(plan)
		if err != nil {
			return "", err
		}
		_, err = post(ctx, s.admin, destinations+"/sweep", map[string]any{"planId": plan.ID, "signedTxs": raws})
		return "", err
	}); err != nil {
		return err
	}
	if err := s.swept(ctx, "60"); err != nil {
		return err
	}
	return s.do(ctx, "The schedule is as it was", func() (string, error) { return "", minimum("0") })
}

// signPlan plays the signer: it knows nothing but the plan and its keys.
func (s *Stage) signPlan(plan plannedSweeps) (raws []string, err error) {
	sign := func(path string, i outgoing.Signable) error {
		u := network.Unsigned{Chain: i.Chain, From: i.From, Nonce: i.Nonce, Gas: i.Gas.Limit, MaxFee: i.Gas.MaxFee, Tip: i.Gas.Tip}
		u.To, u.Value, u.Data = evm.CallOf(i.Transfer)
		raw, err := s.signer.Sign(path, u)
		raws = append(raws, raw)
		return err
	}
	for _, t := range plan.TopUps {
		if err := sign(evm.TreasuryPath, t.Instruction); err != nil {
			return nil, err
		}
	}
	for _, w := range plan.Sweeps {
		if err := sign(evm.DestinationPath(w.Index), w.Instruction); err != nil {
			return nil, err
		}
	}
	return raws, nil
}

// HardwareWallet registers a wallet and agrees to a plan on it; software stands in for the device.
func (s *Stage) HardwareWallet(ctx context.Context) error {
	s.chapter("A hardware wallet proves its key")
	account, err := s.signer.XPub(0)
	if err != nil {
		return err
	}
	address, err := s.signer.Address("0'/0/0")
	if err != nil {
		return err
	}
	if err := s.do(ctx, "An admin registers it: the device signs a message with a nonce", func() (string, error) {
		m, err := s.admin.Call(ctx, apiclient.GET, "/api/trezor/registration-message", nil)
		if err != nil {
			return "", err
		}
		signature, err := s.signer.SignText(evm.TreasuryPath, m.Get("message"))
		if err != nil {
			return "", err
		}
		_, err = post(ctx, s.admin, "/api/trezor/register", map[string]string{
			"xpub": account, "registrationAddress": address, "basePath": "m/44'/60'/0'", "deviceLabel": "a demo's device",
			"proofMessage": m.Get("message"), "proofSignature": signature,
		})
		return address, err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "Seed words in its place are refused, and not repeated", func() (string, error) {
		_, err := post(ctx, s.admin, "/api/trezor/register", map[string]string{
			"xpub": "test test test test test test test test test test test junk", "registrationAddress": address, "basePath": "m/44'/60'/0'",
			"proofMessage": "-", "proofSignature": hexutil.Encode(make([]byte, 65)),
		})
		if refusal := (*apiclient.Error)(nil); errors.As(err, &refusal) {
			return refusal.Error(), nil
		}
		return "", errors.New("seed words were taken")
	}); err != nil {
		return err
	}
	return s.do(ctx, "The wallet is removed again", func() (string, error) {
		_, err := s.admin.Call(ctx, apiclient.DELETE, "/api/trezor/account", nil)
		return "", err
	})
}
