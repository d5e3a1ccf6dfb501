package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

// CheckoutBlock is all that a wallet needs to pay.
type CheckoutBlock struct {
	Payment   funding.PaymentAnswer `json:"payment"`
	RequestID string                `json:"requestId,omitempty" doc:"The provider's; absent without one"`
	Checkout  InHouseCheckout       `json:"checkout"`
	// Same again, under the name that the provider's mount uses.
	InHouse InHouseCheckout `json:"inHouseCheckout"`
	// Provider is who watches for the payment beside us: "request-network", or "own".
	Provider     string                `json:"provider,omitempty"`
	Transactions []ProviderTransaction `json:"transactions,omitempty" doc:"What the provider asks the wallet to sign, checked field by field; absent when it does not answer, and the checkout block is enough"`
}

// InHouseCheckout says where and how to pay through the fee proxy, or directly to the address.
type InHouseCheckout struct {
	Destination      string       `json:"destination"`
	TokenAddress     string       `json:"tokenAddress" doc:"Empty for the native coin"`
	Decimals         uint8        `json:"decimals"`
	ChainID          uint64       `json:"chainId"`
	ProxyAddress     string       `json:"proxyAddress,omitempty"`
	PaymentReference string       `json:"paymentReference,omitempty" doc:"8 bytes in hex"`
	FeeAmount        string       `json:"feeAmount" doc:"Base units; always 0 in our own checkout"`
	FeeAddress       string       `json:"feeAddress"`
	AmountWei        string       `json:"amountWei" doc:"Base units that are still due"`
	Remaining        money.Amount `json:"remaining"`
	ExpiresAt        time.Time    `json:"expiresAt"`
}

// zeroAddress is what the fee proxy takes for "no fee".
const zeroAddress = "0x0000000000000000000000000000000000000000"

func checkoutOf(registry Registry, p payment.State) CheckoutBlock {
	token, _ := registry.Token(p.Due.Asset)
	missing := p.Missing()
	block := InHouseCheckout{
		Destination: p.Address, TokenAddress: p.Token, Decimals: token.Decimals, ChainID: token.Chain,
		FeeAmount: "0", FeeAddress: zeroAddress, AmountWei: missing.String(), Remaining: money.Of(p.Due.Asset, missing), ExpiresAt: p.ExpiresAt.UTC(),
	}
	b := CheckoutBlock{Payment: funding.PaymentAnswer{Payment: p.ID, State: p.Phase, Exception: p.Exception, Due: p.Due, Paid: p.Counted(), ExpiresAt: p.ExpiresAt.UTC()}}
	if p.Intent != nil {
		block.ProxyAddress, block.PaymentReference, b.RequestID, b.Provider = p.Intent.Proxy, p.Intent.Reference, p.Intent.RequestID, p.Intent.Provider
	}
	b.Checkout, b.InHouse = block, block
	return b
}

func checkoutRoutes() []Route {
	return []Route{
		on[paymentInput, CheckoutBlock](Route{Method: "GET", Path: paymentsPath + "/request-network/{id}/checkout", Roles: buyer, Class: Query, Rate: RatePayment, Summary: "The checkout block again, with what is still due", Errors: []string{"PAYMENT_CLOSED", "PROVIDER_MISMATCH"}}, (*Server).checkout),
		on[struct{}, []Network](Route{Method: "GET", Path: paymentsPath + "/request-network/networks", Aliases: []string{paymentsPath + "/request-network/chains", "/api/networks"}, Class: Query, Rate: RateGeneral, Summary: "Enabled chains, and the tokens that are taken on them"}, (*Server).networks),
	}
}

type paymentInput struct {
	ID string `path:"id"`
}

// checkout rehydrates the block from the aggregate itself: a buyer who reloads the page
// right after paying a part must not be shown the old amount.
func (s *Server) checkout(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	p, version, err := stateOf(ctx, s, payment.Decider, domain.PaymentID(in.ID))
	switch {
	case err != nil:
		return reply{}, err
	case p.Buyer != c.user():
		return reply{}, fault.ErrNotFound
	case !p.Open() || p.Missing().IsZero():
		return reply{}, payment.ErrClosed.With("state", p.Phase)
	}
	block := checkoutOf(s.deps.Registry, p)
	block.Transactions, err = s.howToPay(ctx, c, p)
	return reply{data: block, version: version}, err
}

// Network is a chain with its tokens, as the registry tells it.
type Network struct {
	ID            uint64                `json:"chainId"`
	Name          string                `json:"name"`
	Testnet       bool                  `json:"testnet"`
	Native        network.Native        `json:"native"`
	Confirmations network.Confirmations `json:"confirmations"`
	Tokens        []OfferedToken        `json:"tokens"`
	Explorer      string                `json:"explorer,omitempty"`
}

// OfferedToken is a token of a chain.
type OfferedToken struct {
	Asset    string `json:"asset"`
	Alias    string `json:"alias"`
	Symbol   string `json:"symbol"`
	Address  string `json:"address,omitempty"`
	Decimals uint8  `json:"decimals"`
}

func (s *Server) networks(context.Context, *call, *struct{}) (reply, error) {
	return reply{data: s.deps.Registry.Networks()}, nil
}
