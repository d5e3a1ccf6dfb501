package settlement

import (
	"holdfast/domain"
)

// step decides one command on one stream and gives the state it leads to.
func step[S any, E domain.Event](u *domain.Unit, d domain.Decider[S, E], id string, c domain.Command) (S, error) {
	if _, err := domain.Do(u, d, id, c); err != nil {
		var none S
		return none, err
	}
	return domain.StateOf(u, d, id)
}

// own is the issue of a step that follows from the user's command: the process acts, at the
// same time.
func own(i domain.Issue, process string) domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Process, process), At: i.At}
}
