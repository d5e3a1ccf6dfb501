package destination

import (
	"maps"
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
	"holdfast/domain/money"
)

// Refusals of a destination.
var (
	ErrInFlight    = fault.New(fault.Conflict, "SWEEP_IN_FLIGHT", "a sweep of this asset is under way")
	ErrNothing     = fault.New(fault.Rule, "NOTHING_TO_SWEEP", "there is no confirmed money to sweep")
	ErrAssigned    = fault.New(fault.Conflict, "DESTINATION_ASSIGNED", "the destination serves another payment")
	ErrIndexUsed   = fault.New(fault.Conflict, "DERIVATION_CONFLICT", "this path index is in use")
	ErrSweep       = fault.New(fault.NotFound, "SWEEP_NOT_FOUND", "the destination knows no such sweep")
	ErrQuarantined = fault.New(fault.Conflict, "SWEEP_NOT_ALLOWED", "the destination is in quarantine")
)

// The phases.
const (
	DerivedPhase     = "Derived"
	AssignedPhase    = "Assigned"
	FundedPhase      = "Funded"
	SweepingPhase    = "Sweeping"
	SweptPhase       = "Swept"
	QuarantinedPhase = "Quarantined"
	RetiredPhase     = "Retired"
)

// Sweep is one transfer to the treasury.
type Sweep struct {
	Amount money.Amount `json:"amount"`
	Status string       `json:"status"` // broadcast, confirmed, failed, reorged
}

// State is what the rules need to know of a destination.
type State struct {
	ID            domain.DestinationID        `json:"id"`
	Address       string                      `json:"address"`
	Index         uint32                      `json:"index"`
	Payment       domain.PaymentID            `json:"payment,omitempty"`
	Balance       map[money.Asset]money.Units `json:"balance,omitempty"` // confirmed and not under way
	Short         map[money.Asset]money.Units `json:"short,omitempty"`
	Sweeps        map[domain.SweepID]Sweep    `json:"sweeps,omitempty"`
	IsQuarantined bool                        `json:"is_quarantined"`
	IsRetired     bool                        `json:"is_retired"`
	Legacy        domain.Snapshot             `json:"legacy,omitzero"` // of its import, if it was
}

// InFlight reports a sweep of the asset under way.
func (s State) InFlight(asset money.Asset) bool {
	for _, w := range s.Sweeps {
		if w.Status == "broadcast" && (asset == "" || w.Amount.Asset == asset) {
			return true
		}
	}
	return false
}

// Assets lists what ever stood on it, in order.
func (s State) Assets() []money.Asset {
	all := slices.Collect(maps.Keys(s.Balance))
	slices.Sort(all)
	return all
}

// Undone reports a sweep of the asset that the chain has undone and may carry out again.
func (s State) Undone(asset money.Asset) bool {
	for _, w := range s.Sweeps {
		if w.Status == "reorged" && w.Amount.Asset == asset {
			return true
		}
	}
	return false
}

// Sweepable refuses an amount that may not be swept now: money that is not confirmed, in
// quarantine, or under way already.
func (s State) Sweepable(a money.Amount) error {
	switch {
	case s.ID == "":
		return fault.ErrNotFound
	case s.IsQuarantined:
		return ErrQuarantined
	case s.InFlight(a.Asset):
		return ErrInFlight
	case a.IsZero() || s.Balance[a.Asset].Less(a.Units):
		return ErrNothing.With("have", s.Balance[a.Asset])
	}
	return nil
}

// Phase names how it stands.
func (s State) Phase() string {
	switch {
	case s.ID == "":
		return ""
	case s.IsRetired:
		return RetiredPhase
	case s.IsQuarantined:
		return QuarantinedPhase
	case s.InFlight(""):
		return SweepingPhase
	}
	for _, b := range s.Balance {
		if !b.IsZero() {
			return FundedPhase
		}
	}
	switch {
	case len(s.Sweeps) > 0:
		return SweptPhase
	case s.Payment != "":
		return AssignedPhase
	}
	return DerivedPhase
}

