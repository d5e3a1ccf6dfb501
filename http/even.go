package http

import (
	"context"
	"time"
)

// evenAfter is how long an answer is kept back that must not tell, by the clock, whether an
// account exists: longer than the slower of its two ways takes on a machine that is not busy.
const evenAfter = 120 * time.Millisecond

// evenly makes all answers of a route take the same time, whatever was found out meanwhile.
func evenly[I any](handle func(*Server, context.Context, *call, *I) (reply, error)) func(*Server, context.Context, *call, *I) (reply, error) {
	return func(s *Server, ctx context.Context, c *call, in *I) (reply, error) {
		until := time.NewTimer(evenAfter)
		defer until.Stop()
		answer, err := handle(s, ctx, c, in)
		select {
		case <-until.C:
		case <-ctx.Done():
		}
		return answer, err
	}
}
