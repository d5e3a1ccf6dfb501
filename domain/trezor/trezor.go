package trezor

import (
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Refusals of a hardware wallet.
var (
	ErrProof        = fault.New(fault.Rule, "PROOF_INVALID", "the signature does not show that you hold this account's key")
	ErrNonceUsed    = fault.New(fault.Conflict, "NONCE_USED", "this message was used already; ask for another")
	ErrExpired      = fault.New(fault.Conflict, "OPERATION_EXPIRED", "the message has expired; ask for another")
	ErrPath         = fault.New(fault.Rule, "PATH_MISMATCH", "account key, path and address do not belong together")
	ErrAccountTaken = fault.New(fault.Conflict, "ACCOUNT_REGISTERED", "this account is registered already")
	ErrSignature    = fault.New(fault.Unauthenticated, "INVALID_WALLET_SIGNATURE", "the signature is not that of the registered wallet over this message")
)

// The phases.
const (
	None  = "None"
	Known = "Registered"
)

// Given is an address that was given out.
type Given struct {
	Index   uint32           `json:"index"`
	Path    string           `json:"path"`
	Address string           `json:"address"`
	Purpose string           `json:"purpose"`
	Payment domain.PaymentID `json:"payment,omitempty"`
}

// State is a person's wallet. Next never goes back, also when an account is removed and comes again: an
// address is given out once.
type State struct {
	Account *Registered `json:"account,omitempty"`
	// Away is one that had been put away when it was imported.
	Away      *Registered `json:"away,omitempty"`
	Addresses []Given     `json:"addresses,omitempty"` // of the present account
	// Next is the first index that was never given out, of each account that was ever registered.
	Next map[string]uint32 `json:"next,omitempty"`
	// Began: something has happened. Legacy is that of the import, if it was one.
	Began  bool            `json:"began,omitempty"`
	Legacy domain.Snapshot `json:"legacy,omitzero"`
	// Document is the ObjectId that was imported: a person has one.
	Document string `json:"document,omitempty"`
}

// Phase names how it stands.
func (s State) Phase() string {
	if s.Account == nil {
		return None
	}
	return Known
}

// Decider is the wallet of one person; its stream's id is the user's.
var Decider = domain.Decider[State, Event]{Category: "trezor", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	snapshot := s.Legacy.After(e)
	s = evolve(s, e)
	s.Legacy, s.Began = snapshot, true
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(s, e)
	case Registered:
		s.Account, s.Away, s.Addresses = &e, nil, nil
	case Removed:
		s.Account, s.Addresses = nil, nil
	case AddressIssued:
		s.Addresses = append(slices.Clone(s.Addresses), Given{Index: e.Index, Path: e.Path, Address: e.Address, Purpose: e.Purpose, Payment: e.Payment})
		next := map[string]uint32{}
		for k, v := range s.Next {
			next[k] = v
		}
		next[s.Account.Fingerprint] = e.Index + 1
		s.Next = next
	}
	return s
}

// Table is the wallet's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	everybody := []domain.Capacity{domain.Buyer, domain.Seller, domain.Admin, domain.Resolver, domain.Guard}
	return machine.Table[State, Event]{
		Name: "Trezor", Phases: []string{None, Known}, Phase: State.Phase,
		As: func(_ State, a domain.Actor) []domain.Capacity { return a.Roles },
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{None}, By: everybody, To: []string{Known},
				Guard:  "signed by 0/0 of the account → PROOF_INVALID; in time → OPERATION_EXPIRED; once → NONCE_USED; an account is one person's → ACCOUNT_REGISTERED",
				Events: []string{"trezor.registered"},
			}, register),
			machine.On(line{
				From: []string{None, Known}, By: []domain.Capacity{domain.Import}, To: []string{None, Known}, Aside: true,
				Guard:  "the same document again is no news; one that was changed here as well → LEGACY_CONFLICT; 0/0 of the account is the address → PATH_MISMATCH; an account is one person's → ACCOUNT_REGISTERED",
				Events: []string{"trezor.imported"},
			}, importWallet),
			machine.On(line{From: []string{Known}, By: everybody, To: []string{None}, Events: []string{"trezor.removed"}}, remove),
			machine.On(line{
				From: []string{Known}, By: everybody, To: []string{Known},
				Guard: "the same payment gets the same address; an index is given out once", Events: []string{"trezor.address_issued"},
			}, issue),
			machine.On(line{
				From: []string{Known}, By: []domain.Capacity{domain.Admin}, To: []string{Known},
				Guard:  "by the registered key → INVALID_WALLET_SIGNATURE; in time → OPERATION_EXPIRED; once → NONCE_USED",
				Events: []string{"trezor.operation_signed"},
			}, signOperation),
		},
		Refuse: func(s State, c domain.Command) error {
			if _, again := c.(Register); again {
				return ErrAccountTaken
			}
			return fault.ErrNotFound
		},
	}
}

