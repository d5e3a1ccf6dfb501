package scenariotest

import (
	"fmt"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/points"
)

// The commands of the platform's own books: capital, gas, sweeps, points, solvency.

func (p *player) treasury(name string, row Row) {
	l := row.Lines[0]
	entry := funding.Entry{Issue: p.By(admin), Approver: admin2, Ref: fmt.Sprint("row ", p.n), Amount: money.Of(l.Asset, l.Amount), Reason: "scenario"}
	switch name {
	case "PlatformCapitalContributed":
		p.Do(funding.ContributeCapital{Entry: entry, Custody: l.Dr})
	case "PlatformCapitalWithdrawn":
		p.Do(funding.WithdrawCapital{Entry: entry, Custody: l.Cr})
	case "NetworkFeeIncurred":
		p.Do(funding.RecordNetworkFee{Entry: entry, Chain: id(l.Cr), Purpose: row.Note})
	case "GasFunded":
		p.Do(funding.FundGas{Entry: entry, Chain: id(l.Dr), Source: l.Cr})
	case "GoodwillGranted":
		p.Do(funding.GrantGoodwill{Entry: entry, Buyer: domain.UserID(id(l.Cr))})
	case "BreakageRecognized":
		p.Do(funding.RecognizeBreakage{Entry: entry, Source: l.Dr})
	case "CustodyVarianceRecorded":
		f := funding.RecordCustodyVariance{Entry: entry, Custody: l.Dr}
		if l.Dr == ledger.ChainLoss {
			f.Custody, f.Loss = l.Cr, true
		}
		p.Do(f)
	case "OpeningBalanceRecorded":
		f := funding.RecordOpeningBalance{Entry: entry, Migration: id(l.Cr), Account: l.Dr}
		if is(l.Dr, "equity:opening", "") {
			f.Migration, f.Account = id(l.Dr), l.Cr
		}
		p.Do(f)
	}
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
	p.Do(Act(points.Decider, id(user), points.Move{
		Issue: p.By(by), Kind: kind, User: domain.UserID(id(user)),
		Ref: fmt.Sprint("row ", p.n), Points: p.amount(row).Units, Reason: "scenario",
	}))
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
	switch name {
	case "SweepBroadcast":
		p.Do(funding.BroadcastSweep{Issue: p.By(system), Destination: at, Sweep: sweep, Amount: p.amount(row), Tx: "0x" + string(sweep), Nonce: uint64(p.n)})
	case "SweepConfirmed":
		p.Do(funding.ConfirmSweep{Issue: p.By(chain), Destination: at, Sweep: sweep, Block: uint64(2000 + p.n)})
	case "SweepFailed":
		p.Do(funding.FailSweep{Issue: p.By(chain), Destination: at, Sweep: sweep, Code: "REVERTED"})
	case "SweepReorged":
		p.Do(funding.ReorgSweep{Issue: p.By(chain), Destination: at, Sweep: sweep})
	}
}

// solvency tells the breaker what the books say of the scenario's asset.
func (p *player) solvency(name string) {
	asset := p.scenario.Events[0].Lines[0].Asset
	by := p.By(system)
	switch name {
	case "SolvencyBreached", "SolvencyRestored":
		p.Do(funding.RecordSolvency{Issue: by, Asset: asset, Solvent: name == "SolvencyRestored", Custody: "0", Liabilities: "0"})
	case "AssetPaused":
		p.Do(funding.PauseAsset{Issue: p.By(admin), Asset: asset, Reason: "scenario"})
	case "AssetResumed":
		p.Do(funding.ResumeAsset{Issue: p.By(admin), Asset: asset, Reason: "scenario"})
	}
}
