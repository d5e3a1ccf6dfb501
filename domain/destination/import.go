package destination

import (
	"maps"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// ImportedSweep is a sweep that the old backend has made, for the record.
type ImportedSweep struct {
	Sweep  domain.SweepID `json:"sweep"`
	Amount money.Amount   `json:"amount"`
	Tx     string         `json:"tx"`
	Status string         `json:"status"` // confirmed or failed: none is under way at an import
	Block  uint64         `json:"block,omitempty"`
	At     time.Time      `json:"at,omitzero"`
}

// ImportedBalance is what the old backend last saw of a token, in its words.
type ImportedBalance struct {
	Currency string      `json:"currency"`
	Token    string      `json:"token,omitempty"`
	Units    money.Units `json:"units"`
}

// Imported: a derived address of the old backend as its document has it. It says the whole state but
// for the balance, which is what opening balances have put there (OpeningMoved).
type Imported struct {
	domain.Legacy
	Destination domain.DestinationID `json:"destination"`
	Fingerprint string               `json:"xpub_fingerprint"`
	Chain       uint64               `json:"chain"`
	Index       uint32               `json:"index"`
	Path        string               `json:"path"`
	Address     string               `json:"address"`
	Payment     domain.PaymentID     `json:"payment,omitempty"`
	Sweeps      []ImportedSweep      `json:"sweeps,omitempty"`
	Retired     bool                 `json:"retired,omitempty"`
	Quarantine  string               `json:"quarantine,omitempty"` // why its money must not be moved
	Status      string               `json:"status"`               // the old backend's word, shown until something happens here
	Balances    []ImportedBalance    `json:"balances,omitempty"`   // as the old backend last saw them
	At          time.Time            `json:"at"`                   // of the import
}

// OpeningMoved: the opening balance of a hold stands on this address, or does not any more. The
// treasury's events of the same commit post.
type OpeningMoved struct {
	Amount money.Amount `json:"amount"`
	In     bool         `json:"in"`
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "destination.imported" }

// EventType implements domain.Event.
func (OpeningMoved) EventType() string { return "destination.opening_moved" }

// WithImport says that the event belongs to another document than the destination's own.
func (OpeningMoved) WithImport() {}

func (Imported) destination()     {}
func (OpeningMoved) destination() {}

// Import takes a destination's document, or takes it again when it has changed. Errors: LEGACY_CONFLICT.
type Import struct {
	domain.Issue
	Fact Imported
}

// MoveOpening notes that an opening balance was booked on this address or taken back. Errors:
// NOTHING_TO_SWEEP when it is not there any more.
type MoveOpening struct {
	domain.Issue
	Amount money.Amount
	In     bool
}

func importDestination(s State, c Import) ([]Event, error) {
	e := c.Fact
	again, err := s.Legacy.Takes(s.ID != "", e.Legacy)
	switch {
	case err != nil || again:
		return nil, err
	case s.ID != "" && (s.Address != e.Address || s.Index != e.Index):
		return nil, ErrIndexUsed
	case s.Payment != "" && s.Payment != e.Payment:
		return nil, ErrAssigned
	}
	for _, w := range e.Sweeps {
		if w.Status != "confirmed" && w.Status != "failed" {
			return nil, fault.ErrValidation.At("sweeps", "a sweep is under way")
		}
	}
	return []Event{e}, nil
}

func moveOpening(s State, c MoveOpening) ([]Event, error) {
	if !c.In && s.Balance[c.Amount.Asset].Less(c.Amount.Units) {
		return nil, ErrNothing.With("have", s.Balance[c.Amount.Asset])
	}
	return []Event{OpeningMoved{Amount: c.Amount, In: c.In}}, nil
}

func imported(was State, e Imported) State {
	s := State{
		ID: e.Destination, Address: e.Address, Index: e.Index, Payment: e.Payment, Balance: maps.Clone(was.Balance),
		IsQuarantined: e.Quarantine != "", IsRetired: e.Retired,
	}
	for _, w := range e.Sweeps {
		s = s.sweep(w.Sweep, w.Amount, w.Status)
	}
	return s
}