func register(_ State, c Register) ([]Event, error) {
	switch {
	case !c.By.Is(c.Challenge.User):
		return nil, ErrProof.Because("the message was made for another user")
	case !c.At.Before(c.Challenge.Expires):
		return nil, ErrExpired
	case !strings.EqualFold(c.Signer, c.Address):
		return nil, ErrProof
	}
	user := c.By.User()
	return []Event{Registered{
		User: user, XPub: domain.About(user, c.XPub), Fingerprint: c.Fingerprint, Address: c.Address, BasePath: c.BasePath,
		Label: domain.About(user, c.Label), Nonce: c.Challenge.Nonce, At: c.At,
	}}, nil
}

func remove(s State, c Remove) ([]Event, error) {
	return []Event{Removed{User: s.Account.User, Fingerprint: s.Account.Fingerprint, By: c.By}}, nil
}

// issue leaves 0/0 alone: it is the address that proved the account.
func issue(s State, c IssueAddress) ([]Event, error) {
	for _, a := range s.Addresses {
		if c.Payment != "" && a.Payment == c.Payment {
			return nil, nil
		}
	}
	index := max(s.Next[s.Account.Fingerprint], 1)
	address, path, err := c.Derive(s.Account.XPub.Text, index)
	if err != nil {
		return nil, err
	}
	return []Event{AddressIssued{Index: index, Path: s.Account.BasePath + "/" + path, Address: address, Purpose: c.Purpose, Payment: c.Payment, At: c.At}}, nil
}

func signOperation(s State, c SignOperation) ([]Event, error) {
	switch {
	case !strings.EqualFold(c.Signer, s.Account.Address):
		return nil, ErrSignature
	case !c.At.Before(c.Expires):
		return nil, ErrExpired
	}
	return []Event{OperationSigned{
		Operation: c.Operation, Kind: c.Kind, Target: c.Target, Digest: c.Digest, Signature: c.Signature, Address: s.Account.Address, At: c.At,
	}}, nil
}

// Aggregate registers the wallet with the log. Nonces and operations are claimed for ever; an
// account until it is removed.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events:   []domain.Event{Registered{}, Removed{}, AddressIssued{}, OperationSigned{}, Imported{}},
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			switch e := e.(type) {
			case Registered:
				return []domain.Claim{
					{Name: "trezor-nonce:" + e.Nonce, Once: true, Taken: ErrNonceUsed},
					{Name: "trezor-account:" + e.Fingerprint, Taken: ErrAccountTaken},
				}
			case Removed:
				return []domain.Claim{{Name: "trezor-account:" + e.Fingerprint, Free: true}}
			case Imported:
				return []domain.Claim{{Name: "trezor-account:" + e.Fingerprint, Free: !e.Active, Taken: ErrAccountTaken}}
			case OperationSigned:
				return []domain.Claim{{Name: "trezor-operation:" + e.Operation, Once: true, Taken: ErrNonceUsed}}
			}
			return nil
		},
	}
}