// Decider is the destination.
var Decider = domain.Decider[State, Event]{Category: "derived_destination", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	snapshot := s.Legacy.After(e)
	s = evolve(s, e)
	s.Legacy = snapshot
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(s, e)
	case OpeningMoved:
		s = s.moved(e.Amount, e.In)
	case Derived:
		s = State{ID: e.Destination, Address: e.Address, Index: e.Index}
	case Assigned:
		s.Payment = e.Payment
	case Funded:
		s = s.moved(e.Amount, true)
	case Drained:
		s = s.moved(e.Amount, false)
	case SweepBroadcast:
		s = s.moved(e.Amount, false).sweep(e.Sweep, e.Amount, "broadcast")
	case SweepConfirmed:
		if e.Again {
			s = s.moved(e.Amount, false)
		}
		s = s.sweep(e.Sweep, e.Amount, "confirmed")
	case SweepFailed:
		s = s.moved(e.Amount, true).sweep(e.Sweep, e.Amount, "failed")
	case SweepReorged:
		s = s.moved(e.Amount, true).sweep(e.Sweep, e.Amount, "reorged")
	case SweepLost:
		s = s.sweep(e.Sweep, s.Sweeps[e.Sweep].Amount, "failed")
	case Quarantined:
		s.IsQuarantined = true
	case Released:
		s.IsQuarantined = false
	case Retired:
		s.IsRetired = true
	}
	return s
}

// moved books what came or went. The chain undoes things in any order, so that for a while more
// may have gone than came: Short remembers it.
func (s State) moved(a money.Amount, in bool) State {
	s.Balance = maps.Clone(s.Balance)
	if s.Balance == nil {
		s.Balance = map[money.Asset]money.Units{}
	}
	plus, minus := s.Balance[a.Asset], s.Short[a.Asset]
	if in {
		plus = plus.Plus(a.Units)
	} else {
		minus = minus.Plus(a.Units)
	}
	settled := plus.Min(minus)
	s.Balance[a.Asset] = plus.Minus(settled)
	if short := minus.Minus(settled); short != s.Short[a.Asset] {
		s.Short = maps.Clone(s.Short)
		if s.Short == nil {
			s.Short = map[money.Asset]money.Units{}
		}
		s.Short[a.Asset] = short
	}
	return s
}

func (s State) sweep(id domain.SweepID, a money.Amount, status string) State {
	s.Sweeps = maps.Clone(s.Sweeps)
	if s.Sweeps == nil {
		s.Sweeps = map[domain.SweepID]Sweep{}
	}
	s.Sweeps[id] = Sweep{Amount: a, Status: status}
	return s
}

// Table is the destination's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	live := []string{DerivedPhase, AssignedPhase, FundedPhase, SweepingPhase, SweptPhase, QuarantinedPhase, RetiredPhase}
	facts := []domain.Capacity{domain.Chain, domain.Process}
	return machine.Table[State, Event]{
		Name: "DerivedDestination", Phases: append([]string{""}, live...), Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: append([]string{""}, live...), By: []domain.Capacity{domain.Process, domain.Admin}, To: live,
				Guard: "an index is used once → DERIVATION_CONFLICT; the same again is a repeat", Events: []string{"destination.derived"},
			}, derive),
			machine.On(line{
				From: append([]string{""}, live...), By: []domain.Capacity{domain.Import}, To: live, Aside: true,
				Guard:  "the same document again is no news; one that was changed here as well → LEGACY_CONFLICT; address, index and payment stay → DERIVATION_CONFLICT, DESTINATION_ASSIGNED; no sweep is under way",
				Events: []string{"destination.imported"},
			}, importDestination),
			machine.On(line{
				From: live, By: []domain.Capacity{domain.Import}, To: live, Aside: true,
				Guard: "what is taken back is there → NOTHING_TO_SWEEP", Events: []string{"destination.opening_moved"},
			}, moveOpening),
			machine.On(line{
				From: live, By: []domain.Capacity{domain.Process}, To: live,
				Guard: "never to a second payment → DESTINATION_ASSIGNED", Events: []string{"destination.assigned"},
			}, assign),
			machine.On(line{From: live, By: facts, To: live, Events: []string{"destination.funded"}}, fund),
			machine.On(line{From: live, By: facts, To: live, Guard: "what the chain undid is never refused", Events: []string{"destination.drained"}},
				func(_ State, c Drain) ([]Event, error) { return []Event{Drained{Amount: c.Amount}}, nil }),
			machine.On(line{
				From: []string{FundedPhase, SweepingPhase}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{SweepingPhase},
				Guard:  "≤ confirmed balance → NOTHING_TO_SWEEP; one sweep an asset at a time → SWEEP_IN_FLIGHT",
				Events: []string{"destination.sweep_broadcast"},
			}, broadcast),
			machine.On(line{From: live, By: facts, To: live, Guard: "known → SWEEP_NOT_FOUND; a repeat changes nothing", Events: []string{"destination.sweep_confirmed"}}, confirm),
			machine.On(line{From: live, By: facts, To: live, Guard: "known → SWEEP_NOT_FOUND; a repeat changes nothing; one that was undone is lost", Events: []string{"destination.sweep_failed", "destination.sweep_lost"}}, fail),
			machine.On(line{From: live, By: facts, To: live, Guard: "known → SWEEP_NOT_FOUND; a repeat changes nothing", Events: []string{"destination.sweep_reorged"}}, reorg),
			machine.On(line{
				From: []string{AssignedPhase, FundedPhase, SweepingPhase, SweptPhase}, By: []domain.Capacity{domain.Admin, domain.Guard, domain.Process}, To: []string{QuarantinedPhase},
				Events: []string{"destination.quarantined"},
			}, quarantine),
			machine.On(line{From: []string{QuarantinedPhase}, By: []domain.Capacity{domain.Admin}, To: live, Events: []string{"destination.released"}}, release),
			machine.On(line{From: []string{DerivedPhase, AssignedPhase, SweptPhase}, By: []domain.Capacity{domain.Admin, domain.Process}, To: []string{RetiredPhase}, Events: []string{"destination.retired"}},
				func(_ State, c Retire) ([]Event, error) { return []Event{Retired{By: c.By}}, nil }),
		},
		Refuse: func(s State, c domain.Command) error {
			if _, sweeps := c.(Broadcast); sweeps {
				if s.IsQuarantined {
					return ErrQuarantined
				}
				return ErrNothing
			}
			return nil
		},
	}
}

