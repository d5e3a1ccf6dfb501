package evm

import (
	"fmt"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Deriver gives the addresses below an account's public key. It cannot sign: the service
// holds nothing that could.
type Deriver struct{ external *hdkeychain.ExtendedKey }

// NewDeriver reads an account's xpub (m/44'/60'/n'). A private key is refused, so that
// nobody configures one by mistake.
func NewDeriver(xpub string) (*Deriver, error) {
	account, err := hdkeychain.NewKeyFromString(xpub)
	if err != nil {
		return nil, ErrDerivation.Because("the extended public key cannot be read: %v", err)
	}
	if account.IsPrivate() {
		return nil, ErrDerivation.Because("this is a private key; configure the public one (xpub…)")
	}
	external, err := account.Derive(0)
	if err != nil {
		return nil, ErrDerivation.Because("the extended public key has no children: %v", err)
	}
	return &Deriver{external}, nil
}

// Address gives destination index below the account: its EIP-55 address and its path
// relative to the account, "0/<index>". Indexes from 2^31 on are hardened and cannot be
// derived from a public key.
func (d *Deriver) Address(index uint32) (address, path string, err error) {
	if index >= hdkeychain.HardenedKeyStart {
		return "", "", ErrDerivation.With("index", index)
	}
	child, err := d.external.Derive(index)
	if err != nil {
		// One index in 2^127 has no key; the caller takes the next.
		return "", "", ErrDerivation.With("index", index)
	}
	a, err := addressOf(child)
	return a.Hex(), fmt.Sprintf("0/%d", index), err
}

func addressOf(k *hdkeychain.ExtendedKey) (common.Address, error) {
	pub, err := k.ECPubKey()
	if err != nil {
		return common.Address{}, fmt.Errorf("read a derived key: %w", err)
	}
	return crypto.PubkeyToAddress(*pub.ToECDSA()), nil
}
