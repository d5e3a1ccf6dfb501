package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/eventstore"
)

// Manifest is the first line of an export: what the lines below claim to be.
type Manifest struct {
	Format     string `json:"format"`
	LogID      string `json:"log_id"`
	Position   int64  `json:"position"`
	Root       []byte `json:"root"`
	Checkpoint string `json:"checkpoint"` // signed note for this position
	Verifier   string `json:"verifier"`   // key that verifies it, in sumdb/note form
}

// Format is the version of the export's lines.
const Format = "holdfast-export/1"

// line is one event. Data and Meta are strings, because JSON inside JSON would be rewritten
// by every tool on the way, and the leaf hash covers the exact bytes.
type line struct {
	Position   int64     `json:"position"`
	EventID    uuid.UUID `json:"event_id"`
	StreamType string    `json:"stream_type"`
	StreamID   string    `json:"stream_id"`
	Version    int64     `json:"version"`
	Type       string    `json:"type"`
	Schema     int       `json:"schema"`
	Data       string    `json:"data"`
	Meta       string    `json:"meta"`
	RecordedAt int64     `json:"recorded_at_us"` // microseconds since 1970
	LeafHash   []byte    `json:"leaf_hash"`
}

// Export writes the manifest and then every event up to its position, one JSON line each.
func Export(ctx context.Context, w io.Writer, m Manifest, read eventstore.RawSource, progress func(done, total int64)) error {
	out := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	m.Format = Format
	if err := enc.Encode(m); err != nil {
		return err
	}
	for at := int64(0); at < m.Position; {
		slice, err := read(ctx, at, 2000)
		if err != nil {
			return fmt.Errorf("read after %d: %w", at, err)
		}
		if len(slice) == 0 {
			return fmt.Errorf("the log ends at %d, %d was expected", at, m.Position)
		}
		for _, r := range slice {
			if r.Position > m.Position {
				break
			}
			at = r.Position
			if err := enc.Encode(line{
				r.Position, r.EventID, r.Stream.Type, r.Stream.ID, r.Version, r.Type, r.Schema, string(r.Data), string(r.Meta), r.RecordedAt.UnixMicro(), r.LeafHash,
			}); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(at, m.Position)
		}
	}
	return out.Flush()
}

// maxLine is the longest line an export may hold.
const maxLine = 32 << 20

// Import reads an export as a source for Verify; it can be read once, from the beginning.
func Import(r io.Reader) (Manifest, eventstore.RawSource, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 1<<16), maxLine)
	var m Manifest
	if !in.Scan() {
		return m, nil, fmt.Errorf("the export is empty")
	}
	if err := json.Unmarshal(in.Bytes(), &m); err != nil || m.Format != Format {
		return m, nil, fmt.Errorf("the first line is not the manifest of a %s", Format)
	}
	return m, func(_ context.Context, _ int64, limit int) ([]eventstore.Recorded, error) {
		var all []eventstore.Recorded
		for len(all) < limit && in.Scan() {
			var l line
			if err := json.Unmarshal(in.Bytes(), &l); err != nil {
				return nil, fmt.Errorf("the line after position %d cannot be read: %w", len(all), err)
			}
			all = append(all, eventstore.Recorded{
				Position: l.Position, EventID: l.EventID, Stream: domain.Stream{Type: l.StreamType, ID: l.StreamID}, Version: l.Version, Type: l.Type,
				Schema: l.Schema, Data: []byte(l.Data), Meta: []byte(l.Meta), RecordedAt: time.UnixMicro(l.RecordedAt).UTC(), LeafHash: l.LeafHash,
			})
		}
		return all, in.Err()
	}, nil
}
