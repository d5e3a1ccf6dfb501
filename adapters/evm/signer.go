package evm

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"holdfast/domain/network"
)

// LocalSigner signs with keys in this process. It is for development only: the
// configuration refuses it in production, where signing is outside (hardware, Safe).
type LocalSigner struct{ root *hdkeychain.ExtendedKey } // m/44'/60'

// TreasuryPath is where a LocalSigner's custody key is, below m/44'/60'.
const TreasuryPath = "0'/0/0"

// DestinationPath is where the key of a derived destination is, below m/44'/60'.
func DestinationPath(index uint32) string { return fmt.Sprintf("1'/0/%d", index) }

// NewLocalSigner makes a signer of a BIP-39 mnemonic without passphrase.
func NewLocalSigner(mnemonic string) (*LocalSigner, error) {
	if n := len(strings.Fields(mnemonic)); n < 12 || n > 24 {
		return nil, fmt.Errorf("a mnemonic has 12 to 24 words, not %d", n)
	}
	seed, err := pbkdf2.Key(sha512.New, strings.Join(strings.Fields(mnemonic), " "), []byte("mnemonic"), 2048, 64)
	if err != nil {
		return nil, fmt.Errorf("make the seed: %w", err)
	}
	root, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
	if err != nil {
		return nil, fmt.Errorf("make the master key: %w", err)
	}
	root, err = derive(root, "44'/60'")
	return &LocalSigner{root}, err
}

// Address of the key at a path below m/44'/60', in EIP-55.
func (s *LocalSigner) Address(path string) (string, error) {
	key, err := derive(s.root, path)
	if err != nil {
		return "", err
	}
	a, err := addressOf(key)
	return a.Hex(), err
}

// XPub of an account below m/44'/60', to give to a Deriver.
func (s *LocalSigner) XPub(account uint32) (string, error) {
	key, err := derive(s.root, fmt.Sprintf("%d'", account))
	if err != nil {
		return "", err
	}
	public, err := key.Neuter()
	if err != nil {
		return "", fmt.Errorf("take the public part: %w", err)
	}
	return public.String(), nil
}

// Sign signs a transaction with the key at a path; the key must be the sender's.
func (s *LocalSigner) Sign(path string, u network.Unsigned) (raw string, err error) {
	key, err := derive(s.root, path)
	if err != nil {
		return "", err
	}
	if a, err := addressOf(key); err != nil || a != common.HexToAddress(u.From) {
		return "", fmt.Errorf("the key at %s is %s's, not %s's", path, a, u.From)
	}
	private, err := key.ECPrivKey()
	if err != nil {
		return "", fmt.Errorf("read the private key at %s: %w", path, err)
	}
	sig, err := crypto.Sign(signHash(inner(u)).Bytes(), private.ToECDSA())
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return Assemble(u, hexutil.Encode(sig))
}

// derive walks a path such as "0'/0/5".
func derive(key *hdkeychain.ExtendedKey, path string) (*hdkeychain.ExtendedKey, error) {
	for step := range strings.SplitSeq(path, "/") {
		digits, hardened := strings.CutSuffix(step, "'")
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return nil, ErrDerivation.With("path", path)
		}
		index := uint32(n)
		if hardened {
			index += hdkeychain.HardenedKeyStart
		}
		if key, err = key.Derive(index); err != nil {
			return nil, ErrDerivation.With("path", path).Because("%v", err)
		}
	}
	return key, nil
}

// SignText signs a text as wallets do (EIP-191, personal_sign).
func (s *LocalSigner) SignText(path, text string) (signature string, err error) {
	key, err := derive(s.root, path)
	if err != nil {
		return "", err
	}
	private, err := key.ECPrivKey()
	if err != nil {
		return "", fmt.Errorf("read the private key at %s: %w", path, err)
	}
	sig, err := crypto.Sign(accounts.TextHash([]byte(text)), private.ToECDSA())
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	sig[64] += 27
	return hexutil.Encode(sig), nil
}
