package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// Provider tells what it knows of a request's payments.
type Provider interface {
	Hints(ctx context.Context, requestID string) ([]network.Hint, error)
}

// ProviderPoller asks the provider about every open payment that has a request there: its
// webhooks are repeated for some twenty seconds and then lost for ever.
type ProviderPoller struct {
	*loop
	provider Provider
	chains   map[uint64]Payments
	watch    watchview.Queries
	deposits deposits
}

// NewProviderPoller makes the loop; every is the pause between two rounds.
func NewProviderPoller(p Provider, chains map[uint64]Payments, x *eventstore.Executor, w watchview.Queries, every time.Duration, log *slog.Logger) *ProviderPoller {
	l := &ProviderPoller{provider: p, chains: chains, watch: w}
	l.loop = newLoop("provider", every, log, l.round)
	l.deposits = deposits{x: x, log: l.log}
	return l
}

func (l *ProviderPoller) round(ctx context.Context) (more bool, err error) {
	open, err := l.watch.AtProvider(ctx)
	if err != nil {
		return false, err
	}
	l.detail("open", len(open))
	var problems []error
	for _, p := range open {
		problems = append(problems, l.ask(ctx, p))
		if ctx.Err() != nil {
			break
		}
	}
	return false, errors.Join(problems...)
}

func (l *ProviderPoller) ask(ctx context.Context, p watchview.Payment) error {
	chain, ok := l.chains[p.Chain]
	if !ok {
		return nil
	}
	hints, err := l.provider.Hints(ctx, p.RequestID)
	if err != nil {
		if judge(err) == final {
			l.log.WarnContext(ctx, "the provider does not know a request of ours", "payment", p.ID, "request", p.RequestID, "code", code(err))
			return nil
		}
		return fmt.Errorf("ask the provider about %s: %w", p.RequestID, err)
	}
	for _, h := range hints {
		if h.Kind != network.Paid || h.Tx == "" || (h.Chain != 0 && h.Chain != p.Chain) {
			continue
		}
		if _, err := l.deposits.look(ctx, chain, p, h.Tx, "provider", "provider:"+p.RequestID); err != nil {
			return err
		}
	}
	return nil
}
