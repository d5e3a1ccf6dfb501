package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/projections/sweepview"
)

// Sweeping prepares sweeps for the signer that is configured, and sends what it signed.
type Sweeping interface {
	// Mode says which signer is in force: build-only, safe, hardware, local.
	Mode() string
	// Prepare looks up what may be swept now; nothing is kept of it.
	Prepare(ctx context.Context, w sweepplan.Wish) (sweepplan.Planned, []sweepplan.Left, error)
	// Read decodes a signed transaction; Keep stores it, so that it can be sent again.
	Read(raw string) (outgoing.Signed, error)
	Keep(ctx context.Context, txs []outgoing.Signed) error
	// Ready refuses what the chain would refuse, Send hands over what the log knows of.
	Ready(ctx context.Context, plan sweepplan.State, txs []outgoing.Signed) error
	Send(ctx context.Context, plan sweepplan.State, txs []outgoing.Signed) error
	// Executed verifies that a transaction of a Safe's owners did what a proposal says.
	Executed(ctx context.Context, w sweepplan.Sweep, tx string) error
	// Settled gives the flow that books the end of a sweep; NOT_FINAL when it has none yet.
	Settled(ctx context.Context, s sweepview.Sweep) (funding.SettleSweep, error)
}

// ChainBalance is what a chain said of an address, beside what the books said at that moment.
type ChainBalance struct {
	Asset    money.Asset
	Found    money.Units
	Booked   string // a whole number; a fact may have taken it below zero
	LookedAt time.Time
}

// SweepBooks compares derived addresses with the chain.
type SweepBooks interface {
	// Look asks the chain now, for every asset that may stand on the address; Looked gives the
	// last answers.
	Look(ctx context.Context, d destination.State, chain uint64) ([]ChainBalance, error)
	Looked(ctx context.Context, d domain.DestinationID) ([]ChainBalance, error)
	Health(ctx context.Context) (SweepHealth, error)
}

// SweepHealth says whether derived addresses can be given out and swept.
type SweepHealth struct {
	Signer      string `json:"signer" doc:"build-only, safe, hardware or local"`
	SignerReady bool   `json:"signerReady"`
	Fingerprint string `json:"xpubFingerprint"`
	// Matches: the addresses in the log are those of the configured key.
	Matches    bool        `json:"addressesMatch" doc:"The first and the last address that were given out are those of the configured key"`
	First      string      `json:"firstAddress" doc:"0/0 of the configured key, to compare with the device"`
	Treasury   string      `json:"treasury"`
	GasWallet  string      `json:"gasWallet"`
	Gas        []GasWallet `json:"gas"`
	LastIndex  *uint32     `json:"lastIndex" doc:"Null before the first"`
	Given      int         `json:"given" doc:"Addresses given out"`
	Holes      int         `json:"holes" doc:"Indexes below the last that nobody has: none, unless rows were lost"`
	Gap        int         `json:"gap" doc:"Longest run of addresses that never got money; wallets stop to look after 20"`
	GapTooLong bool        `json:"gapTooLong"`
}

// GasWallet is how much native coin a chain's gas address holds.
type GasWallet struct {
	Chain   uint64       `json:"chainId"`
	Balance money.Amount `json:"balance"`
	Error   string       `json:"error,omitempty"`
}

// SweepRun is one run of the schedule.
type SweepRun struct {
	ID         string          `json:"id"`
	Actor      string          `json:"actor"`
	Dry        bool            `json:"dryRun"`
	StartedAt  time.Time       `json:"startedAt"`
	FinishedAt *time.Time      `json:"finishedAt,omitempty"`
	Report     json.RawMessage `json:"report,omitempty"`
}

// SweepRunner runs the schedule.
type SweepRunner interface {
	RunNow(ctx context.Context, by domain.Actor, dry bool, limit int) (sweepplan.Report, error)
	Runs(ctx context.Context, limit int) ([]SweepRun, error)
}
