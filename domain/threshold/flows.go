package threshold

import (
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

// ID is the stream's id of a chain.
func ID(chain uint64) string { return strconv.FormatUint(chain, 10) }

// For gives the rule for a payment that is opened in the unit. Both streams are read in it, so
// a change that another process makes meanwhile makes the payment be decided again.
func For(u *domain.Unit, chain uint64, b Basis, due money.Units, at time.Time) (payment.Threshold, error) {
	r, err := inForce(u, chain, b, at)
	if err != nil {
		return payment.Threshold{}, err
	}
	return r.For(due, b.Decimals, b.Default.Floor), nil
}

func inForce(u *domain.Unit, chain uint64, b Basis, at time.Time) (Rule, error) {
	s, err := domain.StateOf(u, Decider, ID(chain))
	if err != nil {
		return Rule{}, err
	}
	g, err := domain.StateOf(u, breakglass.Decider, breakglass.Stream)
	return s.InForce(b.Default, g.Active(at)), err
}

// Answer is what the flows of a rule answer.
type Answer struct {
	ChainID uint64 `json:"chainId"`
	State   string `json:"state" enum:"Default,Set,Lowered"`
	Rule    Rule   `json:"rule"`
	Floor   uint64 `json:"floor"`
}

func answer(u *domain.Unit, chain uint64, b Basis, at time.Time) (any, error) {
	s, err := domain.StateOf(u, Decider, ID(chain))
	if err != nil {
		return nil, err
	}
	r, err := inForce(u, chain, b, at)
	return Answer{ChainID: chain, State: s.Phase(), Rule: r, Floor: b.Default.Floor}, err
}

// ChangeRule sets the rule of a chain. Errors: INVALID_THRESHOLD, OUT_OF_RANGE, BELOW_FLOOR,
// APPROVAL_REQUIRED, SELF_APPROVAL.
type ChangeRule struct{ Change }

// Run decides.
func (f ChangeRule) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, Decider, ID(f.Chain), f.Change); err != nil {
		return nil, err
	}
	return answer(u, f.Chain, Basis{Default: f.Default}, f.At)
}

// LowerRule sets it as long as the glass is broken, and notes that the glass was used. Errors
// as ChangeRule, and BREAK_GLASS_INACTIVE.
type LowerRule struct{ Lower }

// Run decides.
func (f LowerRule) Run(u *domain.Unit) (any, error) {
	c := f.Lower
	use := breakglass.Use{Issue: f.Issue, Power: breakglass.LowerThreshold, Object: ID(f.Chain), Reason: f.Reason}
	if _, err := domain.Do(u, breakglass.Decider, breakglass.Stream, use); err != nil {
		return nil, err
	}
	g, err := domain.StateOf(u, breakglass.Decider, breakglass.Stream)
	if err != nil {
		return nil, err
	}
	c.Session, c.Until = g.Session, g.Until
	if _, err := domain.Do(u, Decider, ID(f.Chain), c); err != nil {
		return nil, err
	}
	return answer(u, f.Chain, Basis{Default: f.Default}, f.At)
}

// Restore goes back to the registry's rule.
type Restore struct{ ResetRule }

// Run decides.
func (f Restore) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, Decider, ID(f.Chain), f.ResetRule); err != nil {
		return nil, err
	}
	return answer(u, f.Chain, Basis{Default: f.Default}, f.At)
}
