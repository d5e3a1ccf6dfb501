package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepschedule"
	"holdfast/eventstore"
	"holdfast/projections/watchview"
)

// Signer signs with keys of ours. In production there is none in this process, and no Sweeper.
type Signer interface {
	// SignDestination signs with the key of a derived destination's path index.
	SignDestination(ctx context.Context, index uint32, u network.Unsigned) (raw string, err error)
	// SignGas signs with the key of the address that pays for gas.
	SignGas(ctx context.Context, u network.Unsigned) (raw string, err error)
}

// Kept keeps signed transactions.
type Kept interface {
	Keep(ctx context.Context, chain uint64, hash, raw string) error
	// KeepFor keeps one that runs an errand, and gives the one that runs it.
	KeepFor(ctx context.Context, purpose string, chain uint64, hash, raw string) (kept string, err error)
	// For gives the one that runs an errand.
	For(ctx context.Context, purpose string) (raw string, ok bool, err error)
}

// SweepChain is what a sweeper needs of a chain.
type SweepChain interface {
	Builder
	Outgoing
}

// SweeperOptions join a Sweeper.
type SweeperOptions struct {
	Network  network.Chain
	Chain    SweepChain
	Decode   Decoder
	Signer   Signer
	Kept     Kept
	Executor *eventstore.Executor
	Watch    watchview.Queries
	Treasury string // where sweeps go
	Gas      string // the address that pays for gas
	Token    func(money.Asset) (network.Token, bool)
	// Claimed says which names the log holds: nonces that instructions have reserved. Nil: none.
	Claimed func(ctx context.Context, names []string) (map[string]domain.Stream, error)
	Every   time.Duration // 5 s when 0
	Log     *slog.Logger
}

// Sweeper moves confirmed money from derived addresses to the treasury with keys in this process:
// for development, where no custody signer stands outside. A sweep is in the log, with its bytes,
// before it is sent; the chain follower sends it again after a crash and sees it to its end.
type Sweeper struct {
	*loop
	o        SweeperOptions
	deposits deposits
}

// NewSweeper makes the loop for one chain.
func NewSweeper(o SweeperOptions) *Sweeper {
	s := &Sweeper{o: o}
	s.loop = newLoop("sweeper:"+strconv.FormatUint(o.Network.ID, 10), orDefault(o.Every, 5*time.Second), o.Log, s.round)
	s.deposits = deposits{x: o.Executor, log: s.log}
	return s
}

func (s *Sweeper) round(ctx context.Context) (more bool, err error) {
	candidates, err := s.o.Watch.Sweepable(ctx, s.o.Network.ID)
	if err != nil {
		return false, err
	}
	s.detail("sweepable", len(candidates))
	return false, each(candidates, func(c watchview.Sweepable) error {
		switch err := s.sweep(ctx, c); {
		case err == nil:
			return nil
		case judge(err) == final:
			s.log.WarnContext(ctx, "not swept", "destination", c.Destination, "asset", c.Asset, "code", code(err))
			return nil
		default:
			return fmt.Errorf("sweep %s: %w", c.Destination, err)
		}
	})
}

// sweep moves what is confirmed, no more: a transfer that a reorganisation may still undo stays.
func (s *Sweeper) sweep(ctx context.Context, c watchview.Sweepable) error {
	d, version, err := eventstore.FreshState(ctx, s.o.Executor, destination.Decider, string(c.Destination))
	if err != nil {
		return err
	}
	amount := money.Of(c.Asset, d.Balance[c.Asset])
	if amount.IsZero() || d.IsQuarantined || d.InFlight("") {
		return nil
	}
	if small, err := s.tooSmall(ctx, amount); err != nil || small {
		return err
	}
	onChain, err := s.o.Chain.Balance(ctx, c.Asset, c.Address)
	if err != nil {
		return err
	}
	coin := c.Asset == network.NativeAsset(s.o.Network.ID)
	if coin { // what earlier sweeps cost was paid from it
		amount.Units = amount.Units.Min(onChain)
	}
	if onChain.Less(amount.Units) {
		s.log.ErrorContext(ctx, "a derived address holds less than the books say", "destination", c.Destination, "address", c.Address, "asset", c.Asset, "booked", amount.Units, "found", onChain)
		return nil
	}
	u, err := s.build(ctx, c.Address, s.o.Treasury, amount)
	if err != nil {
		return err
	}
	if coin {
		if amount, err = lessGas(amount, u); err != nil {
			return err
		}
		if u, err = s.build(ctx, c.Address, s.o.Treasury, amount); err != nil {
			return err
		}
	}
	// The path to a sweep's id is what it sweeps and when: a failed one is followed by another.
	id := domain.SweepID(domain.DeriveID(fmt.Sprintf("%s/%s/%d", c.Destination, c.Asset, version), "sweep"))
	if paid, err := s.payGas(ctx, c, u); err != nil || !paid {
		return err
	}
	return s.send(ctx, c, u, id, amount)
}

// tooSmall: the schedule says from which amount on a sweep is worth its gas.
func (s *Sweeper) tooSmall(ctx context.Context, amount money.Amount) (bool, error) {
	schedule, _, err := eventstore.FreshState(ctx, s.o.Executor, sweepschedule.Decider, sweepschedule.Stream)
	if err != nil {
		return false, err
	}
	token, ok := s.o.Token(amount.Asset)
	if !ok {
		return false, network.ErrUnknownAsset.With("found", amount.Asset)
	}
	least, err := wholeTokens(schedule.Settings.MinAmount, token.Decimals)
	return amount.Units.Less(least), err
}

func (s *Sweeper) build(ctx context.Context, from, to string, amount money.Amount) (network.Unsigned, error) {
	token, ok := s.o.Token(amount.Asset)
	if !ok {
		return network.Unsigned{}, network.ErrUnknownAsset.With("found", amount.Asset)
	}
	nonce, err := s.o.Chain.NextNonce(ctx, from)
	if err != nil {
		return network.Unsigned{}, err
	}
	return s.o.Chain.Build(ctx, outgoing.Transfer{Chain: s.o.Network.ID, From: from, To: to, Token: token.Address, Amount: amount, Nonce: nonce})
}

// send records a signed sweep and then sends it.
func (s *Sweeper) send(ctx context.Context, c watchview.Sweepable, u network.Unsigned, id domain.SweepID, amount money.Amount) error {
	raw, err := s.o.Signer.SignDestination(ctx, c.Index, u)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	tx, err := s.o.Decode(raw)
	if err != nil {
		return err
	}
	if err := s.o.Kept.Keep(ctx, s.o.Network.ID, tx.Hash, raw); err != nil {
		return err
	}
	now, err := s.o.Executor.Store().Now(ctx)
	if err != nil {
		return err
	}
	f := funding.BroadcastSweep{
		Issue:       domain.Issue{By: domain.Machine(domain.Process, s.name), At: now},
		Destination: c.Destination, Sweep: id, Amount: amount, Tx: outgoing.NormalHash(tx.Hash), Nonce: tx.Nonce, Raw: raw,
	}
	meta := eventstore.Metadata{Actor: f.By, CommandID: domain.DeriveID(string(id), "broadcast"), Source: "job"}
	if _, err := s.o.Executor.Execute(ctx, meta, nil, f.Run); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "sweep", "destination", c.Destination, "sweep", id, "amount", amount.Units, "asset", amount.Asset, "tx", tx.Hash)
	_, err = s.o.Chain.Send(ctx, raw)
	return err
}
