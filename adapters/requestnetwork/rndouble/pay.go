package rndouble

import (
	"net/http"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// pay answers with the transactions that a wallet is to sign, in the API's shapes: an approval
// and a payment for a token, one payment for the native coin.
func (d *Double) pay(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	req := d.find(r.PathValue("id"))
	if req == nil {
		refuse(w, http.StatusNotFound, "Request not found")
		return
	}
	amount, _ := req.Due.Sub(req.total())
	if text := r.URL.Query().Get("amount"); text != "" {
		var err error
		if amount, err = money.ParseDecimal(text, req.Decimals); err != nil {
			refuse(w, http.StatusBadRequest, "amount is not valid")
			return
		}
	}
	payee := req.Payee
	if d.how.WrongPayee != "" {
		payee = d.how.WrongPayee
	}
	if !d.how.WrongAmount.IsZero() {
		amount = d.how.WrongAmount
	}
	token, _ := d.registry.Token(req.Asset)
	var steps []map[string]any
	if token.Address == "" {
		steps = append(steps, map[string]any{
			"to": d.proxy(network.EthereumFeeProxy), "value": map[string]string{"type": "BigNumber", "hex": "0x" + amount.Uint256().Hex()[2:]},
			"data": call("transferWithReferenceAndFee(address,bytes,uint256,address)", address(payee), number64(4*32), number64(0), address(zero), reference(req.Reference)),
		})
	} else {
		steps = append(steps,
			map[string]any{"to": token.Address, "value": 0, "data": call("approve(address,uint256)", address(d.proxy(network.ERC20FeeProxy)), units(amount))},
			map[string]any{
				"to": d.proxy(network.ERC20FeeProxy), "value": "0x0",
				"data": call("transferFromWithReferenceAndFee(address,address,uint256,bytes,uint256,address)",
					address(token.Address), address(payee), units(amount), number64(6*32), number64(0), address(zero), reference(req.Reference)),
			})
	}
	var approval *int
	if len(steps) > 1 {
		approval = new(int)
	}
	write(w, http.StatusOK, map[string]any{"transactions": steps, "metadata": map[string]any{
		"stepsRequired": len(steps), "needsApproval": len(steps) > 1, "approvalTransactionIndex": approval, "hasEnoughBalance": true, "hasEnoughGas": true,
	}})
}

const zero = "0x0000000000000000000000000000000000000000"

func (d *Double) proxy(kind network.ProxyKind) string {
	for _, p := range d.o.Chain.Proxies {
		if p.Kind == kind {
			return p.Address
		}
	}
	return zero
}

func call(signature string, words ...[]byte) string {
	data := crypto.Keccak256([]byte(signature))[:4]
	for _, w := range words {
		data = append(data, w...)
	}
	return "0x" + common.Bytes2Hex(data)
}

func address(hex string) []byte { return common.LeftPadBytes(common.HexToAddress(hex).Bytes(), 32) }

func units(u money.Units) []byte { b := u.Uint256().Bytes32(); return b[:] }

func number64(n uint64) []byte { return units(money.FromUint64(n)) }

// reference is the tail of the bytes argument: its length and its padded bytes.
func reference(hex string) []byte {
	return append(number64(8), common.RightPadBytes(common.FromHex(strings.ToLower(hex)), 32)...)
}
