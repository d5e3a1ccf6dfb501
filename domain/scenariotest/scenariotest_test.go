package scenariotest_test

import (
	"testing"

	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
)

func codec(t testing.TB) *eventstore.Codec {
	t.Helper()
	c, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func inMemory(t testing.TB) eventstore.Store { return memory.New(codec(t)) }

func inPostgres(t testing.TB) eventstore.Store {
	t.Helper()
	s, err := postgres.New(t.Context(), pgtest.New(t), codec(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestRacesInMemory(t *testing.T)   { t.Parallel(); scenariotest.Race(t, inMemory) }
func TestRacesInPostgres(t *testing.T) { t.Parallel(); scenariotest.Race(t, inPostgres) }

func TestScenariosInMemory(t *testing.T)   { t.Parallel(); scenariotest.Run(t, inMemory) }
func TestScenariosInPostgres(t *testing.T) { t.Parallel(); scenariotest.Run(t, inPostgres) }

func TestReportersInAnyOrderInMemory(t *testing.T) {
	t.Parallel()
	scenariotest.Permute(t, inMemory, 200)
}

func TestReportersInAnyOrderInPostgres(t *testing.T) {
	t.Parallel()
	scenariotest.Permute(t, inPostgres, 4)
}
