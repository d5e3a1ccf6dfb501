package listing

import (
	"holdfast/domain"
	"holdfast/domain/network"
)

// Answer is what the flow of a listing answers: the chain as it is from now on.
type Answer struct {
	ChainID uint64        `json:"chainId"`
	State   string        `json:"state" enum:"Untouched,Enabled,Disabled"`
	Chain   network.Chain `json:"network"`
}

// Decide is the flow of the commands of one listing: all of them or none.
type Decide struct {
	Decision
	Floor    uint64
	Commands []domain.Command
}

// Run decides.
func (f Decide) Run(u *domain.Unit) (any, error) {
	for _, c := range f.Commands {
		if _, err := domain.Do(u, Decider, ID(f.Chain), c); err != nil {
			return nil, err
		}
	}
	s, err := domain.StateOf(u, Decider, ID(f.Chain))
	if err != nil {
		return nil, err
	}
	c, _ := s.Over(f.Chain, f.Base, f.Floor)
	return Answer{ChainID: f.Chain, State: s.Phase(), Chain: c}, nil
}
