package main_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A service whose process, or whose database, is killed at random moments under load loses
// nothing that it has acknowledged and does nothing twice (docs/fault-model.md, faults of the
// process and of the database). Clients do what clients should: they repeat an unanswered
// command under its key.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	kills, random := atRandom(t, 20)

	s := newService(t)
	s.start()
	s.awaitReady()
	l := newLoad(t, s)
	l.begin()
	for range kills {
		s.killSomehow(random)
	}
	s.awaitReady()
	l.end()
	t.Logf("%d commands acknowledged, %d of them after a repeat", len(l.done), l.repeated())

	l.checkOnce()
	l.checkRepeatsAnswerTheSame()
	out, err := s.run("verify")
	require.NoError(t, err, out)
	require.NoError(t, s.stop(), "a service that is asked to stop ends well")
	out, err = s.run("verify")
	require.NoError(t, err, out)
	t.Logf("\n%s", out)
}

// killSomehow ends the process, the database or both: sometimes while it still starts,
// mostly under load. Afterwards a new process is up.
func (s *service) killSomehow(random *rand.Rand) {
	s.t.Helper()
	if random.IntN(5) > 0 {
		s.awaitReady()
	}
	s.letRun(time.Duration(random.Int64N(int64(700 * time.Millisecond))))
	switch random.IntN(3) {
	case 0:
		s.kill()
	case 1:
		s.killPostgres()
		s.letRun(time.Duration(random.Int64N(int64(400 * time.Millisecond)))) // it refuses meanwhile
		s.kill()
	case 2:
		s.killPostgres()
		s.kill()
	}
	s.start()
}
