package evm

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"holdfast/domain/trezor"
)

// Account is what a person's hardware wallet shows of itself.
type Account struct {
	XPub        string // in its one spelling
	Fingerprint string // SHA-256 of it, in hex
	Address     string // of 0/0, EIP-55
}

var accountPath = regexp.MustCompile(`^m/44'/60'/(0|[1-9]\d{0,9})'$`)

// ReadAccount reads an xpub that is said to stand at path (m/44'/60'/n'). A private key is
// trezor.ErrPrivateKey, a key of another depth or number trezor.ErrPath.
func ReadAccount(xpub, path string) (Account, error) {
	if err := trezor.RefusePrivate("xpub", xpub); err != nil {
		return Account{}, err
	}
	m := accountPath.FindStringSubmatch(path)
	if m == nil {
		return Account{}, trezor.ErrPath.Because("the path of an account is m/44'/60'/n'")
	}
	number, err := strconv.ParseUint(m[1], 10, 31)
	if err != nil {
		return Account{}, trezor.ErrPath.Because("an account's number is below 2^31")
	}
	key, err := hdkeychain.NewKeyFromString(xpub)
	switch {
	case err != nil:
		return Account{}, ErrDerivation.Because("the extended public key cannot be read")
	case key.IsPrivate():
		return Account{}, trezor.ErrPrivateKey
	case key.Depth() != 3 || key.ChildIndex() != hdkeychain.HardenedKeyStart+uint32(number):
		return Account{}, trezor.ErrPath.Because("the key is not that of account %d", number)
	}
	d, err := NewDeriver(xpub)
	if err != nil {
		return Account{}, err
	}
	h := sha256.Sum256([]byte(key.String()))
	a := Account{XPub: key.String(), Fingerprint: hex.EncodeToString(h[:])}
	a.Address, _, err = d.Address(0)
	return a, err
}

// AddressBelow gives an address of an account: 0/index.
func AddressBelow(xpub string, index uint32) (address, path string, err error) {
	d, err := NewDeriver(xpub)
	if err != nil {
		return "", "", err
	}
	return d.Address(index)
}
