package trezor

import (
	"holdfast/domain"
)

// AccountAnswer is what the flows of a wallet answer.
type AccountAnswer struct {
	Address     string `json:"address,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	BasePath    string `json:"basePath,omitempty"`
	State       string `json:"state"`
}

func on(u *domain.Unit, user domain.UserID, c domain.Command) (State, error) {
	if _, err := domain.Do(u, Decider, string(user), c); err != nil {
		return State{}, err
	}
	return domain.StateOf(u, Decider, string(user))
}

func answer(s State, err error) (any, error) {
	a := AccountAnswer{State: s.Phase()}
	if s.Account != nil {
		a.Address, a.Fingerprint, a.BasePath = s.Account.Address, s.Account.Fingerprint, s.Account.BasePath
	}
	return a, err
}

// Run registers the wallet of whoever issues it. Errors: PROOF_INVALID, OPERATION_EXPIRED,
// NONCE_USED, ACCOUNT_REGISTERED.
func (c Register) Run(u *domain.Unit) (any, error) { return answer(on(u, c.By.User(), c)) }

// Run removes it. Errors: NOT_FOUND.
func (c Remove) Run(u *domain.Unit) (any, error) { return answer(on(u, c.By.User(), c)) }

// Run gives out an address. Errors: NOT_FOUND.
func (c IssueAddress) Run(u *domain.Unit) (any, error) {
	s, err := on(u, c.By.User(), c)
	if err != nil {
		return nil, err
	}
	for _, a := range s.Addresses {
		if c.Payment != "" && a.Payment == c.Payment {
			return a, nil
		}
	}
	return s.Addresses[len(s.Addresses)-1], nil
}

// OperationAnswer is what a signed operation answers.
type OperationAnswer struct {
	Operation string `json:"operationId"`
	Valid     bool   `json:"valid"`
}

// Run takes a signature. Errors: INVALID_WALLET_SIGNATURE, OPERATION_EXPIRED, NONCE_USED.
func (c SignOperation) Run(u *domain.Unit) (any, error) {
	_, err := on(u, c.By.User(), c)
	return OperationAnswer{Operation: c.Operation, Valid: err == nil}, err
}
