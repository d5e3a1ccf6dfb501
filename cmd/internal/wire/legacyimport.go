package wire

import (
	"context"
	"encoding/json"
	"fmt"

	"holdfast/adapters/records"
	"holdfast/domain"
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
	bank, err := c.moneyTools(chains)
	if err != nil {
		return nil, err
	}
	tools := importTools{
		money: bank, records: records.New(c.Jobs, 1), profiles: records.NewProfiles(c.Jobs, sealer), addresses: records.NewAddresses(c.Jobs, sealer),
		hashes: keyed, currencies: legacyCurrencies{chains.Registry, c.Config.LegacyCurrencies},
	}
	engine := legacyimport.New(c.Executor, c.Codec, importBook{rows}, c.Keys, c.Log, tools.takers()...)
	return &Importer{Engine: engine, Progress: importProgress{rows, c.Codec}}, nil
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

type importProgress struct {
	*records.Imports
	codec *eventstore.Codec
}

func (p importProgress) Lock(ctx context.Context) (legacyimport.Lock, error) {
	l, ok, err := p.Imports.Lock(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, legacyimport.ErrRunning
	}
	return importLock{l, p.codec}, nil
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

// importLock keeps what a dry run decides as text.
type importLock struct {
	*records.ImportLock
	codec *eventstore.Codec
}

func (l importLock) Would(ctx context.Context, all []legacyimport.Would) error {
	var out []records.Would
	for _, w := range all {
		row := records.Would{ObjectID: w.ObjectID, Name: records.LegacyName(w.Known)}
		for _, e := range w.Events {
			data, err := json.Marshal(e.Event)
			if err != nil {
				return fmt.Errorf("encode what would be appended: %w", err)
			}
			row.Events = append(row.Events, records.WouldEvent{Stream: e.Stream, Type: e.Event.EventType(), Data: data})
		}
		for _, c := range w.Claims {
			row.Claims = append(row.Claims, records.WouldClaim(c))
		}
		out = append(out, row)
	}
	return l.ImportLock.Would(ctx, out)
}

func (l importLock) WouldKnow(ctx context.Context, objectIDs []string) (map[string]legacyimport.Known, error) {
	rows, err := l.ImportLock.WouldKnow(ctx, objectIDs)
	all := make(map[string]legacyimport.Known, len(rows))
	for id, n := range rows {
		all[id] = legacyimport.Known(n)
	}
	return all, err
}

func (l importLock) WouldHave(ctx context.Context, streams []domain.Stream) (map[domain.Stream][]domain.Event, error) {
	rows, err := l.ImportLock.WouldHave(ctx, streams)
	if err != nil {
		return nil, err
	}
	all := map[domain.Stream][]domain.Event{}
	for _, r := range rows {
		aggregate, _ := l.codec.Aggregate(r.Stream.Type)
		e, err := l.codec.DecodeSealed(r.Type, max(1, aggregate.Schema[r.Type]), r.Data)
		if err != nil {
			return nil, err
		}
		all[r.Stream] = append(all[r.Stream], e)
	}
	return all, nil
}
