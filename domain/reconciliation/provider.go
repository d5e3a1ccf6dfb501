package reconciliation

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

func evidence(d network.Deposit) payment.Evidence {
	return payment.Evidence{Chain: d.Chain, Tx: strings.ToLower(d.Tx), Log: d.Log, Block: d.Block, BlockHash: strings.ToLower(d.BlockHash)}
}

// Evidence is the deposit as the ledger names it.
func Evidence(d network.Deposit) payment.Evidence { return evidence(d) }

// provider checks the provider's word against the chain and the ledger. Its word moves nothing:
// what it claims in excess is a break, what it has missed is worth a note.
func (c *comparison) provider(now time.Time) {
	byTx := map[string][]Report{}
	var order []string
	for _, r := range c.p.Reports {
		tx := strings.ToLower(r.Tx)
		if len(byTx[tx]) == 0 {
			order = append(order, tx)
		}
		byTx[tx] = append(byTx[tx], r)
	}
	slices.Sort(order)
	for _, tx := range order {
		c.report(tx, byTx[tx])
	}
	if !c.p.AtProvider || c.p.PaidAt.IsZero() || now.Sub(c.p.PaidAt) < ProviderGrace {
		return
	}
	for _, b := range c.p.Booked {
		if b.Confirmed && b.Shown != nil && b.Amount.Asset == c.p.Asset && len(byTx[txOf(b.Key)]) == 0 {
			c.add(Finding{Kind: ChainOnly, Evidence: b.Key, Ledger: b.Amount.Units.String(), Chain: b.Shown.Amount.String(), Amount: money.Of(b.Amount.Asset, money.Zero)})
		}
	}
}

func (c *comparison) report(tx string, all []Report) {
	first := all[0]
	if len(all) > 1 {
		c.add(Finding{Kind: DoubleReport, Evidence: tx, Provider: said(all), Amount: money.Of(c.p.Asset, money.Zero)})
	}
	chain, shown := money.Zero, false
	for _, d := range c.shown(tx, first) {
		chain, shown = chain.Plus(d.Amount), true
	}
	switch {
	case !shown:
		claim := money.Of(c.p.Asset, money.Zero)
		if first.Amount != nil {
			claim.Units = *first.Amount
		}
		c.add(Finding{Kind: ProviderOnly, Evidence: tx, Provider: said(all[:1]), Chain: string(orElse(first.State, network.Unknown)), Amount: claim})
	case first.Amount != nil && *first.Amount != chain:
		c.add(Finding{Kind: AmountDiffers, Evidence: "provider:" + tx, Chain: chain.String(), Provider: first.Amount.String(), Amount: money.Of(c.p.Asset, money.Zero)})
	}
}

// shown gives what the chain shows of a transaction at the payment's address in its asset.
func (c *comparison) shown(tx string, r Report) (all []network.Deposit) {
	seen := map[string]bool{}
	take := func(d network.Deposit) {
		if key := EvidenceKey(d); !seen[key] && d.Asset == c.p.Asset && strings.EqualFold(d.To, c.p.Address) {
			seen[key] = true
			all = append(all, d)
		}
	}
	for _, d := range r.Shown {
		take(d)
	}
	for _, b := range c.p.Booked {
		if b.Shown != nil && txOf(b.Key) == tx {
			take(*b.Shown)
		}
	}
	for _, d := range c.p.Seen {
		if strings.EqualFold(d.Tx, tx) {
			take(d)
		}
	}
	return all
}

func said(all []Report) string {
	var words []string
	for _, r := range all {
		word := "paid"
		if r.Amount != nil {
			word = r.Amount.String()
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// txOf reads the transaction out of an evidence key, "chain:tx:log".
func txOf(key string) string {
	if parts := strings.Split(key, ":"); len(parts) == 3 {
		return strings.ToLower(parts[1])
	}
	return ""
}
