package funding

import (
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
)

// PlanSweeps keeps a plan for a signer outside. Errors: SWEEP_IN_FLIGHT, NOTHING_TO_SWEEP,
// SWEEP_NOT_ALLOWED.
type PlanSweeps struct {
	domain.Issue
	Plan sweepplan.Planned
}

// Run decides. The destinations are read here once more: what was looked up before may have moved.
func (f PlanSweeps) Run(u *domain.Unit) (any, error) {
	for _, w := range f.Plan.Sweeps {
		d, err := domain.StateOf(u, destination.Decider, string(w.Destination))
		if err != nil {
			return nil, err
		}
		if err := d.Sweepable(w.Instruction.Amount); err != nil {
			return nil, err
		}
	}
	c := sweepplan.Plan{Issue: f.Issue, Planned: f.Plan}
	if _, err := domain.Do(u, sweepplan.Decider, string(f.Plan.Plan), c); err != nil {
		return nil, err
	}
	return domain.StateOf(u, sweepplan.Decider, string(f.Plan.Plan))
}

// ExpireSweepPlan ends a plan that was not signed in time.
type ExpireSweepPlan struct {
	domain.Issue
	Plan sweepplan.ID
}

// Run decides.
func (f ExpireSweepPlan) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, sweepplan.Decider, string(f.Plan), sweepplan.Expire{Issue: f.Issue}); err != nil {
		return nil, err
	}
	return swept(u, f.Plan)
}

// SweptAnswer is what became of a plan.
type SweptAnswer struct {
	Plan   sweepplan.ID  `json:"plan"`
	State  string        `json:"state"`
	Sweeps []SweepTx     `json:"sweeps"`
	TopUps []SweepTx     `json:"topUps"`
	Chain  uint64        `json:"chain"`
	By     domain.UserID `json:"by,omitempty"`
	Signer string        `json:"signer"`
}

// SweepTx is a transaction of a plan that is in the log.
type SweepTx struct {
	Sweep       domain.SweepID       `json:"sweep,omitempty"`
	Destination domain.DestinationID `json:"destination"`
	Tx          string               `json:"tx"`
}

// RecordSweeps takes signed transactions of a plan into the log, all or none, before any of them
// is sent. Errors: INSTRUCTION_MISMATCH, PLAN_EXPIRED, SWEEP_IN_FLIGHT, NOTHING_TO_SWEEP,
// SWEEP_NOT_ALLOWED.
type RecordSweeps struct {
	domain.Issue
	Plan sweepplan.ID
	Txs  []outgoing.Signed
}

// Run decides.
func (f RecordSweeps) Run(u *domain.Unit) (any, error) {
	plan, err := planOf(u, f.Plan)
	if err != nil {
		return nil, err
	}
	for _, tx := range f.Txs {
		events, err := domain.Do(u, sweepplan.Decider, string(f.Plan), sweepplan.Sign{Issue: f.Issue, Tx: tx})
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			signed, ok := e.(sweepplan.SweepSigned)
			if !ok {
				continue
			}
			w, _ := plan.Find(signed.Sweep)
			if err := broadcast(u, f.Issue, w, signed.Tx, tx.Nonce, tx.Raw); err != nil {
				return nil, err
			}
		}
	}
	return swept(u, f.Plan)
}

// ExecuteSweep takes a sweep into the log that the owners of the Safe have executed; the caller
// has seen it on the chain. Errors: SWEEP_NOT_FOUND, SWEEP_IN_FLIGHT, NOTHING_TO_SWEEP.
type ExecuteSweep struct {
	domain.Issue
	Plan  sweepplan.ID
	Sweep domain.SweepID
	Tx    string
}

// Run decides.
func (f ExecuteSweep) Run(u *domain.Unit) (any, error) {
	plan, err := planOf(u, f.Plan)
	if err != nil {
		return nil, err
	}
	events, err := domain.Do(u, sweepplan.Decider, string(f.Plan), sweepplan.Execute{Issue: f.Issue, Sweep: f.Sweep, Tx: f.Tx})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 { // told twice
		return swept(u, f.Plan)
	}
	w, _ := plan.Find(f.Sweep)
	if err := broadcast(u, f.Issue, w, outgoing.NormalHash(f.Tx), 0, ""); err != nil {
		return nil, err
	}
	return swept(u, f.Plan)
}

