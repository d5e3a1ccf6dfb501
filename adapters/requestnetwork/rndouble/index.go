package rndouble

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// index looks for payments of the open requests until ctx ends.
func (d *Double) index(ctx context.Context) {
	for pause(ctx, d.o.Interval) {
		if err := d.look(ctx); err != nil && ctx.Err() == nil {
			d.o.Log.WarnContext(ctx, "the Request Network double cannot read the chain", "error", err)
		}
	}
}

func (d *Double) look(ctx context.Context) error {
	open, from := d.open()
	if len(open) == 0 {
		return nil
	}
	head, err := d.chain.BlockNumber(ctx)
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	if from > head {
		return nil
	}
	q := ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(head), Topics: [][]common.Hash{nil, {}}}
	for _, p := range d.o.Chain.Proxies {
		q.Addresses = append(q.Addresses, common.HexToAddress(p.Address))
	}
	for topic := range open {
		q.Topics[1] = append(q.Topics[1], topic)
	}
	logs, err := d.chain.FilterLogs(ctx, q)
	if err != nil {
		return fmt.Errorf("read logs: %w", err)
	}
	for _, l := range logs {
		if err := d.found(ctx, open[l.Topics[1]], l); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range open {
		r.Block = head + 1
	}
	return nil
}

// open lists the requests by the topic of their reference, and the lowest block that one
// of them has not seen. A settled request is watched too: it may be paid twice.
func (d *Double) open() (map[common.Hash]*request, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	open, from := map[common.Hash]*request{}, ^uint64(0)
	for _, r := range d.requests {
		open[crypto.Keccak256Hash(common.FromHex(r.Reference))] = r
		from = min(from, r.Block)
	}
	return open, from
}

// found notes a payment and announces it.
func (d *Double) found(ctx context.Context, r *request, l types.Log) error {
	asset, to, amount, ok := d.read(l)
	if !ok || r == nil || asset != r.Asset || !strings.EqualFold(to, r.Payee) {
		return nil
	}
	tx, _, err := d.chain.TransactionByHash(ctx, l.TxHash)
	if err != nil {
		return fmt.Errorf("read %s: %w", l.TxHash, err)
	}
	payer, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
	if err != nil {
		return fmt.Errorf("find the payer of %s: %w", l.TxHash, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.knows(l.TxHash.Hex(), l.Index) {
		return nil
	}
	p := paid{ID: ulid(), Tx: l.TxHash.Hex(), Log: l.Index, Payer: payer.Hex(), Amount: amount, At: time.Now().UTC()}
	r.Payments = append(r.Payments, p)
	if err := d.save(); err != nil {
		return err
	}
	d.announce(ctx, r, p)
	return nil
}

func (d *Double) read(l types.Log) (asset money.Asset, to string, amount money.Units, ok bool) {
	words := len(l.Data) / 32
	word := func(i int) []byte { return l.Data[32*i : 32*i+32] }
	switch words {
	case 5:
		asset, to = network.TokenAsset(d.o.Chain.ID, common.BytesToAddress(word(0)).Hex()), common.BytesToAddress(word(1)).Hex()
		return asset, to, money.FromUint256(new(uint256.Int).SetBytes32(word(2))), true
	case 4:
		return network.NativeAsset(d.o.Chain.ID), common.BytesToAddress(word(0)).Hex(), money.FromUint256(new(uint256.Int).SetBytes32(word(1))), true
	}
	return "", "", money.Zero, false
}
