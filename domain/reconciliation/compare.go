package reconciliation

import (
	"math/big"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// Pocket is one asset at one address of ours: what stands there by the ledger and by the chain,
// both as of the same block.
type Pocket struct {
	Subject Subject
	Account ledger.Account
	Asset   money.Asset
	Books   *big.Int // with what was under way at that block where the chain had it; may be below zero
	Chain   money.Units
}

// Booked is a transfer that the ledger has, and what the chain shows of it.
type Booked struct {
	Key       string // evidence key
	Amount    money.Amount
	Confirmed bool
	// State of the transaction, and the deposit of this very log when it is mined; nil for none.
	State network.TxState
	Shown *network.Deposit
}

// Report is a payment that the provider claims to have seen.
type Report struct {
	Request string
	Tx      string
	Amount  *money.Units // nil when it is not readable
	State   network.TxState
	Shown   []network.Deposit // what the chain shows of it at our address
}

// Payment is everything three sides say about one payment. A destination that serves no payment
// is compared as one without an id.
type Payment struct {
	ID          domain.PaymentID
	Destination domain.DestinationID
	Address     string
	Asset       money.Asset
	Booked      []Booked
	Pockets     []Pocket
	// Seen are the transfers to the address that the chain shows, where they were read.
	Seen []network.Deposit

	AtProvider bool // it has a request at the provider, who was asked about this time
	PaidAt     time.Time
	Reports    []Report
}

// ProviderGrace is how long the provider may lag behind the chain.
const ProviderGrace = time.Hour

// OfPayment compares what three sides say about a payment and its address.
func OfPayment(p Payment, at Moment, now time.Time) []Finding {
	c := comparison{p: p, at: at, known: map[string]bool{}, phantom: map[money.Asset]*big.Int{}, found: map[money.Asset]*big.Int{}}
	for _, b := range p.Booked {
		c.known[b.Key] = true
		c.booked(b)
	}
	for _, d := range p.Seen {
		c.seen(d)
	}
	for _, r := range p.Reports {
		for _, d := range r.Shown {
			c.seen(d)
		}
	}
	for _, k := range p.Pockets {
		c.pocket(k)
	}
	if p.AtProvider || len(p.Reports) > 0 {
		c.provider(now)
	}
	return c.all
}

type comparison struct {
	p     Payment
	at    Moment
	all   []Finding
	known map[string]bool
	// phantom is what is booked and not there, found what is there and not booked: both are listed
	// by themselves and must not show up again as a pocket's difference.
	phantom, found map[money.Asset]*big.Int
}

func (c *comparison) subject() Subject {
	if c.p.ID == "" {
		return Subject{"destination", string(c.p.Destination)}
	}
	return Subject{"payment", string(c.p.ID)}
}

func (c *comparison) add(f Finding) {
	f.Subject, f.At = c.subject(), c.at
	c.all = append(c.all, f)
}

func plus(sums map[money.Asset]*big.Int, asset money.Asset, d *big.Int) {
	if sums[asset] == nil {
		sums[asset] = new(big.Int)
	}
	sums[asset].Add(sums[asset], d)
}

// at is the account of the address when its pocket differs in that direction: then the
// difference can be booked there. Money that was swept on is missed, or found, elsewhere.
func (c *comparison) account(asset money.Asset, over bool) ledger.Account {
	for _, k := range c.p.Pockets {
		if k.Asset == asset && whole(k.Chain).Cmp(k.Books) == map[bool]int{true: 1, false: -1}[over] {
			return k.Account
		}
	}
	return ""
}

// booked checks a transfer of the ledger against the chain. One that is still waiting, or
// whose block was just undone, is the follower's business and no break.
func (c *comparison) booked(b Booked) {
	if !b.Confirmed && b.Shown == nil && b.State != network.Failed {
		return
	}
	f := Finding{Evidence: b.Key, Ledger: b.Amount.Units.String(), Amount: b.Amount, Deposit: b.Shown}
	switch d := b.Shown; {
	case d == nil || !strings.EqualFold(d.To, c.p.Address):
		f.Kind, f.Chain, f.Deposit = MissingOnChain, string(orElse(b.State, network.Unknown)), nil
		f.Account = c.account(b.Amount.Asset, false)
		plus(c.phantom, b.Amount.Asset, whole(b.Amount.Units))
	case d.Asset != b.Amount.Asset:
		f.Kind, f.Chain, f.Ledger = WrongAsset, d.Amount.String()+" "+string(d.Asset), b.Amount.String()
		f.Deposit = nil // it is booked, so that looking again would book nothing
		plus(c.phantom, b.Amount.Asset, whole(b.Amount.Units))
		plus(c.found, d.Asset, whole(d.Amount))
	case d.Amount != b.Amount.Units:
		more := new(big.Int).Sub(whole(d.Amount), whole(b.Amount.Units))
		f.Kind, f.Chain, f.Over = AmountDiffers, d.Amount.String(), more.Sign() > 0
		f.Amount, f.Account = difference(b.Amount.Asset, more), c.account(b.Amount.Asset, more.Sign() > 0)
		if f.Over {
			plus(c.found, b.Amount.Asset, more)
		} else {
			plus(c.phantom, b.Amount.Asset, new(big.Int).Neg(more))
		}
	default:
		return
	}
	c.add(f)
}

// seen checks a transfer of the chain against the ledger.
func (c *comparison) seen(d network.Deposit) {
	key := EvidenceKey(d)
	if c.known[key] || !strings.EqualFold(d.To, c.p.Address) || d.Amount.IsZero() {
		return
	}
	c.known[key] = true
	kind := MissingInLedger
	if c.p.Asset != "" && d.Asset != c.p.Asset {
		kind = WrongAsset
	}
	c.add(Finding{Kind: kind, Evidence: key, Chain: d.Amount.String(), Amount: money.Of(d.Asset, d.Amount), Over: true, Deposit: &d})
	plus(c.found, d.Asset, whole(d.Amount))
}

// pocket compares an address with its account, less what is listed already.
func (c *comparison) pocket(k Pocket) {
	diff := new(big.Int).Sub(whole(k.Chain), k.Books)
	rest := new(big.Int).Set(diff)
	if f := c.found[k.Asset]; f != nil && diff.Sign() > 0 {
		if rest.Sub(diff, f); rest.Sign() < 0 {
			rest.SetInt64(0)
		}
	}
	if f := c.phantom[k.Asset]; f != nil && diff.Sign() < 0 {
		if rest.Add(diff, f); rest.Sign() > 0 {
			rest.SetInt64(0)
		}
	}
	c.all = append(c.all, ofDifference(k, rest, c.at)...)
}

// OfPocket compares an address that serves no payment: the treasury, gas.
func OfPocket(k Pocket, at Moment) []Finding {
	return ofDifference(k, new(big.Int).Sub(whole(k.Chain), k.Books), at)
}

func ofDifference(k Pocket, diff *big.Int, at Moment) []Finding {
	if diff.Sign() == 0 {
		return nil
	}
	f := Finding{
		Kind: CustodyShort, Subject: k.Subject, Evidence: string(k.Asset), Ledger: k.Books.String(), Chain: k.Chain.String(),
		Amount: difference(k.Asset, diff), Account: k.Account, At: at,
	}
	if diff.Sign() > 0 {
		f.Kind, f.Over = CustodyOver, true
	}
	return []Finding{f}
}

// EvidenceKey names a deposit as the ledger does (payment.Evidence.Key).
func EvidenceKey(d network.Deposit) string { return evidence(d).Key() }

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
