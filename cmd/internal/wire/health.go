package wire

import (
	"context"
	"errors"
	"fmt"

	apihttp "holdfast/http"
	"holdfast/projections"
)

// health lists what must work for the service to be ready.
func (s *Service) health() []apihttp.HealthCheck {
	return []apihttp.HealthCheck{
		{Name: "db", Ask: func(ctx context.Context) error {
			if err := s.HTTP.Ping(ctx); err != nil {
				return errors.New("the database does not answer")
			}
			return nil
		}},
		{Name: "redis", Ask: func(ctx context.Context) error {
			if err := s.Redis.Ping(ctx).Err(); err != nil {
				return errors.New("Redis does not answer") //nolint:staticcheck // a name
			}
			return nil
		}},
		{Name: "projections", Ask: s.projectionsHealth},
		{Name: "legacy", Partial: true, Ask: s.legacyHealth, Detail: s.legacyDetail},
		{Name: "reactors", Ask: s.reactorsHealth, Detail: s.reactorsDetail},
	}
}

// maxLag is how far behind a read model may be before the service says it is not ready.
const maxLagSeconds = 60

func (s *Service) projectionsHealth(ctx context.Context) error {
	all, err := s.Runner.Status(ctx)
	if err != nil {
		return errors.New("the projectors' state cannot be read")
	}
	for _, p := range all {
		if p.State == projections.Halted {
			return fmt.Errorf("%s has halted at position %d", p.Name, p.Position)
		}
		if p.Behind.Seconds() > maxLagSeconds {
			return fmt.Errorf("%s is %d events behind", p.Name, p.Lag)
		}
	}
	return nil
}

// failuresInARow is how many passes of a loop may fail before the service says so.
const failuresInARow = 5

func (s *Service) reactorsHealth(context.Context) error {
	for _, l := range s.allLoops() {
		switch st := l.Status(); {
		case st.Halted:
			return fmt.Errorf("%s has halted", st.Name)
		case st.Failures >= failuresInARow:
			return fmt.Errorf("%s has failed %d times in a row", st.Name, st.Failures)
		}
	}
	return nil
}

// reactorsDetail shows each loop without its last error, which may name hosts.
func (s *Service) reactorsDetail(context.Context) any {
	all := []map[string]any{}
	for _, l := range s.allLoops() {
		st := l.Status()
		all = append(all, map[string]any{"name": st.Name, "failures": st.Failures, "lastGood": st.LastGood, "halted": st.Halted, "detail": st.Detail})
	}
	return all
}