func planOf(u *domain.Unit, id sweepplan.ID) (sweepplan.State, error) {
	plan, err := domain.StateOf(u, sweepplan.Decider, string(id))
	if err == nil && plan.Plan == "" {
		err = fault.ErrNotFound
	}
	return plan, err
}

func broadcast(u *domain.Unit, i domain.Issue, w sweepplan.Sweep, tx string, nonce uint64, raw string) error {
	_, err := onDestination(u, w.Destination, destination.Broadcast{Issue: i, Sweep: w.ID, Amount: w.Instruction.Amount, Tx: tx, Nonce: nonce, Raw: raw})
	return err
}

func swept(u *domain.Unit, id sweepplan.ID) (SweptAnswer, error) {
	plan, err := planOf(u, id)
	a := SweptAnswer{Plan: id, State: plan.Phase(), Chain: plan.Chain, Signer: plan.Signer, By: plan.By.User(), Sweeps: []SweepTx{}, TopUps: []SweepTx{}}
	for _, w := range plan.Sweeps {
		if tx := plan.Signed[w.ID]; tx != "" {
			a.Sweeps = append(a.Sweeps, SweepTx{Sweep: w.ID, Destination: w.Destination, Tx: tx})
		}
	}
	for _, t := range plan.TopUps {
		if tx := plan.ToppedUp[t.Destination]; tx != "" {
			a.TopUps = append(a.TopUps, SweepTx{Destination: t.Destination, Tx: tx})
		}
	}
	return a, err
}

// SettleSweep notes that a sweep is final, together with what it cost.
type SettleSweep struct {
	ConfirmSweep
	Fee *RecordNetworkFee // nil: booked before, or free
}

// WitnessedBy says who saw it, and when.
func (f SettleSweep) WitnessedBy(i domain.Issue) SettleSweep {
	f.Issue = i
	if f.Fee != nil {
		fee := *f.Fee
		fee.Issue = i
		f.Fee = &fee
	}
	return f
}

// Run decides. A sweep that was final before has its fee booked, also when the chain has undone it
// since.
func (f SettleSweep) Run(u *domain.Unit) (any, error) {
	d, err := domain.StateOf(u, destination.Decider, string(f.Destination))
	if err != nil {
		return nil, err
	}
	before := d.Sweeps[f.Sweep].Status
	answer, err := f.ConfirmSweep.Run(u)
	if err != nil || f.Fee == nil || before == "confirmed" || before == "reorged" {
		return answer, err
	}
	_, err = f.Fee.Run(u)
	return answer, err
}

// RetireDestination ends the watch over an address that holds nothing.
type RetireDestination struct {
	domain.Issue
	Destination domain.DestinationID
}

// Run decides.
func (f RetireDestination) Run(u *domain.Unit) (any, error) {
	return onDestination(u, f.Destination, destination.Retire{Issue: f.Issue})
}

// ChangeSweepSchedule sets how sweeps are planned without a person.
type ChangeSweepSchedule struct {
	domain.Issue
	Settings sweepschedule.Settings
}

// Run decides.
func (f ChangeSweepSchedule) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, sweepschedule.Decider, sweepschedule.Stream, sweepschedule.Change{Issue: f.Issue, Settings: f.Settings}); err != nil {
		return nil, err
	}
	return domain.StateOf(u, sweepschedule.Decider, sweepschedule.Stream)
}

// EndTopUp notes what became of gas that a plan sent to a destination, and books what it moved
// and what it cost. Errors: ALREADY_BOOKED.
type EndTopUp struct {
	domain.Issue
	Plan        sweepplan.ID
	Destination domain.DestinationID
	Outcome     string
	Moved       *TopUpGas         // nil when nothing arrived
	Fee         *RecordNetworkFee // nil when it cost nothing
}

// Run decides.
func (f EndTopUp) Run(u *domain.Unit) (any, error) {
	c := sweepplan.EndTopUp{Issue: f.Issue, Destination: f.Destination, Outcome: f.Outcome}
	events, err := domain.Do(u, sweepplan.Decider, string(f.Plan), c)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	if f.Moved != nil {
		if _, err := f.Moved.Run(u); err != nil {
			return nil, err
		}
	}
	if f.Fee != nil {
		if _, err := f.Fee.Run(u); err != nil {
			return nil, err
		}
	}
	return swept(u, f.Plan)
}
