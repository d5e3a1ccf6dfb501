package devchain

import (
	"crypto/ecdsa"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// ChainID of the development chain.
const ChainID = 1337

// Mnemonic of the development keys. The treasury and the payers are m/44'/60'/0'/0/i; the
// derived destinations have an account of their own, m/44'/60'/1', so that no destination
// is at the same time somebody's wallet.
const Mnemonic = "test test test test test test test test test test test junk"

// DestinationXPub is the public key of m/44'/60'/1'; destination i is its child 0/i.
const DestinationXPub = "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76"

// Treasury is our custody and gas address: account 0.
const Treasury = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

// Payers is how many payers there are, numbered from 1.
const Payers = 3

// keys of accounts 0 (treasury) to 3, as every development tool prints them.
var keys = [1 + Payers]string{
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
	"7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
}

// Payer is the address of payer i, 1 … Payers.
func Payer(i int) string { return addressOf(account(i)).Hex() }

// account gives the key of account i; it panics on a number that does not exist, which
// only a mistake in a test or demo can pass.
func account(i int) *ecdsa.PrivateKey {
	key, err := crypto.HexToECDSA(keys[i])
	if err != nil {
		panic(err)
	}
	return key
}

// deployer owns nothing but the contracts: a key of its own keeps their addresses fixed,
// because an address follows from the deployer and its transaction count.
func deployer() *ecdsa.PrivateKey {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("holdfast development deployer")))
	if err != nil {
		panic(err)
	}
	return key
}

func addressOf(key *ecdsa.PrivateKey) common.Address { return crypto.PubkeyToAddress(key.PublicKey) }
