package reactors

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"holdfast/domain/ingestion"
	"holdfast/domain/network"
	"holdfast/eventstore"
)

// taken is a notice that is worked on.
type taken struct {
	Notice
	hint   network.Hint
	report ingestion.Receive
	known  ingestion.State // what came of this report before
	ended  bool
	ending
}

// batch works on notices together: what is read for one is read for all, and what they write fills
// the log's batches.
func (i *Ingest) batch(ctx context.Context, notices []Notice) error {
	all := make([]taken, len(notices))
	var reports []string
	for k, n := range notices {
		all[k] = i.read(ctx, n)
		if !all[k].ended {
			reports = append(reports, all[k].report.SHA256)
		}
	}
	known, err := eventstore.States(ctx, i.o.Executor, ingestion.Decider, reports)
	if err != nil {
		return err
	}
	// A payment may have been opened a moment before its notice came, so nobody is told "unknown"
	// before the read model has caught up with what was there when the notices were taken.
	caughtUp := sync.OnceValue(func() error { return catchUp(ctx, i.o.Executor.Store(), i.o.Positions) })
	looks := new(errgroup.Group)
	looks.SetLimit(ingestWorkers)
	for k := range all {
		n := &all[k]
		if n.known = known[n.report.SHA256]; n.ended {
			continue
		}
		if n.known.Phase == ingestion.MatchedPhase && !n.Replayed {
			n.end(ending{status: NoticeDone, reason: "a report that came before"})
			continue
		}
		looks.Go(func() (err error) {
			if n.ending, err = i.follow(ctx, n.Notice, n.hint, caughtUp); err != nil {
				n.end(i.postponed(ctx, n.Notice, err))
			}
			return nil
		})
	}
	_ = looks.Wait()
	writes, ctx := errgroup.WithContext(ctx)
	for k := range all {
		writes.Go(func() error { return i.finish(ctx, &all[k]) })
	}
	return writes.Wait()
}

func (n *taken) end(e ending) { n.ended, n.ending = true, e }

// read reads a notice as far as its own words say how it ends.
func (i *Ingest) read(ctx context.Context, n Notice) (all taken) {
	all.Notice = n
	h, err := i.o.Reader.Hint(n.Header, n.Body)
	switch {
	case err != nil && judge(err) != final:
		all.end(i.postponed(ctx, n, err))
	case err != nil:
		all.end(ending{status: NoticeRejected, reason: err.Error()})
	case h.Test:
		all.end(ending{status: NoticeDone, reason: "a test delivery"})
	case h.Kind == network.Noise:
		all.end(ending{status: NoticeDone, reason: "stored, and nothing follows from it"})
	default:
		all.hint, all.report = h, reportOf(n, h)
	}
	return all
}

// postponed lets a notice come again; the others go on.
func (i *Ingest) postponed(ctx context.Context, n Notice, err error) ending {
	i.log.WarnContext(ctx, "notice postponed", "row", n.Row, "attempts", n.Attempts, "error", err)
	return ending{wait: backoff(n.Attempts + 3), reason: err.Error()}
}

// finish writes what came of a notice into the log, if anything, and then into the inbox.
func (i *Ingest) finish(ctx context.Context, n *taken) error {
	e := n.ending
	if !n.ended {
		err := i.record(ctx, n.Notice, n.known, n.report, e)
		if e.also != nil && judge(err) == final {
			e = ending{status: NoticeParked, reason: "what follows from it was refused: " + code(err)}
			err = i.record(ctx, n.Notice, n.known, n.report, e)
		}
		if err != nil {
			e = i.postponed(ctx, n.Notice, err)
		}
	}
	return i.end(ctx, n.Notice, e)
}
