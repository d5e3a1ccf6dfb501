package reactors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"holdfast/domain"
	"holdfast/domain/ingestion"
	"holdfast/domain/network"
	"holdfast/eventstore"
)

// reportOf names a notice by its bytes: what is signed, and nothing else.
func reportOf(n Notice, h network.Hint) ingestion.Receive {
	hash := sha256.Sum256(n.Body)
	return ingestion.Receive{
		Provider: n.Source, Delivery: n.Delivery, SHA256: hex.EncodeToString(hash[:]), Type: clip(h.Event),
		Request: clip(h.RequestID), Reference: h.Reference, Tx: h.Tx, At: n.Received.UTC(),
	}
}

// clip bounds a provider's word.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "") }

func (i *Ingest) issue(n Notice) domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Provider, n.Source), At: n.Received.UTC()}
}

// record writes what came of a report: received the first time, then matched or parked. A report
// that waits for its transaction is written once and not with every look.
func (i *Ingest) record(ctx context.Context, n Notice, known ingestion.State, r ingestion.Receive, e ending) error {
	f := ingestion.Record{Issue: i.issue(n), Report: r}
	switch {
	case e.payment != "":
		f.Match = &ingestion.Match{Payment: e.payment, Evidence: e.evidence}
	case e.status == NoticeParked || e.status == NoticeRejected:
		f.Park = &ingestion.Park{Reason: e.reason}
	case known.Phase != "":
		return nil
	}
	steps := together{f}
	if e.also != nil {
		steps = append(steps, e.also)
	}
	meta := eventstore.Metadata{
		Actor: f.By, CommandID: domain.DeriveID(r.SHA256+strconv.FormatInt(n.Row, 10)+strconv.Itoa(n.Attempts), "report"),
		CausationID: "inbox:" + strconv.FormatInt(n.Row, 10), Source: "webhook:" + n.Source,
	}
	_, err := i.o.Executor.Execute(ctx, meta, nil, steps.Run)
	return err
}
