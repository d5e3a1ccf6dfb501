package reactors

import (
	"context"
	"errors"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// verdict says what a command's end means to a loop that has nobody to tell.
type verdict int

const (
	done  verdict = iota // accepted, now or before
	final                // refused by a rule: it will be refused again
	later                // a part does not answer, or a race was lost: try again
	bug                  // nothing that a rule says
)

func judge(err error) verdict {
	if err == nil {
		return done
	}
	f, ok := fault.From(err)
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return later
	case !ok || f.Kind == fault.Internal:
		return bug
	case errors.Is(err, eventstore.ErrVersion) || errors.Is(err, eventstore.ErrKeyInProgress):
		return later
	}
	switch f.Kind {
	case fault.Unavailable, fault.Upstream, fault.Timeout, fault.RateLimited:
		return later
	}
	return final
}

// code of a refusal, for logs and rows.
func code(err error) string {
	if f, ok := fault.From(err); ok {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// flow is one command over one or several streams.
type flow interface {
	Run(u *domain.Unit) (any, error)
}

// together runs several flows in one unit: all of them or none.
type together []flow

// Run decides.
func (all together) Run(u *domain.Unit) (answer any, err error) {
	for i, f := range all {
		a, err := f.Run(u)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			answer = a
		}
	}
	return answer, nil
}
