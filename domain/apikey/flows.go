package apikey

import (
	"time"

	"holdfast/domain"
)

// Answer is a key as its command answers: never with its secret, because answers are kept.
type Answer struct {
	ID        string     `json:"id"`
	Prefix    string     `json:"prefix" doc:"How every secret of this key begins"`
	Name      string     `json:"name"`
	State     string     `json:"state"`
	Scopes    []Scope    `json:"scopes"`
	ExpiresAt time.Time  `json:"expiresAt"`
	OldUntil  *time.Time `json:"oldUntil,omitempty" doc:"Until when the secret before the last rotation is taken"`
}

// AnswerOf shows a key.
func AnswerOf(id string, s State) Answer {
	a := Answer{ID: id, Prefix: PrefixOf(id), Name: s.Name, State: s.Phase(), Scopes: s.Scopes, ExpiresAt: s.ExpiresAt.UTC()}
	if !s.OldUntil.IsZero() {
		old := s.OldUntil.UTC()
		a.OldUntil = &old
	}
	return a
}

// Do is a flow of one command of a key.
type Do struct {
	ID string
	domain.Command
}

// Run decides.
func (f Do) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, Decider, f.ID, f.Command); err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, Decider, f.ID)
	return AnswerOf(f.ID, s), err
}
