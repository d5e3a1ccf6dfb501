package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"holdfast/projections"
)

// paced is the load at which the lag is measured.
const paced = 300

// readPath measures the lag of the read models under a steady load, and rebuilds.
func (b *bench) readPath(ctx context.Context) error {
	f, err := b.made(ctx)
	if err != nil {
		return err
	}
	runner, _, err := b.core.NewRunner()
	if err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	var ticks atomic.Int64
	start := time.Now()
	next := f.release(f.random)
	loadCtx, cancel := context.WithTimeout(ctx, b.length)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := hammer(loadCtx, b.service.addr, 32, b.length, func(c, i int, buf *bytes.Buffer) {
			due := start.Add(time.Duration(ticks.Add(1)) * time.Second / paced)
			time.Sleep(time.Until(due))
			next(c, i, buf)
		})
		done <- err
	}()
	var lags []time.Duration
	for loadCtx.Err() == nil {
		all, err := runner.Status(ctx)
		if err != nil {
			return err
		}
		worst := time.Duration(0)
		for _, s := range all {
			worst = max(worst, s.Behind)
		}
		lags = append(lags, worst)
		time.Sleep(5 * time.Millisecond)
	}
	if err := <-done; err != nil {
		return err
	}
	slices.Sort(lags)
	fmt.Printf("\nprojection lag   at %d commands/s, slowest view: p50 %s, p99 %s   (wanted: p99 under 250 ms)\n",
		paced, ms(lags[len(lags)/2]), ms(lags[len(lags)*99/100]))
	if err := b.settle(ctx); err != nil {
		return err
	}
	head, err := b.core.Store.Head(ctx)
	if err != nil {
		return err
	}
	for _, view := range []string{"holds", "payments", "statements"} {
		begin := time.Now()
		if err := runner.Rebuild(ctx, view, nil); err != nil {
			return err
		}
		fmt.Printf("rebuild          %-12s %d events in %s, %.0f events/s   (wanted: 20,000)\n", view, head.Position, time.Since(begin).Round(time.Millisecond), float64(head.Position)/time.Since(begin).Seconds())
	}
	return nil
}

// settle waits until every view has caught up.
func (b *bench) settle(ctx context.Context) error {
	runner, _, err := b.core.NewRunner()
	if err != nil {
		return err
	}
	return settled(ctx, runner, 2*time.Minute)
}

func settled(ctx context.Context, runner *projections.Runner, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		all, err := runner.Status(ctx)
		if err != nil {
			return err
		}
		lag := int64(0)
		for _, s := range all {
			lag = max(lag, s.Lag)
		}
		if lag == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the read models are still %d events behind", lag)
		}
	}
}

// verification measures how fast a log is proved.
func (b *bench) verification(ctx context.Context) error {
	begin := time.Now()
	report, err := b.core.VerifyLog(ctx, nil)
	if err != nil {
		return err
	}
	if !report.OK {
		return fmt.Errorf("the log does not verify: %v", report.Problems)
	}
	fmt.Printf("verify           %d events in %s, %.0f events/s   (wanted: 50,000), ok\n", report.Events, time.Since(begin).Round(time.Millisecond), float64(report.Events)/time.Since(begin).Seconds())
	return nil
}
