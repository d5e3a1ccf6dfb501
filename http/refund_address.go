package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

// RefundTo is where a buyer wants a refund: a wallet of his, or an address that he types in
// and that must rest before anything is sent there.
type RefundTo struct {
	WalletID string `json:"walletId,omitempty" maxLength:"64" doc:"A verified wallet of the buyer"`
	Address  string `json:"address,omitempty" maxLength:"64" doc:"Any address of the chain; it rests first. The buyer only"`
}

func (t RefundTo) named() bool { return t.WalletID != "" || t.Address != "" }

var errNotTheBuyer = fault.New(fault.Forbidden, "FORBIDDEN", "only the buyer says where a refund goes")

// refundAddress reads where a refund goes and what we know of that address.
func (s *Server) refundAddress(ctx context.Context, buyer domain.UserID, asset money.Asset, to RefundTo) (refund.Address, error) {
	if (to.WalletID == "") == (to.Address == "") {
		return refund.Address{}, fault.ErrValidation.At("body.walletId", "walletId or address, one of them")
	}
	if to.WalletID != "" {
		w, err := s.walletFor(ctx, buyer, to.WalletID, asset)
		return refund.Address{Text: w.Address, Origin: refund.BuyerConfirmed, Screening: w.Screening, RestUntil: w.CoolingUntil}, err
	}
	if s.deps.Recipients == nil {
		return refund.Address{}, refund.ErrAddressScreened
	}
	policy, err := s.terms(asset)
	if err != nil {
		return refund.Address{}, err
	}
	address, err := s.deps.Recipients.Read(asset, to.Address)
	if err != nil {
		return refund.Address{}, err
	}
	token, _ := s.deps.Registry.Token(asset)
	verdict, err := s.deps.Recipients.Screen(ctx, token.Chain, address)
	if err != nil {
		return refund.Address{}, err
	}
	a := refund.Address{Text: address, Origin: refund.BuyerConfirmed, Screening: verdict}
	// A typed address that is the buyer's own proved wallet is as good as that wallet.
	if w, err := s.walletFor(ctx, buyer, "", asset); err == nil && refund.DigestOf(w.Address) == refund.DigestOf(address) {
		a.RestUntil = w.CoolingUntil
		return a, nil
	}
	if policy.WalletCooling > 0 {
		a.RestUntil = time.Now().UTC().Truncate(time.Microsecond).Add(policy.WalletCooling)
	}
	return a, nil
}

type refundAddressInput struct {
	ID   string `path:"id"`
	Body RefundTo
}

func (s *Server) confirmRefundAddress(ctx context.Context, c *call, in *refundAddressInput) (reply, error) {
	return s.onRefund(ctx, c, in.ID, func(id domain.RefundID, r refund.State) (flow, error) {
		if in.Body.Address != "" && c.user() != r.Buyer {
			return nil, errNotTheBuyer
		}
		asset, err := s.refundAsset(ctx, r)
		if err != nil {
			return nil, err
		}
		policy, err := s.terms(asset)
		if err != nil {
			return nil, err
		}
		a, err := s.refundAddress(ctx, r.Buyer, asset, in.Body)
		if err != nil {
			return nil, err
		}
		err = s.screening(ctx, c, asset, &a, "refund/"+in.ID)
		return settlement.ConfirmRefundAddress{Issue: c.issue(), Refund: id, Address: a, CoolingOff: policy.WalletCooling}, err
	})
}

func (s *Server) takeRefundAsCredit(ctx context.Context, c *call, in *refundInput) (reply, error) {
	return s.onRefund(ctx, c, in.ID, func(id domain.RefundID, r refund.State) (flow, error) {
		if c.user() != r.Buyer {
			return nil, fault.ErrNotFound
		}
		return settlement.TakeRefundAsCredit{Issue: c.issue(), Refund: id}, nil
	})
}
