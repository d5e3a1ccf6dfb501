package wire

import (
	"context"
	"fmt"
	"os"

	"holdfast/eventstore"
	"holdfast/eventstore/audit"
	"holdfast/eventstore/memory"
	"holdfast/projections"
	"holdfast/projections/views"
)

// VerifyLog verifies log, checkpoints, ledger and invariants of a live database.
func (c *Core) VerifyLog(ctx context.Context, progress func(done, total int64)) (audit.Report, error) {
	head, totals, err := c.steadyHead(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	signed, err := c.Store.Checkpoints(ctx, 1_000_000)
	if err != nil {
		return audit.Report{}, err
	}
	var checkpoints []eventstore.Checkpoint
	for _, s := range signed {
		k, err := eventstore.ParseCheckpoint(s.Note, c.Signer.VerifierKey())
		if err != nil {
			return audit.Report{Problems: []string{fmt.Sprintf("the checkpoint at %d is not signed by our key: %v", s.Position, err)}}, nil
		}
		if k.Position <= head.Position {
			checkpoints = append(checkpoints, k)
		}
	}
	return audit.Verify(ctx, c.Codec, audit.Subject{Read: c.Store.ReadRaw, Head: head, Checkpoints: checkpoints, Balances: totals, Progress: progress})
}

// steadyHead reads the head and the balances of the same position; on a log that never
// stands still the balances are folded from the entries as of the head.
func (c *Core) steadyHead(ctx context.Context) (eventstore.Head, []eventstore.Totals, error) {
	for range 5 {
		before, err := c.Store.Head(ctx)
		if err != nil {
			return before, nil, err
		}
		totals, err := c.Store.Balances(ctx, "", 0)
		if err != nil {
			return before, nil, err
		}
		after, err := c.Store.Head(ctx)
		if err != nil || after.Position == before.Position {
			return before, totals, err
		}
	}
	head, err := c.Store.Head(ctx)
	if err != nil {
		return head, nil, err
	}
	totals, err := c.Store.Balances(ctx, "", head.Position)
	return head, totals, err
}

// NewRunner makes a runner that only operators' verbs use; it projects nothing live.
func (c *Core) NewRunner() (*projections.Runner, *projections.Registry, error) {
	registry, err := projections.NewRegistry(views.Projectors()...)
	if err != nil {
		return nil, nil, err
	}
	r, err := projections.New(c.Views, c.Codec, registry, projections.Options{Log: c.Log})
	return r, registry, err
}

// VerifyExport verifies an export without any database or key but the log's public one.
func VerifyExport(ctx context.Context, path, verifier string, progress func(done, total int64)) (audit.Report, error) {
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), Aggregates()...)
	if err != nil {
		return audit.Report{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return audit.Report{}, err
	}
	defer file.Close()
	m, read, err := audit.Import(file)
	if err != nil {
		return audit.Report{}, fmt.Errorf("%s: %w", path, err)
	}
	if verifier == "" {
		verifier = m.Verifier // proves integrity; authorship needs the key from elsewhere
	}
	head := eventstore.Head{LogID: m.LogID, Position: m.Position, Root: m.Root}
	k, err := eventstore.ParseCheckpoint([]byte(m.Checkpoint), verifier)
	if err != nil {
		return audit.Report{LogID: m.LogID, Problems: []string{"the export's checkpoint is not signed by that key: " + err.Error()}}, nil
	}
	if k.LogID() != m.LogID || k.Position != m.Position {
		return audit.Report{LogID: m.LogID, Problems: []string{fmt.Sprintf("the checkpoint speaks of position %d of log %s", k.Position, k.LogID())}}, nil
	}
	return audit.Verify(ctx, codec, audit.Subject{Read: read, Head: head, Checkpoints: []eventstore.Checkpoint{k}, Progress: progress})
}
