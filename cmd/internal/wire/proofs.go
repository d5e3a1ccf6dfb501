package wire

import (
	"context"

	"holdfast/domain"
	"holdfast/eventstore/postgres"
	apihttp "holdfast/http"
	"holdfast/projections"
)

type proofs struct{ store *postgres.Store }

func (p proofs) Inclusion(ctx context.Context, position, size int64) (apihttp.InclusionProof, error) {
	r, err := p.store.InclusionProof(ctx, position, size)
	return apihttp.InclusionProof{Position: r.Position, Size: r.Size, LeafHash: r.LeafHash, RootHash: r.Root, Hashes: r.Hashes}, err
}

func (p proofs) Consistency(ctx context.Context, from, to int64) (apihttp.ConsistencyProof, error) {
	r, err := p.store.ConsistencyProof(ctx, from, to)
	return apihttp.ConsistencyProof{From: r.From, To: r.To, Hashes: r.Hashes}, err
}

func (p proofs) Checkpoints(ctx context.Context, limit int) ([]apihttp.Checkpoint, error) {
	rows, err := p.store.Checkpoints(ctx, limit)
	all := make([]apihttp.Checkpoint, len(rows))
	for i, c := range rows {
		all[i] = apihttp.Checkpoint{Size: c.Position, Root: c.Root, Note: string(c.Note)}
	}
	return all, err
}

// steering lets operators steer the read models over HTTP; rebuilds run on after the answer.
type steering struct {
	runner  *projections.Runner
	rebuild func(name string)
}

func (s steering) Status(ctx context.Context) ([]apihttp.Projection, error) {
	rows, err := s.runner.Status(ctx)
	all := make([]apihttp.Projection, len(rows))
	for i, r := range rows {
		all[i] = apihttp.Projection{
			Name: r.Name, Version: r.Version, Position: r.Position, Head: r.Head, Lag: r.Lag,
			LagSeconds: r.Behind.Seconds(), State: r.State,
		}
		if r.Build != nil {
			all[i].State = "rebuilding"
		}
		if p := r.Poison; p != nil {
			all[i].Poison = &apihttp.Poison{Position: p.Position, EventType: p.Type, Error: p.Error, Since: p.Since}
		}
	}
	return all, err
}

func (s steering) Rebuild(ctx context.Context, name string) error {
	rows, err := s.runner.Status(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Name == name {
			if r.Build != nil && !r.Build.Ready {
				return projections.ErrRebuilding
			}
			s.rebuild(name)
			return nil
		}
	}
	return projections.ErrUnknown
}

func (s steering) Promote(ctx context.Context, name string) error { return s.runner.Promote(ctx, name) }

func (s steering) Rollback(ctx context.Context, name string) error {
	return s.runner.Rollback(ctx, name)
}

func (s steering) Pause(ctx context.Context, name string) error { return s.runner.Pause(ctx, name) }

func (s steering) Resume(ctx context.Context, name string) error { return s.runner.Resume(ctx, name) }

func (s steering) Retry(ctx context.Context, name string) error { return s.runner.Retry(ctx, name) }

func (s steering) Skip(ctx context.Context, name, reason string, by domain.UserID) error {
	return s.runner.Skip(ctx, name, reason, by)
}
