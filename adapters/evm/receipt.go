package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// receipt is a transaction's receipt with the part of the fee that rollups charge for
// their data, which go-ethereum does not know.
type receipt struct {
	*types.Receipt
	l1Fee money.Units
	to    *common.Address
	coin  *plain // what the transaction itself sends; nil where it was not read
}

// receipt reads a receipt and refuses one that belongs to another transaction.
func (n *node) receipt(ctx context.Context, tx common.Hash) (receipt, error) {
	var raw json.RawMessage
	if err := n.rpc.CallContext(ctx, &raw, "eth_getTransactionReceipt", tx); err != nil {
		return receipt{}, fmt.Errorf("read the receipt of %s: %w", tx, err)
	}
	return readReceipt(tx, raw)
}

// receiptsAtOnce is how many receipts are read in one request.
const receiptsAtOnce = 50

// allReceipts reads many; every one of them must be there.
func (n *node) allReceipts(ctx context.Context, txs []common.Hash) ([]receipt, error) {
	all := make([]receipt, len(txs))
	raw := make([]json.RawMessage, len(txs))
	calls := make([]rpc.BatchElem, len(txs))
	for i, tx := range txs {
		calls[i] = rpc.BatchElem{Method: "eth_getTransactionReceipt", Args: []any{tx}, Result: &raw[i]}
	}
	together := len(txs) > 1 && n.batch(ctx, calls)
	for i, tx := range txs {
		var err error
		if together {
			all[i], err = readReceipt(tx, raw[i])
		} else {
			all[i], err = n.receipt(ctx, tx)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// someReceipts reads many, together or, where the node does not take that, each alone; what it
// does not know has a nil Receipt. limit is the deadline of each call.
func (n *node) someReceipts(ctx context.Context, limit time.Duration, txs []common.Hash) (all []receipt, err error) {
	if len(txs) > 1 {
		err = n.within(ctx, limit, func(ctx context.Context) (err error) { all, err = n.receipts(ctx, txs); return err })
		if err == nil {
			return all, nil
		}
	}
	all = make([]receipt, len(txs))
	for i, tx := range txs {
		err := n.within(ctx, limit, func(ctx context.Context) (err error) { all[i], err = n.receipt(ctx, tx); return err })
		if err != nil && !notFound(err) {
			return nil, err
		}
	}
	return all, nil
}

// readReceipt reads what a node answered; ethereum.NotFound when that is nothing.
func readReceipt(tx common.Hash, raw json.RawMessage) (receipt, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return receipt{}, fmt.Errorf("read the receipt of %s: %w", tx, ethereum.NotFound)
	}
	var extra struct {
		L1Fee *hexutil.Big    `json:"l1Fee"`
		To    *common.Address `json:"to"`
	}
	r := receipt{Receipt: &types.Receipt{}}
	if err := json.Unmarshal(raw, r.Receipt); err != nil {
		return receipt{}, fmt.Errorf("read the receipt of %s: %w", tx, err)
	}
	// go-ethereum's type reads neither of the two.
	if err := json.Unmarshal(raw, &extra); err != nil {
		return receipt{}, fmt.Errorf("read the receipt of %s: %w", tx, err)
	}
	r.to = extra.To
	if extra.L1Fee != nil {
		fee, ok := units(extra.L1Fee.ToInt())
		if !ok {
			return receipt{}, fmt.Errorf("receipt of %s: the data fee makes no sense", tx)
		}
		r.l1Fee = fee
	}
	return r, r.check(tx)
}

func (r receipt) check(tx common.Hash) error {
	sane := r.TxHash == tx && r.BlockNumber != nil && r.BlockNumber.IsUint64() && r.BlockNumber.Uint64() <= highest && r.BlockHash != common.Hash{}
	for _, l := range r.Logs {
		sane = sane && l != nil && l.TxHash == tx && l.BlockHash == r.BlockHash && !l.Removed
	}
	if !sane {
		return fmt.Errorf("the receipt of %s contradicts itself", tx)
	}
	return nil
}

// transfer is one Transfer log of any token; used is set once it explains a payment.
type transfer struct {
	log    int
	token  common.Address
	from   common.Address
	to     common.Address
	amount money.Units
	used   bool
}

// deposits reads a successful receipt as deposits: every payment through a payment contract
// of the registry, measured by the Transfer logs it used, and every Transfer log that is
// left, as a direct transfer. Each Transfer log counts once. What the transaction itself sends of
// the native coin comes last.
func (c *Client) deposits(r receipt) []network.Deposit {
	var (
		found    []network.Deposit
		moves    []*transfer
		previous = -1 // the position of the payment event before
	)
	if r.Status != types.ReceiptStatusSuccessful {
		return nil
	}
	for i, l := range r.Logs {
		if t, ok := readTransfer(i, l); ok {
			moves = append(moves, t)
			continue
		}
		if p, ok := c.readPayment(l); ok {
			d := c.deposit(r, i, p.asset(c.chain.ID))
			d.To, d.Stated, d.Proxy, d.Topic = p.to.Hex(), p.amount, l.Address.Hex(), l.Topics[1].Hex()
			p.measure(&d, moves, previous)
			found, previous = append(found, d), i
		}
	}
	for _, t := range moves {
		if !t.used {
			d := c.deposit(r, t.log, network.TokenAsset(c.chain.ID, t.token.Hex()))
			d.From, d.To, d.Amount, d.Stated = t.from.Hex(), t.to.Hex(), t.amount, t.amount
			found = append(found, d)
		}
	}
	if p := r.coin; p != nil && !c.own[p.from] && !p.amount.IsZero() {
		d := c.deposit(r, int(network.PlainLog), network.NativeAsset(c.chain.ID))
		d.From, d.To, d.Amount, d.Stated = p.from.Hex(), p.to.Hex(), p.amount, p.amount
		found = append(found, d)
	}
	return found
}

func (c *Client) deposit(r receipt, log int, asset money.Asset) network.Deposit {
	return network.Deposit{
		Chain: c.chain.ID, Tx: r.TxHash.Hex(), Log: uint(log),
		Block: r.BlockNumber.Uint64(), BlockHash: r.BlockHash.Hex(), Asset: asset,
	}
}

func readTransfer(i int, l *types.Log) (*transfer, bool) {
	if len(l.Topics) != 3 || l.Topics[0] != transferTopic || len(l.Data) != wordLength {
		return nil, false // an ERC-721 transfer has a fourth topic
	}
	return &transfer{
		log: i, token: l.Address, amount: wordUnits(l.Data, 0),
		from: common.BytesToAddress(l.Topics[1].Bytes()), to: common.BytesToAddress(l.Topics[2].Bytes()),
	}, true
}

// payment is the event of a payment contract; token is zero for the native coin.
type payment struct {
	token  common.Address
	to     common.Address
	amount money.Units
}

func (c *Client) readPayment(l *types.Log) (payment, bool) {
	if len(l.Topics) != 2 {
		return payment{}, false
	}
	switch kind := c.tables().proxies[l.Address]; {
	case kind == network.ERC20FeeProxy && l.Topics[0] == tokenPaidTopic && len(l.Data) == 5*wordLength:
		return payment{wordAddress(l.Data, 0), wordAddress(l.Data, 1), wordUnits(l.Data, 2)}, true
	case kind == network.EthereumFeeProxy && l.Topics[0] == coinPaidTopic && len(l.Data) == 4*wordLength:
		return payment{common.Address{}, wordAddress(l.Data, 0), wordUnits(l.Data, 1)}, true
	}
	return payment{}, false
}

func (p payment) asset(chain uint64) money.Asset {
	if p.token == (common.Address{}) {
		return network.NativeAsset(chain)
	}
	return network.TokenAsset(chain, p.token.Hex())
}

// measure says what really arrived: the Transfer logs of this token to this recipient since
// the previous payment of the transaction. One that moves exactly the stated amount is
// taken; else all, oldest first, until the amount is reached. The native coin has no such
// logs; there the payment contract itself has sent what it states, or failed.
func (p payment) measure(d *network.Deposit, moves []*transfer, after int) {
	if p.token == (common.Address{}) {
		d.Amount = p.amount
		return
	}
	var ours []*transfer
	for _, t := range moves {
		if t.log > after && !t.used && t.token == p.token && t.to == p.to {
			if t.amount == p.amount {
				ours = []*transfer{t}
				break
			}
			ours = append(ours, t)
		}
	}
	for _, t := range ours {
		sum, err := d.Amount.Add(t.amount)
		if err != nil || (!d.Amount.Less(p.amount) && !d.Amount.IsZero()) {
			return // a token that counts beyond 2^256 is no money; or it is enough
		}
		d.Amount, d.From, t.used = sum, t.from.Hex(), true
	}
}
