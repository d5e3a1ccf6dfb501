package reactors

import (
	"context"
	"log/slog"
	"time"

	"holdfast/eventstore"
)

// Notary signs the log as it is now; signed is false when it has not grown.
type Notary interface {
	SignCheckpoint(ctx context.Context) (c eventstore.Checkpoint, signed bool, err error)
}

// Checkpointer has the log signed every ten seconds in which it has grown.
type Checkpointer struct{ *loop }

// NewCheckpointer makes the loop.
func NewCheckpointer(n Notary, log *slog.Logger) *Checkpointer {
	c := &Checkpointer{}
	c.loop = newLoop("checkpoints", 10*time.Second, log, func(ctx context.Context) (bool, error) {
		signed, fresh, err := n.SignCheckpoint(ctx)
		if err == nil && fresh {
			c.detail("position", signed.Position)
		}
		return false, err
	})
	return c
}
