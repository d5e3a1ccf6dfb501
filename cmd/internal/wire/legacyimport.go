package wire

import (
	"context"

	"holdfast/adapters/records"
	"holdfast/eventstore"
	"holdfast/reactors/legacyimport"
)

// Importer takes documents of the old backend.
type Importer struct {
	*legacyimport.Engine
	Progress legacyimport.Progress
}

// Importer makes the importer of a verb; a service may be running beside it.
func (c *Core) Importer(ctx context.Context) (*Importer, error) {
	chains, err := c.knownNetworks(ctx)
	if err != nil {
		return nil, err
	}
	keyed, err := newHashes(c.Config)
	if err != nil {
		return nil, err
	}
	rows, sealer := records.NewImports(c.Jobs), eventstore.NewSealer(c.Keys)
	tools := importTools{
		records: records.New(c.Jobs, 1), profiles: records.NewProfiles(c.Jobs, sealer), addresses: records.NewAddresses(c.Jobs, sealer),
		hashes: keyed, currencies: legacyCurrencies{chains.Registry, c.Config.LegacyCurrencies},
	}
	engine := legacyimport.New(c.Executor, importBook{rows}, c.Keys, c.Log, tools.takers()...)
	return &Importer{Engine: engine, Progress: importProgress{rows}}, nil
}

// The rows of imports speak their own words and the engine its own.

type importBook struct{ *records.Imports }

func (b importBook) Names(ctx context.Context, objectIDs []string) (map[string]legacyimport.Known, error) {
	rows, err := b.Imports.Names(ctx, objectIDs)
	all := make(map[string]legacyimport.Known, len(rows))
	for id, n := range rows {
		all[id] = legacyimport.Known(n)
	}
	return all, err
}

type importProgress struct{ *records.Imports }

func (p importProgress) Lock(ctx context.Context) (legacyimport.Lock, error) {
	l, ok, err := p.Imports.Lock(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, legacyimport.ErrRunning
	}
	return l, nil
}

func (p importProgress) Begin(ctx context.Context, source, collection string, anew bool) (legacyimport.Run, error) {
	r, err := p.Imports.Begin(ctx, source, collection, anew)
	return legacyimport.Run{
		Collection: collection, Read: r.Read, Taken: r.Taken, Unchanged: r.Unchanged, Refused: r.Refused, Ours: r.Ours, Reasons: r.Reasons, Notes: r.Notes,
		Resumed: r.Read > 0, Started: r.Started, Cursor: r.Cursor, RefusedAt: r.RefusedAt,
	}, err
}

func (p importProgress) Save(ctx context.Context, source string, run legacyimport.Run, finished bool) (legacyimport.Run, error) {
	at, err := p.Imports.Save(ctx, source, run.Collection, records.Import{
		Cursor: run.Cursor, Read: run.Read, Taken: run.Taken, Unchanged: run.Unchanged, Refused: run.Refused, Ours: run.Ours,
		RefusedAt: run.RefusedAt, Reasons: run.Reasons, Notes: run.Notes,
	}, finished)
	if finished {
		run.Finished = at
	}
	return run, err
}
