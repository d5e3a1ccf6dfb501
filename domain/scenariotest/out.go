package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// The commands of money on its way out.

const (
	hotWallet   = "0x00000000000000000000000000000000000071e5"
	buyerWallet = "0x0000000000000000000000000000000000000b01"
	chainID     = 8453
)

func (p *player) amount(row Row) money.Amount {
	sum := money.Zero
	for _, l := range row.Lines {
		sum = sum.Plus(l.Amount)
	}
	return money.Of(row.Lines[0].Asset, sum)
}

// mined is where the chain has the latest transaction of a payout or refund.
func mined(tx string) outgoing.Mined {
	return outgoing.Mined{Chain: chainID, Tx: tx, Block: 1000, BlockHash: "0xb10c"}
}

// custodyOf is the pocket that a broadcast leaves.
func custodyOf(row Row) outgoing.Custody {
	if from := row.Lines[0].Cr; is(from, "custody:derived", "") {
		return outgoing.Custody{Destination: domain.DestinationID(id(from))}
	}
	return outgoing.Custody{}
}

func (p *player) transfer(to string, amount money.Amount) outgoing.Transfer {
	p.sent["nonce"]++
	return outgoing.Transfer{Chain: chainID, From: hotWallet, To: to, Amount: amount, Nonce: uint64(p.sent["nonce"])}
}
