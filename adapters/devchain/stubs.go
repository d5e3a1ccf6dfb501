package devchain

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// stubCaller plays whoever feeds prices and lists into the chain: its transactions must not
// disturb the nonces of the treasury or of the deployer.
const stubCaller = 3

// SetPrice makes the price feed say an answer (8 decimals, may be negative) of a time.
func (w *Wallet) SetPrice(ctx context.Context, answer int64, at time.Time) (Sent, error) {
	return w.call(ctx, stubCaller, PriceFeed, nil, "PriceFeedStub", "set", big.NewInt(answer), big.NewInt(at.Unix()))
}

// SetSanctioned puts an address on the sanctions oracle's list, or takes it off.
func (w *Wallet) SetSanctioned(ctx context.Context, address string, listed bool) (Sent, error) {
	return w.call(ctx, stubCaller, Sanctions, nil, "SanctionsStub", "set", common.HexToAddress(address), listed)
}
