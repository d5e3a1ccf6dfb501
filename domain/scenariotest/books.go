package scenariotest

import (
	"fmt"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/destination"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/points"
	"holdfast/domain/treasury"
)

// The commands of the platform's own books: capital, gas, sweeps, points, solvency.

func (p *player) treasury(name string, row Row) {
	l := row.Lines[0]
	entry := treasury.Entry{Ref: fmt.Sprint("row ", p.n), Amount: money.Of(l.Asset, l.Amount), By: admin, Approver: admin2, Reason: "scenario"}
	var e treasury.Event
	switch name {
	case "PlatformCapitalContributed":
		e = treasury.CapitalContributed{Entry: entry, Custody: l.Dr}
	case "PlatformCapitalWithdrawn":
		e = treasury.CapitalWithdrawn{Entry: entry, Custody: l.Cr}
	case "NetworkFeeIncurred":
		e = treasury.NetworkFeeIncurred{Entry: entry, Chain: id(l.Cr), Purpose: row.Note}
	case "GasFunded":
		e = treasury.GasFunded{Entry: entry, Chain: id(l.Dr), Source: l.Cr}
	case "GoodwillGranted":
		e = treasury.GoodwillGranted{Entry: entry, Buyer: domain.UserID(id(l.Cr))}
	case "BreakageRecognized":
		e = treasury.BreakageRecognized{Entry: entry, Source: l.Dr}
	case "CustodyVarianceRecorded":
		loss := l.Dr == ledger.ChainLoss
		at := l.Dr
		if loss {
			at = l.Cr
		}
		e = treasury.CustodyVarianceRecorded{Entry: entry, Custody: at, Loss: loss}
	case "OpeningBalanceRecorded":
		at, other := l.Dr, l.Cr
		if is(at, "equity:opening", "") {
			at, other = other, at
		}
		e = treasury.OpeningBalanceRecorded{Entry: entry, Migration: id(other), Account: at}
	}
	p.Do(Act(treasury.Decider, string(l.Asset), treasury.Book{Issue: p.By(admin), Approver: admin2, Event: e}))
}

func (p *player) points(name string, row Row) {
	l := row.Lines[0]
	user := l.Cr
	if is(l.Dr, "points:user", "") {
		user = l.Dr
	}
	kind := map[string]points.Kind{
		"PointsEarned": points.Earn, "PointsGranted": points.Grant, "PointsRedeemed": points.Redeem, "PointsExpired": points.Expire,
		"PointsDeducted": points.Deduct, "PointsReversed": points.Reverse,
	}[name]
	by := system
	if kind == points.Grant || kind == points.Deduct {
		by = admin
	}
	p.Do(Act(points.Decider, id(user), points.Move{Issue: p.By(by), Kind: kind, User: domain.UserID(id(user)),
		Ref: fmt.Sprint("row ", p.n), Points: p.amount(row).Units, Reason: "scenario"}))
}

// sweepOf finds a sweep and its destination; a row of a reorganised sweep names only one of
// them, so the scenario's other rows are asked.
func (p *player) sweepOf(row Row) (sweep domain.SweepID, at domain.DestinationID) {
	for _, r := range append([]Row{row}, p.scenario.Events[:p.n]...) {
		for _, l := range r.Lines {
			for _, a := range []ledger.Account{l.Dr, l.Cr} {
				if is(a, "custody:in_transit", "") && sweep == "" {
					sweep = domain.SweepID(id(a))
				}
				if is(a, "custody:derived", "") && at == "" {
					at = domain.DestinationID(id(a))
				}
			}
		}
		if sweep != "" && at == "" || sweep == "" && at != "" {
			continue
		}
		if sweep != "" {
			return sweep, p.destinationOf(sweep, at)
		}
	}
	return sweep, at
}

// destinationOf is where a sweep was broadcast from.
func (p *player) destinationOf(sweep domain.SweepID, otherwise domain.DestinationID) domain.DestinationID {
	for _, r := range p.scenario.Events {
		if r.Event == "SweepBroadcast" && r.Lines[0].Dr == ledger.InTransit(sweep) {
			return domain.DestinationID(id(r.Lines[0].Cr))
		}
	}
	return otherwise
}

func (p *player) sweeps(name string, row Row) {
	sweep, at := p.sweepOf(row)
	var c domain.Command
	switch name {
	case "SweepBroadcast":
		c = destination.Broadcast{Issue: p.By(system), Sweep: sweep, Amount: p.amount(row), Tx: "0x" + string(sweep), Nonce: uint64(p.n)}
	case "SweepConfirmed":
		c = destination.Confirm{Issue: p.By(chain), Sweep: sweep, Block: uint64(2000 + p.n)}
	case "SweepFailed":
		c = destination.Fail{Issue: p.By(chain), Sweep: sweep, Code: "REVERTED"}
	case "SweepReorged":
		c = destination.Reorg{Issue: p.By(chain), Sweep: sweep}
	}
	p.Do(Act(destination.Decider, string(at), c))
}

// solvency tells the breaker what the books say of the scenario's asset.
func (p *player) solvency(name string, row Row) {
	asset := p.scenario.Events[0].Lines[0].Asset
	by := p.By(system)
	var c domain.Command
	switch name {
	case "SolvencyBreached", "SolvencyRestored":
		c = breaker.RecordSolvency{Issue: by, Asset: asset, Solvent: name == "SolvencyRestored", Custody: "0", Liabilities: "0"}
	case "AssetPaused":
		c = breaker.Pause{Issue: p.By(admin), Asset: asset, Reason: row.Note + " "}
	case "AssetResumed":
		c = breaker.Resume{Issue: p.By(admin), Asset: asset, Reason: row.Note + " "}
	}
	p.Do(Act(breaker.Decider, string(asset), c))
}
