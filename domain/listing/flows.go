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
	// RestartRequired: what changed is in force after the service was started again. Tokens and
	// payment contracts, and a chain that was not watched before, are in force at once.
	RestartRequired bool `json:"restartRequired"`
}

// Decide is the flow of the commands of one listing: all of them or none.
type Decide struct {
	Decision
	Floor    uint64
	Commands []domain.Command
	Restart  bool
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
	return Answer{ChainID: f.Chain, State: s.Phase(), Chain: c, RestartRequired: f.Restart}, nil
}
