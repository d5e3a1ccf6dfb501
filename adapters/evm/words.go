package evm

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Topics of the events and selectors of the calls that we know.
var (
	transferTopic   = crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)"))
	tokenPaidTopic  = crypto.Keccak256Hash([]byte("TransferWithReferenceAndFee(address,address,uint256,bytes,uint256,address)"))
	coinPaidTopic   = crypto.Keccak256Hash([]byte("TransferWithReferenceAndFee(address,uint256,bytes,uint256,address)"))
	transferCall    = crypto.Keccak256([]byte("transfer(address,uint256)"))[:4]
	balanceOfCall   = crypto.Keccak256([]byte("balanceOf(address)"))[:4]
	decimalsCall    = crypto.Keccak256([]byte("decimals()"))[:4]
	wordLength      = 32
	transferCallLen = 4 + 2*wordLength
)

// ParseAddress brings an address into EIP-55. Mixed case must be the right checksum; all
// lower or all upper case carries none. network.ErrInvalidAddress otherwise.
func ParseAddress(s string) (string, error) {
	if err := network.CheckAddress(s); err != nil {
		return "", err
	}
	canonical := common.HexToAddress(s).Hex()
	digits := s[2:]
	if digits == strings.ToLower(digits) || digits == strings.ToUpper(digits) || s == canonical {
		return canonical, nil
	}
	return "", network.ErrInvalidAddress.Because("the address has a wrong checksum")
}

// ReferenceTopic is what a log shows of a payment reference: the keccak hash of its bytes.
func ReferenceTopic(reference string) (string, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(reference), "0x"))
	if err != nil || len(raw) != 8 {
		return "", fmt.Errorf("payment reference %q is not 8 bytes in hex", clip(reference))
	}
	return crypto.Keccak256Hash(raw).Hex(), nil
}

// topics maps topic → clear reference.
func topics(references ...string) (map[string]string, error) {
	known := map[string]string{}
	for _, r := range references {
		if r == "" {
			continue
		}
		t, err := ReferenceTopic(r)
		if err != nil {
			return nil, err
		}
		known[t] = r
	}
	return known, nil
}

func word(data []byte, i int) []byte { return data[i*wordLength : (i+1)*wordLength] }

func wordUnits(data []byte, i int) money.Units {
	return money.FromUint256(new(uint256.Int).SetBytes32(word(data, i)))
}

func wordAddress(data []byte, i int) common.Address { return common.BytesToAddress(word(data, i)) }

func addressWord(a common.Address) []byte { return common.LeftPadBytes(a.Bytes(), wordLength) }

// units reads a node's number; ok is false when it is negative or over 256 bits, which
// uint256.FromBig would not report for negative ones.
func units(b *big.Int) (money.Units, bool) {
	if b == nil || b.Sign() < 0 || b.BitLen() > 256 {
		return money.Zero, false
	}
	v, _ := uint256.FromBig(b)
	return money.FromUint256(v), true
}

// transferData is the call data of an ERC-20 transfer.
func transferData(to common.Address, amount money.Units) []byte {
	b := amount.Uint256().Bytes32()
	return append(append(append([]byte{}, transferCall...), addressWord(to)...), b[:]...)
}
