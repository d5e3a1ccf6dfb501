package account

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// UserImported is a person as the old backend knew them. It may come again while nothing else has
// happened here, and replaces what it said before.
type UserImported struct {
	domain.Legacy
	User          domain.UserID     `json:"user"`
	Roles         []domain.Capacity `json:"roles"`
	Email         domain.Personal   `json:"email"`
	EmailKey      string            `json:"email_key,omitempty"`
	EmailVerified bool              `json:"email_verified,omitempty"`
	Name          domain.Personal   `json:"name"`
	LastName      domain.Personal   `json:"last_name"` // the end of Name, where they had two fields
	Method        Method            `json:"method"`
	Password      bool              `json:"password,omitempty"`
	SignIns       []SignIn          `json:"sign_ins,omitempty"`
	Suspended     bool              `json:"suspended,omitempty"`
	Deleted       bool              `json:"deleted,omitempty"`
	// Was and Gone are names that the document before had, and this one has not.
	Was  string   `json:"was,omitempty"`
	Gone []SignIn `json:"gone,omitempty"`
}

// EventType is its name for ever.
func (UserImported) EventType() string { return "user.imported" }
func (UserImported) user()             {}

// Import takes a document of the old backend.
type Import struct {
	domain.Issue
	Fact UserImported
}

func importing(s State, c Import) ([]Event, error) {
	e := c.Fact
	again, err := s.Legacy.Takes(s.User != "", e.Legacy)
	switch {
	case err != nil || again:
		return nil, err
	case e.User == "" || e.Method == "" || (e.Email.Text == "") != (e.EmailKey == ""):
		return nil, fault.ErrValidation.At("user", "an id, a method, and an address with its key are needed")
	}
	if err := checkRoles(e.Roles); err != nil {
		return nil, err
	}
	if s.EmailKey != e.EmailKey {
		e.Was = s.EmailKey
	}
	for _, i := range s.SignIns {
		if !slices.Contains(e.SignIns, i) {
			e.Gone = append(e.Gone, i)
		}
	}
	return []Event{e}, nil
}

func imported(s State, e UserImported) State {
	return State{
		User: e.User, Roles: e.Roles, EmailKey: e.EmailKey, Verified: e.EmailVerified, Password: e.Password, SignIns: e.SignIns,
		Suspended: e.Suspended, Erased: e.Deleted, Legacy: s.Legacy,
	}
}
