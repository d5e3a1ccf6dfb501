package trezor

import (
	"strings"
	"time"

	"holdfast/domain"
)

// Imported: a hardware wallet that was registered with the old backend. Its owner proved it there.
type Imported struct {
	domain.Legacy
	User        domain.UserID   `json:"user"`
	XPub        domain.Personal `json:"xpub"`
	Fingerprint string          `json:"fingerprint"`
	Address     string          `json:"address"` // of 0/0
	BasePath    string          `json:"base_path"`
	Label       domain.Personal `json:"label"`
	Addresses   []Given         `json:"addresses,omitempty"`
	Next        uint32          `json:"next"` // the first index that was never given out
	Active      bool            `json:"active"`
	At          time.Time       `json:"at"` // of the import
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "trezor.imported" }
func (Imported) trezor()           {}

// Import takes a wallet's document, or takes it again when it has changed. Errors: LEGACY_CONFLICT,
// ACCOUNT_REGISTERED, PATH_MISMATCH.
type Import struct {
	domain.Issue
	Fact Imported
	// Root is the address of 0/0, as the account's key gives it.
	Root string
}

func importWallet(s State, c Import) ([]Event, error) {
	e := c.Fact
	again, err := s.Legacy.Takes(s.Began, e.Legacy)
	switch {
	case err != nil || again:
		return nil, err
	case s.Document != "" && s.Document != e.ObjectID:
		return nil, domain.ErrLegacyConflict.Because("another wallet of this person was imported")
	case s.Account != nil && s.Account.Fingerprint != e.Fingerprint:
		return nil, domain.ErrLegacyConflict.Because("another account is registered")
	case e.Address == "":
		e.Address = c.Root
	case !strings.EqualFold(c.Root, e.Address):
		return nil, ErrPath
	}
	return []Event{e}, nil
}

// imported gives out no address below what the old backend has given out.
func imported(s State, e Imported) State {
	next := map[string]uint32{}
	for k, v := range s.Next {
		next[k] = v
	}
	next[e.Fingerprint] = max(next[e.Fingerprint], e.Next)
	account := &Registered{User: e.User, XPub: e.XPub, Fingerprint: e.Fingerprint, Address: e.Address, BasePath: e.BasePath, Label: e.Label, At: e.At}
	if e.Active {
		return State{Next: next, Account: account, Addresses: e.Addresses, Document: e.ObjectID}
	}
	return State{Next: next, Away: account, Addresses: e.Addresses, Document: e.ObjectID}
}
