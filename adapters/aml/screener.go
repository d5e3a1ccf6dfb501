package aml

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"holdfast/domain/safety"
)

// Source is one list or service.
type Source interface {
	Name() string
	// Chain reports whether it knows addresses of a chain.
	Chain(chain uint64) bool
	// Ask says what it knows of an address; raw is its answer as it came.
	Ask(ctx context.Context, chain uint64, address string) (outcome safety.Outcome, score int, note string, raw []byte, err error)
}

// Options of a screener.
type Options struct {
	Sources  []Source
	MaxScore int           // a score above it is a hit
	Timeout  time.Duration // of all sources together; 5 s when 0
	Now      func() time.Time
	Log      *slog.Logger
}

// Screener asks all sources. It is safe for concurrent use.
type Screener struct{ o Options }

// New makes a screener; without sources nothing is ever clean.
func New(o Options) *Screener {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Screener{o}
}

// Knows reports whether any source knows the chain; else all its money waits for people.
func (s *Screener) Knows(chain uint64) bool {
	for _, one := range s.o.Sources {
		if one.Chain(chain) {
			return true
		}
	}
	return false
}

// Screen asks every source that knows the chain, at once, and makes the verdict.
func (s *Screener) Screen(ctx context.Context, chain uint64, address string) safety.Verdict {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	var asked []Source
	for _, one := range s.o.Sources {
		if one.Chain(chain) {
			asked = append(asked, one)
		}
	}
	findings := make([]safety.Finding, len(asked))
	var wait sync.WaitGroup
	for i, one := range asked {
		wait.Go(func() { findings[i] = s.ask(ctx, one, chain, address) })
	}
	wait.Wait()
	return safety.Judge(chain, address, findings, s.o.MaxScore, s.o.Now().UTC().Truncate(time.Microsecond))
}

func (s *Screener) ask(ctx context.Context, one Source, chain uint64, address string) safety.Finding {
	f := safety.Finding{Source: one.Name(), At: s.o.Now().UTC().Truncate(time.Microsecond)}
	outcome, score, note, raw, err := one.Ask(ctx, chain, address)
	if raw != nil {
		sum := sha256.Sum256(raw)
		f.Raw = hex.EncodeToString(sum[:])
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "screening source did not answer", "source", one.Name(), "chain", chain, "error", err)
		f.Outcome, f.Note = safety.Unanswered, "no usable answer"
		return f
	}
	f.Outcome, f.Score, f.Note = outcome, score, note
	return f
}
