package migration

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

// Destination is a document of deriveddestinations.
type Destination struct {
	Found
	Address, Path, Fingerprint string
	Chain                      uint64
	Index                      uint32
	Payment                    string
	Status                     string
	Balances                   []Balance
	Sweeps                     []Sweep
	Quarantine                 string
}

// Balance is what the old backend last saw on an address: base units of a token.
type Balance struct {
	Currency, Token, Units string
}

// Sweep is a transfer from an address to the treasury. Its amount is in base units.
type Sweep struct {
	ID, Tx, Amount, Status string
	Block                  uint64
	At                     time.Time
}

// DestinationStatuses are the words that are understood, for the decoder. One that is being swept is
// not among them: nobody could say where its money is.
func DestinationStatuses() []string {
	return []string{"available", "derived", "assigned", "funded", "swept", "quarantined", "retired"}
}

// Swept reports that the money of an address stands at the treasury.
func (d Destination) Swept() bool { return d.Status == "swept" }

// TakeDestination takes a document of deriveddestinations. Errors: LEGACY_CONFLICT,
// DERIVATION_CONFLICT, DESTINATION_ASSIGNED.
type TakeDestination struct {
	domain.Issue
	Document Destination
	Names    Names
	Policy   Policy
	// Fingerprint names the extended public key below which the address was found; empty for an
	// unknown one.
	Fingerprint string
}

// Run decides.
func (f TakeDestination) Run(u *domain.Unit) (any, error) {
	d, i := f.Document, Import(f.Issue)
	e := destination.Imported{
		Legacy: d.Legacy, Destination: DestinationID(d.ObjectID), Fingerprint: f.Fingerprint, Chain: d.Chain, Index: d.Index, Path: d.Path, Address: d.Address,
		Payment: domain.PaymentID(f.Names(Payments, d.Payment)), Retired: d.Status == "retired", Status: d.Status, At: f.At,
	}
	if d.Status == "quarantined" {
		e.Quarantine = orText(d.Quarantine, "by the old backend")
	}
	var lone money.Asset // of an address that never held two
	for _, b := range d.Balances {
		a, err := f.amount(b)
		if err != nil {
			return nil, err
		}
		e.Balances, lone = append(e.Balances, destination.ImportedBalance{Currency: b.Currency, Token: b.Token, Units: a.Units}), a.Asset
	}
	for _, w := range d.Sweeps {
		units, err := money.ParseUnits(w.Amount)
		if err != nil || lone == "" {
			return nil, ErrContradict.Because("sweeps: an amount in base units of a known token")
		}
		e.Sweeps = append(e.Sweeps, destination.ImportedSweep{
			Sweep: domain.SweepID(ID("sweeps", w.ID)), Amount: money.Of(lone, units), Tx: w.Tx, Status: w.Status, Block: w.Block, At: w.At,
		})
	}
	before, err := domain.StateOf(u, destination.Decider, string(e.Destination))
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, destination.Decider, string(e.Destination), destination.Import{Issue: i, Fact: e}); err != nil || before.ID != "" {
		return nil, err
	}
	return nil, f.opened(u, i, e)
}

// opened gives the address what was opened there before it was known.
func (f TakeDestination) opened(u *domain.Unit, i domain.Issue, e destination.Imported) error {
	if e.Payment == "" {
		return nil
	}
	p, err := domain.StateOf(u, payment.Decider, string(e.Payment))
	if err != nil || p.Destination != e.Destination {
		return err
	}
	h, err := domain.StateOf(u, escrow.Decider, string(p.Hold))
	if err != nil || h.Imported == nil {
		return err
	}
	for _, o := range h.Imported.Openings {
		if o.Custody != custodyOf(PaidTo{Destination: f.Document.ObjectID}) {
			continue
		}
		c := destination.MoveOpening{Issue: i, Amount: money.Of(h.Due.Asset, o.Amount), In: true}
		if _, err := domain.Do(u, destination.Decider, string(e.Destination), c); err != nil {
			return err
		}
	}
	return nil
}

func (f TakeDestination) amount(b Balance) (money.Amount, error) {
	t, _, err := f.Policy.asset(Payment{Chain: f.Document.Chain, Token: b.Token, Currency: b.Currency})
	if err != nil {
		return money.Amount{}, err
	}
	units, err := money.ParseUnits(b.Units)
	return money.Of(t.Asset(), units), at(err, "balances.baseUnits")
}

func orText(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}
