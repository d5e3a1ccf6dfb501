package devchain

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"holdfast/domain/money"
)

// Wallet pays on a development chain over its JSON-RPC, as a buyer's wallet would: the
// demo holds one in another process than the chain.
type Wallet struct {
	client *ethclient.Client
	abis   map[string]artifact
	step   func() // mines a block while waiting, for manual chains
	mu     sync.Mutex
}

// Dial opens a wallet on the chain behind a JSON-RPC URL.
func Dial(ctx context.Context, url string) (*Wallet, error) {
	c, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("dial the development chain: %w", err)
	}
	return newWallet(c, nil)
}

func newWallet(c *rpc.Client, step func()) (*Wallet, error) {
	abis, err := artifacts()
	return &Wallet{client: ethclient.NewClient(c), abis: abis, step: step}, err
}

// Payment is one payment through a payment contract.
type Payment struct {
	Payer     int    // 1 … Payers
	Proxy     string // Proxy when empty
	Token     string // empty: the native coin, through EthProxy
	To        string
	Amount    money.Units
	Reference string // 0x and 16 hex digits
	Fee       money.Units
	FeeTo     string
}

// Sent is a mined transaction.
type Sent struct {
	Tx     string
	Block  uint64
	Failed bool // mined, but reverted
}

// Pay makes a payment and waits until it is mined. A payment that the contract refuses is
// mined all the same, with Failed set.
func (w *Wallet) Pay(ctx context.Context, p Payment) (Sent, error) {
	ref, err := hexutil.Decode(p.Reference)
	if err != nil {
		return Sent{}, fmt.Errorf("read reference %q: %w", p.Reference, err)
	}
	amount, fee := p.Amount.Uint256().ToBig(), p.Fee.Uint256().ToBig()
	to, feeTo := common.HexToAddress(p.To), common.HexToAddress(p.FeeTo)
	if p.Token == "" {
		value := new(big.Int).Add(amount, fee)
		return w.call(ctx, p.Payer, orElse(p.Proxy, EthProxy), value, "EthFeeProxyStub", "transferWithReferenceAndFee", to, ref, fee, feeTo)
	}
	return w.call(ctx, p.Payer, orElse(p.Proxy, Proxy), nil, "FeeProxyStub", "transferFromWithReferenceAndFee",
		common.HexToAddress(p.Token), to, amount, ref, fee, feeTo)
}

// PayMany makes several payments of one token in a single transaction. The payer and the
// token are those of the first.
func (w *Wallet) PayMany(ctx context.Context, payments ...Payment) (Sent, error) {
	var (
		to      []common.Address
		amounts []*big.Int
		refs    [][]byte
	)
	for _, p := range payments {
		to = append(to, common.HexToAddress(p.To))
		amounts = append(amounts, p.Amount.Uint256().ToBig())
		refs = append(refs, common.FromHex(p.Reference))
	}
	return w.call(ctx, payments[0].Payer, Batch, nil, "BatchStub", "run",
		common.HexToAddress(orElse(payments[0].Proxy, Proxy)), common.HexToAddress(payments[0].Token), to, amounts, refs)
}

// Transfer sends tokens, or the native coin when token is empty, straight to an address.
func (w *Wallet) Transfer(ctx context.Context, payer int, token, to string, amount money.Units) (Sent, error) {
	if token == "" {
		return w.transact(ctx, account(payer), common.HexToAddress(to), amount.Uint256().ToBig(), nil)
	}
	return w.call(ctx, payer, token, nil, "TestERC20", "transfer", common.HexToAddress(to), amount.Uint256().ToBig())
}

// Balance of a token, or of the native coin when token is empty.
func (w *Wallet) Balance(ctx context.Context, token, owner string) (money.Units, error) {
	if token == "" {
		b, err := w.client.BalanceAt(ctx, common.HexToAddress(owner), nil)
		if err != nil {
			return money.Zero, fmt.Errorf("read the balance of %s: %w", owner, err)
		}
		return money.ParseUnits(b.String())
	}
	data, err := w.abis["TestERC20"].ABI.Pack("balanceOf", common.HexToAddress(owner))
	if err != nil {
		return money.Zero, err
	}
	contract := common.HexToAddress(token)
	out, err := w.client.CallContract(ctx, ethereum.CallMsg{To: &contract, Data: data}, nil)
	if err != nil {
		return money.Zero, fmt.Errorf("read the balance of %s: %w", owner, err)
	}
	return money.ParseUnits(new(big.Int).SetBytes(out).String())
}

// Close ends the wallet's connection.
func (w *Wallet) Close() { w.client.Close() }

func (w *Wallet) call(ctx context.Context, payer int, contract string, value *big.Int, kind, method string, args ...any) (Sent, error) {
	data, err := w.abis[kind].ABI.Pack(method, args...)
	if err != nil {
		return Sent{}, fmt.Errorf("pack %s: %w", method, err)
	}
	return w.transact(ctx, account(payer), common.HexToAddress(contract), value, data)
}

// transact sends one transaction and waits for its receipt. The gas is generous and not
// estimated, so that a transaction that will fail is mined too.
func (w *Wallet) transact(ctx context.Context, key *ecdsa.PrivateKey, to common.Address, value *big.Int, data []byte) (Sent, error) {
	tx, err := w.send(ctx, key, &to, value, data, 2_000_000)
	if err != nil {
		return Sent{}, err
	}
	return w.wait(ctx, tx.Hash())
}

func (w *Wallet) send(ctx context.Context, key *ecdsa.PrivateKey, to *common.Address, value *big.Int, data []byte, gas uint64) (*types.Transaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for try := 0; ; try++ {
		nonce, err := w.client.PendingNonceAt(ctx, addressOf(key))
		if err != nil {
			return nil, fmt.Errorf("read the next nonce: %w", err)
		}
		head, err := w.client.HeaderByNumber(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("read the head: %w", err)
		}
		tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(ChainID)), &types.DynamicFeeTx{
			ChainID: big.NewInt(ChainID), Nonce: nonce, To: to, Value: value, Data: data, Gas: gas,
			GasTipCap: big.NewInt(params.GWei), GasFeeCap: new(big.Int).Add(new(big.Int).Lsh(head.BaseFee, 1), big.NewInt(params.GWei)),
		})
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		if err = w.client.SendTransaction(ctx, tx); err == nil {
			return tx, nil
		}
		// The pool resets in the background and may have told an old nonce.
		if try == 20 || !strings.Contains(err.Error(), "nonce") && !strings.Contains(err.Error(), "underpriced") {
			return nil, fmt.Errorf("send: %w", err)
		}
		if err := w.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// wait for a receipt, mining where the chain does not do it by itself.
func (w *Wallet) wait(ctx context.Context, tx common.Hash) (Sent, error) {
	for {
		r, err := w.client.TransactionReceipt(ctx, tx)
		switch {
		case err == nil:
			return Sent{Tx: tx.Hex(), Block: r.BlockNumber.Uint64(), Failed: r.Status != types.ReceiptStatusSuccessful}, nil
		case !errors.Is(err, ethereum.NotFound) && !strings.Contains(err.Error(), "indexing"):
			return Sent{}, fmt.Errorf("read the receipt of %s: %w", tx, err)
		}
		if err := w.pause(ctx); err != nil {
			return Sent{}, fmt.Errorf("wait for %s: %w", tx, err)
		}
	}
}

func (w *Wallet) pause(ctx context.Context) error {
	if w.step != nil {
		w.step()
	}
	t := time.NewTimer(10 * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
