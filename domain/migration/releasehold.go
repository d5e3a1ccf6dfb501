package migration

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/payment"
)

// ReleaseHold is a document of releaseholds.
type ReleaseHold struct {
	Found
	Payment, Request       string // one of them may be missing
	Type, Reason, Status   string
	PlacedBy, ReleasedBy   string // ObjectIds of users; empty for the old backend itself
	ReleasedAt             time.Time
	ReleaseReason, HoldRef string // HoldRef is an escrowholds document of ours
}

// holdKinds are the old types of release holds.
var holdKinds = map[string]escrow.HoldKind{"dispute": escrow.DisputeHold, "aml": escrow.AMLHold, "manual": escrow.AdminHold, "admin": escrow.AdminHold, "guard": escrow.GuardHold}

// HoldTypes are the types of release holds that are understood, for the decoder.
func HoldTypes() []string { return []string{"dispute", "aml", "manual", "admin", "guard"} }

// ErrNoHold: there is no money of this order to stop or to argue about.
var ErrNoHold = fault.New(fault.Rule, "LEGACY_NO_HOLD", "no payment of this order was imported")

// TakeReleaseHold takes a document of releaseholds. Errors: LEGACY_NO_HOLD, LEGACY_CONFLICT.
type TakeReleaseHold struct {
	domain.Issue
	Document ReleaseHold
	Names    Names
}

// Run decides.
func (f TakeReleaseHold) Run(u *domain.Unit) (any, error) {
	d := f.Document
	hold, err := holdOf(u, f.Names, d.Payment, d.Request)
	if err != nil {
		return nil, err
	}
	e := escrow.ReleaseHoldImported{
		Document: d.Legacy, Payment: domain.PaymentID(f.Names(Payments, d.Payment)), ID: ID(ReleaseHolds, d.ObjectID), Kind: holdKinds[d.Type], Word: d.Type, Reason: d.Reason, Active: d.Status == "active",
		PlacedBy: f.person(d.PlacedBy), PlacedAt: d.CreatedAt, LiftedReason: d.ReleaseReason, LiftedAt: some(d.ReleasedAt),
	}
	if !e.Active && d.ReleasedBy != "" {
		by := f.person(d.ReleasedBy)
		e.LiftedBy = &by
	}
	_, err = domain.Do(u, escrow.Decider, string(hold), escrow.ImportReleaseHold{Issue: Import(f.Issue), Fact: e})
	return nil, err
}

func (f TakeReleaseHold) person(objectID string) domain.Actor {
	if objectID == "" {
		return domain.Machine(domain.Import, "legacy")
	}
	return domain.User(domain.UserID(f.Names(Users, objectID)))
}

// holdOf finds the hold of a payment, or of an order.
func holdOf(u *domain.Unit, names Names, paid, request string) (domain.HoldID, error) {
	id := HoldID(request)
	if paid != "" {
		p, err := domain.StateOf(u, payment.Decider, names(Payments, paid))
		if err != nil {
			return "", err
		}
		if p.ID != "" {
			id = p.Hold
		}
	}
	h, err := domain.StateOf(u, escrow.Decider, string(id))
	if err == nil && h.ID == "" {
		err = ErrNoHold
	}
	return id, err
}
