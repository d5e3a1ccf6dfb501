package legacyfixture

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/ethereum/go-ethereum/common"

	"holdfast/adapters/evm"
)

// token is what an order is paid with.
type token struct {
	network       string
	chain         int32
	currency      string
	address       string
	confirmations int32
	decimals      int
}

var tokens = []token{
	{"bsc", 56, "USDT", "0x55d398326f99059fF775485246999027B3197955", 15, 18},
	{"bsc", 56, "USDC", "0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", 15, 18},
	{"polygon", 137, "USDT", "0xc2132D05D31c914a87C6611C10748AEb04B58e8F", 128, 6},
	{"mainnet", 1, "USDT", "0xdAC17F958D2ee523a2206206994597C13D831ec7", 12, 6},
	{"arbitrum-one", 42161, "USDC", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", 20, 6},
}

func pickToken(r *rand.Rand) token { return tokens[pick(r, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4)] }

// anAddress is one on a chain, spelled as checksums want it.
func anAddress(r *rand.Rand) string {
	b := make([]byte, 20)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return common.BytesToAddress(b).Hex()
}

// wallet is the account below which the old backend derived addresses.
type wallet struct{ deriver *evm.Deriver }

func (m *maker) openWallet() error {
	xpub, err := m.xpub("treasury", 0)
	if err != nil {
		return err
	}
	d, err := evm.NewDeriver(xpub)
	m.wallet = &wallet{d}
	return err
}

// destination is the address that a payment's money is to go to.
func (w *wallet) destination(n int) (address, path string, err error) {
	return w.deriver.Address(uint32(n)) //nolint:gosec // below 2^24
}

// xpub is the public key of account 0 of a wallet.
func (m *maker) xpub(whose string, n int) (string, error) {
	seed, err := hex.DecodeString(hexOf(m.random("xpub "+whose, n), 32))
	if err != nil {
		return "", err
	}
	key, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
	for _, step := range []uint32{44, 60, 0} {
		if err == nil {
			key, err = key.Derive(hdkeychain.HardenedKeyStart + step)
		}
	}
	if err == nil {
		key, err = key.Neuter()
	}
	if err != nil {
		return "", err
	}
	return key.String(), nil
}

func pathOf(index int) string { return "m/44'/60'/0'/0/" + strconv.Itoa(index) }
