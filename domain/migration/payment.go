package migration

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	"holdfast/domain/threshold"
)

// Payment is a document of payments. References are ObjectIds in hex, amounts exact decimals.
type Payment struct {
	Found
	Request, Offer, Buyer, Seller string
	Amount, Currency              string
	Provider, ProviderPayment     string
	Reference                     string
	Chain                         uint64
	Network, Token, Receiver      string
	Confirmations                 uint64 // that it asked for; 0 where it did not say
	Tx                            string
	Status, EscrowState           string
	PaidAt, ExpiresAt             time.Time
	Failure                       string
}

// Entry is a document of fundsledgerentries.
type Entry struct {
	Found
	Payment  string
	Type     string
	From, To Place
	Amount   string // an exact decimal
	Currency string // empty: the payment's
	Tx       string
	// Body is the document without what people may have written, as canonical extended JSON, and
	// Text the rest; empty for none.
	Body, Text string
	User       string // whom the text is about: ObjectId of users
}

// PaidTo is what a payment must know of the derived address that it was paid to.
type PaidTo struct {
	Destination string // ObjectId of deriveddestinations; empty for none
	Address     string
	Path        string
	Swept       bool // its money stands at the treasury by now
}

// states are the words for a payment and its escrow that go together. A word that is missing is "".
var states = map[string][]string{
	"pending":    {"", "pending"},
	"processing": {"", "pending", "partial"},
	"confirmed":  {"funded", "releasable", "releasing", "released", "partial"},
	"completed":  {"funded", "releasable", "releasing", "released", "partial"},
	"failed":     {"", "failed"},
	"cancelled":  {"", "cancelled"},
	"refunded":   {"refunded"},
}

// PaymentStatuses and EscrowStates are the words that are understood, for the decoder.
func PaymentStatuses() []string {
	return []string{"pending", "processing", "confirmed", "completed", "failed", "cancelled", "refunded"}
}

// EscrowStates are the words for the escrow of a payment.
func EscrowStates() []string {
	return []string{"pending", "funded", "releasable", "releasing", "released", "refunded", "failed", "cancelled", "partial"}
}

// Policy is what holds for everything that is taken over.
type Policy struct {
	Networks network.Book
	Escrow   escrow.Terms
	Safety   safety.Policy
	// Grace is how long a payment that nobody has made may still be paid after its import.
	Grace time.Duration
	// Migration names the accounts equity:opening:<migration>.
	Migration string
	// Topic is keccak-256 of a payment reference, as the chain shows it; an error for what is none.
	Topic func(reference string) (string, error)
	// Enforced: money whose books disagree is refused. Else the smaller amount is opened.
	Enforced bool
}

// asset finds what a payment was made in.
func (p Policy) asset(d Payment) (network.Token, network.Chain, error) {
	chain, ok := p.Networks.Chain(d.Chain)
	if !ok && d.Chain == 0 {
		chain, ok = p.Networks.ChainNamed(d.Network)
	}
	if !ok {
		return network.Token{}, chain, network.ErrUnknownChain.Because("blockchain.chainId: a chain of the registry")
	}
	asset := network.TokenAsset(chain.ID, d.Token)
	if d.Token == "" {
		for _, t := range p.Networks.Tokens(chain.ID) {
			if strings.EqualFold(t.Symbol, d.Currency) {
				asset = t.Asset()
			}
		}
	}
	t, ok := p.Networks.Token(asset)
	if !ok || !strings.EqualFold(t.Symbol, d.Currency) {
		return t, chain, network.ErrUnknownAsset.Because("amount.currency: a token of this chain")
	}
	return t, chain, nil
}

// Money is a payment in our terms: how much, in what, where, and what the books say of it.
type Money struct {
	Asset  network.Token
	Chain  network.Chain
	Due    money.Amount
	Books  Books
	Gap    string // why less was opened than one side says; empty for none
	Counts []string
}

// mostOfAnEntry is 2^128 − 1 base units: sums of such entries stay far below 2^256.
var mostOfAnEntry = money.MustUnits("340282366920938463463374607431768211455")

// Judge reads a payment's amounts and holds its words and its entries against each other. Errors:
// UNKNOWN_CHAIN, UNKNOWN_ASSET, PRECISION_EXCEEDED, LEGACY_BOOKS_DISAGREE.
func (p Policy) Judge(d Payment, entries []Entry) (m Money, err error) {
	if m.Asset, m.Chain, err = p.asset(d); err != nil {
		return m, err
	}
	units, err := Exact(d.Amount, m.Asset.Decimals)
	switch {
	case err != nil:
		return m, at(err, "amount")
	case units.IsZero():
		return m, ErrContradict.Because("amount: must be more than nothing")
	case !slices.Contains(states[d.Status], d.EscrowState):
		return m, ErrBooks.Because("status %s and escrowState %s do not go together", d.Status, orNone(d.EscrowState))
	}
	m.Due = money.Of(m.Asset.Asset(), units)
	var moves []Movement
	for _, e := range entries {
		v, err := p.movement(e, d, m.Asset.Decimals)
		if err != nil {
			return m, err
		}
		if mostOfAnEntry.Less(v.Amount) {
			return m, ErrBooks.Because("an entry of %s base units is more than there can be", v.Amount)
		}
		moves = append(moves, v)
		if e.Tx != "" && v.From == External {
			m.Counts = append(m.Counts, strings.ToLower(e.Tx))
		}
	}
	books, err := Sum(moves)
	if err == nil {
		err = books.Agree(state(d), units)
	}
	if m.Books = books; err == nil {
		return m, nil
	}
	if p.Enforced {
		return m, err
	}
	m.Books, m.Gap = Smaller(state(d), units, moves), err.Error()
	return m, nil
}

func at(err error, path string) error {
	if f, ok := fault.From(err); ok {
		return f.Because("%s: %s", path, f.Message)
	}
	return err
}

// state is the word for the escrow, empty while nothing has come.
func state(d Payment) string {
	if d.EscrowState == "pending" {
		return ""
	}
	return d.EscrowState
}

func (p Policy) movement(e Entry, d Payment, decimals uint8) (Movement, error) {
	units, err := Exact(e.Amount, decimals)
	from, to, ok := Moves(e.Type, e.From, e.To)
	switch {
	case err != nil:
		return Movement{}, ErrBooks.Because("entry %s: the amount %s is not exact", e.ObjectID, e.Amount)
	case len(e.Problems) > 0:
		return Movement{}, ErrBooks.Because("entry %s: %s", e.ObjectID, e.Problems[0])
	case !ok:
		return Movement{}, ErrBooks.Because("entry %s: %s does not move money from %s to %s", e.ObjectID, e.Type, e.From, e.To)
	case e.Currency != "" && !strings.EqualFold(e.Currency, d.Currency):
		return Movement{}, ErrBooks.Because("entry %s is in %s, the payment in %s", e.ObjectID, e.Currency, d.Currency)
	}
	return Movement{From: from, To: to, Amount: units}, nil
}

// threshold is how deep transfers of the payment must stand: as deep as it said, and never less
// than the chain's rule.
func (m Money) threshold(d Payment) payment.Threshold {
	t := threshold.DefaultRule(m.Chain.Confirmations).For(m.Due.Units, m.Asset.Decimals, m.Chain.Confirmations.Floor)
	t.Need = max(t.Need, d.Confirmations)
	return t
}

// PaymentID names the payment of a document.
func PaymentID(objectID string) domain.PaymentID { return domain.PaymentID(ID(Payments, objectID)) }
