package escrow

import (
	"maps"
	"time"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Opening is what stands in the books for a hold since its import: Amount on a custody account,
// and owed by Liability.
type Opening struct {
	Custody   ledger.Account `json:"custody"`
	Liability ledger.Account `json:"liability"`
	Amount    money.Units    `json:"amount"`
}

// Imported: the escrow of an order of the old backend, as the document of its payment has it. It
// says the whole state but for the release holds and the dispute, which have documents of their
// own. The treasury's events of the same commit post.
type Imported struct {
	domain.Legacy
	Hold    domain.HoldID    `json:"hold"`
	Payment domain.PaymentID `json:"payment"` // whose document it is
	Request domain.RequestID `json:"request"`
	Offer   domain.OfferID   `json:"offer"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Due     money.Amount     `json:"due"`
	Terms   Terms            `json:"terms"`

	Credited   money.Units `json:"credited"`
	Held       money.Units `json:"held"`
	Releasable money.Units `json:"releasable"`
	Released   money.Units `json:"released"`
	Refunded   money.Units `json:"refunded"`
	// Contested is set when a dispute is open: it has frozen all that is held and releasable.
	Contested *Contested `json:"contested,omitempty"`

	IsFunded    bool `json:"is_funded,omitempty"`
	IsCancelled bool `json:"is_cancelled,omitempty"`
	IsClosed    bool `json:"is_closed,omitempty"`

	InspectionTo time.Time `json:"inspection_to,omitzero"`
	ReleaseAt    time.Time `json:"release_at,omitzero"`

	EscrowState string     `json:"escrow_state,omitempty"` // the old backend's word
	FundedAt    *time.Time `json:"funded_at,omitempty"`
	Openings    []Opening  `json:"openings,omitempty"`
	// Times counts the imports of this hold; the references of the treasury's entries name it.
	Times int       `json:"times"`
	At    time.Time `json:"at"` // of the import
}

// ReleaseHoldImported: a release hold of the old backend as its document has it.
type ReleaseHoldImported struct {
	Document domain.Legacy    `json:"document"`
	Payment  domain.PaymentID `json:"payment,omitempty"` // that the document names
	ID       string           `json:"id"`
	Kind     HoldKind         `json:"kind"`
	Word     string           `json:"word"` // the old backend's for the kind
	Reason   string           `json:"reason"`
	Active   bool             `json:"active"`
	PlacedBy domain.Actor     `json:"placed_by"`
	PlacedAt time.Time        `json:"placed_at"`
	LiftedBy *domain.Actor    `json:"lifted_by,omitempty"`
	LiftedAt *time.Time       `json:"lifted_at,omitempty"`
	// LiftedReason may be missing even where somebody has lifted it.
	LiftedReason string `json:"lifted_reason,omitempty"`
}

// DisputeImported: a dispute of the old backend has begun or ended to freeze the hold. The
// treasury's events of the same commit post.
type DisputeImported struct {
	Dispute  domain.DisputeID `json:"dispute"`
	Open     bool             `json:"open"`
	Openings []Opening        `json:"openings,omitempty"`
	Times    int              `json:"times"`
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "escrow.imported" }

// EventType implements domain.Event.
func (ReleaseHoldImported) EventType() string { return "escrow.release_hold_imported" }

// EventType implements domain.Event.
func (DisputeImported) EventType() string { return "escrow.dispute_imported" }

// WithImport says that the event belongs to another document than the hold's own.
func (ReleaseHoldImported) WithImport() {}

// WithImport says that the event belongs to another document than the hold's own.
func (DisputeImported) WithImport() {}

func (Imported) escrow()            {}
func (ReleaseHoldImported) escrow() {}
func (DisputeImported) escrow()     {}

// Import takes the escrow out of its payment's document, or takes it again when that has changed.
// Errors: LEGACY_CONFLICT.
type Import struct {
	domain.Issue
	Fact Imported
}

// ImportReleaseHold takes a release hold's document. Errors: LEGACY_CONFLICT.
type ImportReleaseHold struct {
	domain.Issue
	Fact ReleaseHoldImported
}

// ImportDispute freezes or unfreezes the hold as a dispute's document says; the amounts are those
// of State.Freezing. Errors: LEGACY_CONFLICT, DISPUTE_OPEN.
type ImportDispute struct {
	domain.Issue
	Fact DisputeImported
}

func importHold(s State, c Import) ([]Event, error) {
	e := c.Fact
	again, err := s.Legacy.Takes(s.ID != "", e.Legacy)
	if err != nil || again {
		return nil, err
	}
	return []Event{e}, nil
}

func importStop(s State, c ImportReleaseHold) ([]Event, error) {
	e := c.Fact
	known, began := s.Stops[e.ID]
	if again, err := known.Takes(began, e.Document); err != nil || again {
		return nil, err
	}
	return []Event{e}, nil
}

func importDispute(s State, c ImportDispute) ([]Event, error) {
	e := c.Fact
	frozen := s.Contested != nil && s.Contested.Dispute == e.Dispute
	switch {
	case e.Open == frozen:
		return nil, nil
	case s.Legacy.Ours || s.Imported == nil:
		return nil, domain.ErrLegacyConflict
	case s.Contested != nil && !frozen:
		return nil, ErrDisputeOpen
	}
	return []Event{e}, nil
}

// Untouched reports that a hold is still what the documents of its order say.
func (s State) Untouched() bool { return s.Imported != nil && !s.Legacy.Ours }

// imported is the whole state; what other documents have said of the hold stays.
func imported(was State, e Imported) State {
	s := State{
		ID: e.Hold, Request: e.Request, Offer: e.Offer, Buyer: e.Buyer, Seller: e.Seller, Due: e.Due, Terms: e.Terms,
		Credited: e.Credited, Held: e.Held, Releasable: e.Releasable, Released: e.Released, Refunded: e.Refunded, NetPaid: e.Released,
		IsFunded: e.IsFunded, IsCancelled: e.IsCancelled, IsClosed: e.IsClosed, InspectionTo: e.InspectionTo, ReleaseAt: e.ReleaseAt,
		ReleaseHolds: was.ReleaseHolds, Stops: was.Stops, Imported: &e,
	}
	if c := e.Contested; c != nil {
		s.Contested, s.Disputed = c, c.FromHeld.Plus(c.FromReleasable)
		s.Held, s.Releasable = s.Held.Minus(c.FromHeld), s.Releasable.Minus(c.FromReleasable)
	}
	return s
}

func stopImported(s State, e ReleaseHoldImported) State {
	s.ReleaseHolds, s.Stops = maps.Clone(s.ReleaseHolds), maps.Clone(s.Stops)
	if s.Stops == nil {
		s.Stops = map[string]domain.Snapshot{}
	}
	s.Stops[e.ID] = domain.Snapshot{Hash: e.Document.Hash}
	switch {
	case !e.Active:
		delete(s.ReleaseHolds, e.ID)
		return s
	case s.ReleaseHolds == nil:
		s.ReleaseHolds = map[string]ReleaseHold{}
	}
	s.ReleaseHolds[e.ID] = ReleaseHold{Kind: e.Kind, Reason: e.Reason, PlacedBy: e.PlacedBy}
	return s
}

func disputeImported(s State, e DisputeImported) State {
	i := *s.Imported
	i.Openings, i.Times = e.Openings, e.Times
	if e.Open {
		s.Contested = &Contested{Dispute: e.Dispute, FromHeld: s.Held, FromReleasable: s.Releasable}
		s.Held, s.Releasable, s.Disputed = money.Zero, money.Zero, s.Held.Plus(s.Releasable)
		i.Contested = s.Contested
	} else {
		s.Held, s.Releasable = s.Held.Plus(s.Contested.FromHeld), s.Releasable.Plus(s.Contested.FromReleasable)
		s.Contested, s.Disputed, i.Contested = nil, money.Zero, nil
	}
	s.Imported = &i
	return s
}

// stopOurs notes that an imported stop was lifted here.
func stopOurs(s State, id string) State {
	if known, is := s.Stops[id]; is {
		s.Stops = maps.Clone(s.Stops)
		known.Ours = true
		s.Stops[id] = known
	}
	return s
}

// orphaned is an imported stop of a dispute that is not open here: nobody else would ever lift it.
func (s State) orphaned(id string) bool {
	_, is := s.Stops[id]
	return is && s.Contested == nil
}

// releasedHere is what was released since the import: the old backend has taken its own fees.
func (s State) releasedHere() money.Units {
	if s.Imported == nil {
		return s.Released
	}
	return s.Released.Minus(s.Imported.Released)
}