func derive(s State, c Derive) ([]Event, error) {
	if s.ID != "" {
		if s.Address == c.Address && s.Index == c.Index {
			return nil, nil
		}
		return nil, ErrIndexUsed
	}
	return []Event{Derived{Destination: c.Destination, Fingerprint: c.Fingerprint, Chain: c.Chain, Index: c.Index, Path: c.Path, Address: c.Address}}, nil
}

func assign(s State, c Assign) ([]Event, error) {
	switch s.Payment {
	case c.Payment:
		return nil, nil
	case "":
		return []Event{Assigned{Payment: c.Payment}}, nil
	}
	return nil, ErrAssigned
}

func fund(_ State, c Fund) ([]Event, error) { return []Event{Funded{Amount: c.Amount}}, nil }

func broadcast(s State, c Broadcast) ([]Event, error) {
	if w, known := s.Sweeps[c.Sweep]; known && w.Status == "broadcast" {
		return nil, nil
	}
	if err := s.Sweepable(c.Amount); err != nil {
		return nil, err
	}
	return []Event{SweepBroadcast{Sweep: c.Sweep, Destination: s.ID, Amount: c.Amount, Tx: c.Tx, Nonce: c.Nonce, Raw: c.Raw, At: c.At}}, nil
}

func confirm(s State, c Confirm) ([]Event, error) {
	w, known := s.Sweeps[c.Sweep]
	switch {
	case !known:
		return nil, ErrSweep
	case w.Status == "confirmed":
		return nil, nil
	}
	return []Event{SweepConfirmed{Sweep: c.Sweep, Destination: s.ID, Amount: w.Amount, Tx: c.Tx, Block: c.Block, BlockHash: c.BlockHash, Again: w.Status != "broadcast"}}, nil
}

func fail(s State, c Fail) ([]Event, error) {
	w, known := s.Sweeps[c.Sweep]
	switch {
	case !known:
		return nil, ErrSweep
	case w.Status == "reorged":
		return []Event{SweepLost{Sweep: c.Sweep, Asset: w.Amount.Asset, Code: c.Code}}, nil
	case w.Status != "broadcast":
		return nil, nil
	}
	return []Event{SweepFailed{Sweep: c.Sweep, Destination: s.ID, Amount: w.Amount, Code: c.Code}}, nil
}

func reorg(s State, c Reorg) ([]Event, error) {
	w, known := s.Sweeps[c.Sweep]
	switch {
	case !known:
		return nil, ErrSweep
	case w.Status != "confirmed":
		return nil, nil
	}
	return []Event{SweepReorged{Sweep: c.Sweep, Destination: s.ID, Amount: w.Amount}}, nil
}

func quarantine(_ State, c Quarantine) ([]Event, error) {
	if c.Reason == "" {
		return nil, fault.ErrValidation.At("reason", "is required")
	}
	return []Event{Quarantined{By: c.By, Reason: c.Reason}}, nil
}

func release(_ State, c Release) ([]Event, error) {
	if c.Reason == "" {
		return nil, fault.ErrValidation.At("reason", "is required")
	}
	return []Event{Released{By: c.By, Reason: c.Reason}}, nil
}
