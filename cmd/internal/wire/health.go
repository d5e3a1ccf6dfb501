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
