package requestnetwork

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/holiman/uint256"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Transaction is one that the provider asks the buyer's wallet to sign.
type Transaction struct {
	To    string
	Data  string // 0x and hex
	Value money.Units
}

// Wanted is what those transactions must do together, and nothing else.
type Wanted struct {
	Chain     network.Chain
	Token     string // empty for the native coin
	Payee     string
	Amount    money.Units
	Reference string // 0x and 16 hex digits
}

// The calls that a payment is made of.
var (
	approveCall   = [4]byte{0x09, 0x5e, 0xa7, 0xb3} // approve(address,uint256)
	payTokenCall  = [4]byte{0xc2, 0x19, 0xa1, 0x4d} // transferFromWithReferenceAndFee(address,address,uint256,bytes,uint256,address)
	payCoinCall   = [4]byte{0xb8, 0x68, 0x98, 0x0b} // transferWithReferenceAndFee(address,bytes,uint256,address)
	payExactlyEth = [4]byte{0xd7, 0xc9, 0x5e, 0x98} // transferExactEthWithReferenceAndFee(address,bytes,uint256,address)
)

// Check reads the call data of every transaction and holds it against what is wanted:
// payment contract, token, recipient, amount, reference, and no fee. It gives the contract
// that is paid through. ErrMismatch says which field is wrong; such transactions must never
// reach a wallet. A provider that was broken into is the case this is for.
func Check(all []Transaction, want Wanted) (proxy string, err error) {
	var paid int
	for i, t := range all {
		data, err := hex.DecodeString(strings.TrimPrefix(t.Data, "0x"))
		if err != nil || len(data) < 4 {
			return "", mismatch("data", "not call data")
		}
		switch call, args := [4]byte(data[:4]), data[4:]; call {
		case approveCall:
			if i != 0 || want.Token == "" {
				return "", mismatch("data", "an approval where none is due")
			}
			if err := want.approval(t, args); err != nil {
				return "", err
			}
		case payTokenCall:
			paid++
			proxy, err = want.tokenPayment(t, args)
		case payCoinCall, payExactlyEth:
			paid++
			proxy, err = want.coinPayment(t, args)
		default:
			return "", mismatch("data", fmt.Sprintf("the unknown call %x", call))
		}
		if err != nil {
			return "", err
		}
	}
	if paid != 1 {
		return "", mismatch("transactions", fmt.Sprintf("%d payments instead of one", paid))
	}
	return proxy, nil
}

func mismatch(field, found string) error {
	return ErrMismatch.With("field", field).With("found", found[:min(len(found), 100)])
}

// approval lets a payment contract of the registry take the token, and nobody else.
func (w Wanted) approval(t Transaction, args []byte) error {
	switch {
	case len(args) != 64:
		return mismatch("data", "not an approval")
	case !strings.EqualFold(t.To, w.Token):
		return mismatch("token", t.To)
	case !t.Value.IsZero():
		return mismatch("value", t.Value.String())
	case !w.knows(network.ERC20FeeProxy, address(args, 0).Hex()):
		return mismatch("spender", address(args, 0).Hex())
	case units(args, 1).Less(w.Amount):
		return mismatch("allowance", units(args, 1).String())
	}
	return nil
}

func (w Wanted) tokenPayment(t Transaction, args []byte) (proxy string, err error) {
	switch {
	case w.Token == "" || !w.knows(network.ERC20FeeProxy, t.To):
		return "", mismatch("proxy", t.To)
	case !t.Value.IsZero():
		return "", mismatch("value", t.Value.String())
	case len(args) != 8*32:
		return "", mismatch("data", "not a payment")
	case !strings.EqualFold(address(args, 0).Hex(), w.Token):
		return "", mismatch("token", address(args, 0).Hex())
	case !strings.EqualFold(address(args, 1).Hex(), w.Payee):
		return "", mismatch("payee", address(args, 1).Hex())
	case units(args, 2) != w.Amount:
		return "", mismatch("amount", units(args, 2).String())
	case !w.references(args, 3, 6):
		return "", mismatch("reference", "another")
	case !units(args, 4).IsZero():
		return "", mismatch("fee", units(args, 4).String())
	}
	return t.To, nil
}

func (w Wanted) coinPayment(t Transaction, args []byte) (proxy string, err error) {
	switch {
	case w.Token != "" || !w.knows(network.EthereumFeeProxy, t.To):
		return "", mismatch("proxy", t.To)
	case len(args) != 6*32:
		return "", mismatch("data", "not a payment")
	case !strings.EqualFold(address(args, 0).Hex(), w.Payee):
		return "", mismatch("payee", address(args, 0).Hex())
	case t.Value != w.Amount:
		return "", mismatch("amount", t.Value.String())
	case !w.references(args, 1, 4):
		return "", mismatch("reference", "another")
	case !units(args, 2).IsZero():
		return "", mismatch("fee", units(args, 2).String())
	}
	return t.To, nil
}

// references reads the bytes argument whose offset stands at a word: it must lie at the word
// tail, be 8 bytes long, be ours, and be padded with zeros.
func (w Wanted) references(args []byte, offset, tail int) bool {
	want, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(w.Reference), "0x"))
	return err == nil && len(want) == 8 &&
		units(args, offset) == money.FromUint64(uint64(32*tail)) && units(args, tail) == money.FromUint64(8) &&
		bytes.Equal(args[32*(tail+1):], append(want, make([]byte, 24)...))
}

func (w Wanted) knows(kind network.ProxyKind, address string) bool {
	for _, p := range w.Chain.Proxies {
		if p.Kind == kind && strings.EqualFold(p.Address, address) {
			return true
		}
	}
	return false
}

// address reads a word as an address; one with something before the address is none of ours.
func address(args []byte, i int) common.Address {
	word := args[32*i : 32*i+32]
	if !bytes.Equal(word[:12], make([]byte, 12)) {
		return common.Address{}
	}
	return common.BytesToAddress(word)
}

func units(args []byte, i int) money.Units {
	return money.FromUint256(new(uint256.Int).SetBytes32(args[32*i : 32*i+32]))
}

// value reads what the API writes for the coins of a transaction: the number 0, "0x…", or
// {"type":"BigNumber","hex":"0x…"}.
func value(raw json.RawMessage) (money.Units, error) {
	var object struct{ Type, Hex string }
	var word string
	var number json.Number
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return money.Zero, nil
	case json.Unmarshal(raw, &object) == nil && object.Hex != "":
		word = object.Hex
	case json.Unmarshal(raw, &word) == nil:
	case json.Unmarshal(raw, &number) == nil:
		if _, err := strconv.ParseUint(number.String(), 10, 64); err != nil {
			return money.Zero, fmt.Errorf("value %s is no whole number", number)
		}
		return money.ParseUnits(number.String())
	}
	digits, isHex := strings.CutPrefix(word, "0x")
	if !isHex {
		return money.ParseUnits(word)
	}
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) > 32 {
		return money.Zero, fmt.Errorf("value %q is no number", word[:min(len(word), 80)])
	}
	return money.FromUint256(new(uint256.Int).SetBytes(b)), nil
}
