package destination

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Event is something that happened to a destination.
type Event interface {
	domain.Event
	destination()
}

// Derived: the address of a path index below an xpub.
type Derived struct {
	Destination domain.DestinationID `json:"destination"`
	Fingerprint string               `json:"xpub_fingerprint"`
	Chain       uint64               `json:"chain"`
	Index       uint32               `json:"index"`
	Path        string               `json:"path"`
	Address     string               `json:"address"`
}

// Assigned to the one payment it will ever serve.
type Assigned struct {
	Payment domain.PaymentID `json:"payment"`
}

// Funded: confirmed money stands on it.
type Funded struct {
	Amount money.Amount `json:"amount"`
}

// Drained: the chain undid money that stood on it. The payment's event posts.
type Drained struct {
	Amount money.Amount `json:"amount"`
}

// SweepBroadcast: a signed sweep is recorded before it is sent. Posts.
type SweepBroadcast struct {
	Sweep       domain.SweepID       `json:"sweep"`
	Destination domain.DestinationID `json:"destination"`
	Amount      money.Amount         `json:"amount"`
	Tx          string               `json:"tx"`
	Nonce       uint64               `json:"nonce"`
	Raw         string               `json:"raw,omitempty"` // the signed transaction, to send it again after a crash
	At          time.Time            `json:"at"`
}

// SweepConfirmed: it is final. Posts. Again after a reorganisation it comes straight from the destination.
type SweepConfirmed struct {
	Sweep       domain.SweepID       `json:"sweep"`
	Destination domain.DestinationID `json:"destination"`
	Amount      money.Amount         `json:"amount"`
	// Tx carried it out; empty in events of older versions.
	Tx        string `json:"tx"`
	Block     uint64 `json:"block"`
	BlockHash string `json:"block_hash"`
	Again     bool   `json:"again,omitempty"`
}

// SweepFailed: it will never be mined, or it reverted. Posts.
type SweepFailed struct {
	Sweep       domain.SweepID       `json:"sweep"`
	Destination domain.DestinationID `json:"destination"`
	Amount      money.Amount         `json:"amount"`
	Code        string               `json:"code"`
}

// SweepReorged: the chain undid a confirmed sweep. Posts.
type SweepReorged struct {
	Sweep       domain.SweepID       `json:"sweep"`
	Destination domain.DestinationID `json:"destination"`
	Amount      money.Amount         `json:"amount"`
}

// SweepLost: a sweep that was undone will not come back, since another transaction has taken its
// nonce. The money was booked back when it was undone.
type SweepLost struct {
	Sweep domain.SweepID `json:"sweep"`
	Asset money.Asset    `json:"asset"`
	Code  string         `json:"code"`
}

// Quarantined: its money must not be moved.
type Quarantined struct {
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
}

// Released ends the quarantine.
type Released struct {
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
}

// Retired: it will not be watched any more; it is never used for another payment.
type Retired struct {
	By domain.Actor `json:"by"`
}

func (Derived) EventType() string        { return "destination.derived" }
func (Assigned) EventType() string       { return "destination.assigned" }
func (Funded) EventType() string         { return "destination.funded" }
func (Drained) EventType() string        { return "destination.drained" }
func (SweepBroadcast) EventType() string { return "destination.sweep_broadcast" }
func (SweepConfirmed) EventType() string { return "destination.sweep_confirmed" }
func (SweepFailed) EventType() string    { return "destination.sweep_failed" }
func (SweepReorged) EventType() string   { return "destination.sweep_reorged" }
func (SweepLost) EventType() string      { return "destination.sweep_lost" }
func (Quarantined) EventType() string    { return "destination.quarantined" }
func (Released) EventType() string       { return "destination.released" }
func (Retired) EventType() string        { return "destination.retired" }
func (Derived) destination()             {}
func (Assigned) destination()            {}
func (Funded) destination()              {}
func (Drained) destination()             {}
func (SweepBroadcast) destination()      {}
func (SweepConfirmed) destination()      {}
func (SweepFailed) destination()         {}
func (SweepReorged) destination()        {}
func (SweepLost) destination()           {}
func (Quarantined) destination()         {}
func (Released) destination()            {}
func (Retired) destination()             {}
