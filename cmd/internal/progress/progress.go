// Package progress shows how far a long verb is: a bar on a terminal, a log line every
// five per cent elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Bar counts towards a total.
type Bar struct {
	name    string
	out     io.Writer
	bars    *mpb.Progress
	bar     *mpb.Bar
	total   int64
	shown   int64 // last shown percentage, without a terminal
	started time.Time
}

// Start begins a bar on stderr.
func Start(name string, total int64) *Bar {
	b := &Bar{name: name, out: os.Stderr, total: max(total, 1), shown: -5, started: time.Now()}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		b.bars = mpb.New(mpb.WithOutput(os.Stderr), mpb.WithRefreshRate(150*time.Millisecond))
		b.bar = b.bars.AddBar(b.total,
			mpb.PrependDecorators(decor.Name(name+" "), decor.CountersNoUnit("%d / %d ")),
			mpb.AppendDecorators(decor.Percentage(), decor.AverageSpeed(0, " %.0f/s"), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	}
	return b
}

// Set says how far it is; total may grow while it runs.
func (b *Bar) Set(done, total int64) {
	b.total = max(total, 1)
	if b.bar != nil {
		b.bar.SetTotal(b.total, false)
		b.bar.SetCurrent(done)
		return
	}
	if pct := done * 100 / b.total; pct >= b.shown+5 {
		b.shown = pct
		fmt.Fprintf(b.out, "%s: %d of %d (%d %%), %s\n", b.name, done, b.total, pct, time.Since(b.started).Round(time.Second))
	}
}

// Done ends the bar at its total.
func (b *Bar) Done() {
	if b.bar != nil {
		b.bar.SetCurrent(b.total)
		b.bar.SetTotal(b.total, true)
		b.bars.Wait()
	}
}
