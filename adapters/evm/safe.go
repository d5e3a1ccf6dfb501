package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
)

var (
	transferFromCall = crypto.Keccak256([]byte("transferFrom(address,address,uint256)"))[:4]
	allowanceCall    = crypto.Keccak256([]byte("allowance(address,address)"))[:4]
	executedTopic    = crypto.Keccak256Hash([]byte("ExecutionSuccess(bytes32,uint256)"))
	nonceCall        = crypto.Keccak256([]byte("nonce()"))[:4]
)

// SafeNonce is the nonce of the Safe's next transaction.
func (c *Client) SafeNonce(ctx context.Context, safe string) (uint64, error) {
	n, err := c.view(ctx, "read a Safe's nonce", safe, nonceCall)
	if err != nil || !n.IsUint64() {
		return 0, orNonsense(err, "a Safe's nonce")
	}
	return n.Uint64(), nil
}

// Allowance is how much of a token a spender may fetch from its owner.
func (c *Client) Allowance(ctx context.Context, token, owner, spender string) (money.Units, error) {
	data := append(append(append([]byte{}, allowanceCall...), addressWord(common.HexToAddress(owner))...), addressWord(common.HexToAddress(spender))...)
	n, err := c.view(ctx, "read an allowance", token, data)
	if err != nil {
		return money.Zero, err
	}
	u, ok := units(n)
	if !ok {
		return money.Zero, orNonsense(nil, "an allowance")
	}
	return u, nil
}

func (c *Client) view(ctx context.Context, what, contract string, data []byte) (n *big.Int, err error) {
	err = c.read(ctx, what, func(ctx context.Context, node *node) (err error) {
		n, err = node.number(ctx, common.HexToAddress(contract), data)
		return err
	})
	return n, err
}

func orNonsense(err error, what string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w (%s makes no sense)", ErrUnavailable, what)
}

// Propose makes the SafeTx with which the treasury's Safe fetches tokens that a destination has
// approved. Its hash is what the owners sign.
func Propose(t outgoing.Transfer, nonce uint64) (sweepplan.Proposal, error) {
	data := append(append([]byte{}, transferFromCall...), addressWord(common.HexToAddress(t.From))...)
	data = append(append(data, addressWord(common.HexToAddress(t.To))...), common.BigToHash(t.Amount.Units.Uint256().ToBig()).Bytes()...)
	p := sweepplan.Proposal{Safe: t.To, Chain: t.Chain, To: t.Token, Value: "0", Data: hexutil.Encode(data), Nonce: nonce}
	var err error
	p.SafeTxHash, err = safeTxHash(p)
	return p, err
}

var safeTypes = apitypes.Types{
	"EIP712Domain": {{Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"}},
	"SafeTx": {
		{Name: "to", Type: "address"},
		{Name: "value", Type: "uint256"},
		{Name: "data", Type: "bytes"},
		{Name: "operation", Type: "uint8"},
		{Name: "safeTxGas", Type: "uint256"},
		{Name: "baseGas", Type: "uint256"},
		{Name: "gasPrice", Type: "uint256"},
		{Name: "gasToken", Type: "address"},
		{Name: "refundReceiver", Type: "address"},
		{Name: "nonce", Type: "uint256"},
	},
}

// safeTxHash is the EIP-712 digest of a SafeTx of Safe 1.3.0 and later: whoever executes it pays
// its gas.
func safeTxHash(p sweepplan.Proposal) (string, error) {
	zero := common.Address{}.Hex()
	raw, err := json.Marshal(map[string]any{
		"types": safeTypes, "primaryType": "SafeTx",
		"domain": map[string]any{"chainId": strconv.FormatUint(p.Chain, 10), "verifyingContract": p.Safe},
		"message": map[string]any{
			"to": p.To, "value": p.Value, "data": p.Data, "operation": strconv.Itoa(p.Operation), "safeTxGas": "0", "baseGas": "0",
			"gasPrice": "0", "gasToken": zero, "refundReceiver": zero, "nonce": strconv.FormatUint(p.Nonce, 10),
		},
	})
	if err != nil {
		return "", err
	}
	var typed apitypes.TypedData
	if err := json.Unmarshal(raw, &typed); err != nil {
		return "", err
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	return common.BytesToHash(digest).Hex(), err
}

// ExecutedBy finds the transaction in which a Safe carried out a SafeTx, from a block on; empty when
// no block up to the head has one. Since 1.4.1 the hash is a topic of the event, before it is data.
func (c *Client) ExecutedBy(ctx context.Context, safe, safeTxHash string, from uint64) (tx string, err error) {
	head, err := c.Head(ctx)
	if err != nil {
		return "", err
	}
	query := ethereum.FilterQuery{Addresses: []common.Address{common.HexToAddress(safe)}, Topics: [][]common.Hash{{executedTopic}}}
	want := common.HexToHash(safeTxHash)
	err = c.ask(ctx, "look for a Safe's transaction", func(ctx context.Context, n *node) error {
		logs, err := n.logs(ctx, c.timeout, query, from, head.Number)
		for _, l := range logs {
			if (len(l.Topics) == 2 && l.Topics[1] == want) || (len(l.Topics) == 1 && len(l.Data) >= wordLength && common.BytesToHash(l.Data[:wordLength]) == want) {
				tx = l.TxHash.Hex()
			}
		}
		return err
	})
	return tx, asUnavailable(err)
}

// Fetched says what became of a transaction that was to move tokens between two addresses, sent
// by somebody else: Moved is what its own logs of the token show.
func (c *Client) Fetched(ctx context.Context, t outgoing.Transfer, tx string) (network.Outcome, error) {
	hash, err := network.ParseTx(tx)
	if err != nil {
		return network.Outcome{}, err
	}
	r, state, err := c.find(ctx, common.HexToHash(hash))
	if err != nil || (state != network.Mined && state != network.Failed) {
		return network.Outcome{State: state}, err
	}
	out := network.Outcome{State: state, Block: r.BlockNumber.Uint64(), BlockHash: r.BlockHash.Hex()}
	for _, d := range c.deposits(r) {
		if outgoing.SameAddress(d.From, t.From) && outgoing.SameAddress(d.To, t.To) && d.Asset == t.Amount.Asset {
			if sum, err := out.Moved.Add(d.Amount); err == nil {
				out.Moved = sum
			}
		}
	}
	s, err := c.Standing(ctx, out.Block, out.BlockHash)
	out.Depth, out.Safe, out.Finalized = s.Depth, s.Safe, s.Finalized
	return out, err
}
