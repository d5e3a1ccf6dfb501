package http

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

func auditRoutes() []Route {
	stream := map[string]string{"type": "a stream's type", "id": "a stream's id"}
	return []Route{
		on[eventsInput, []RawEvent](Route{Method: "GET", Path: "/api/audit/events", Roles: admin, Class: Query, Rate: RateGeneral, Summary: "Events as they stand in the log; personal text stays sealed"}, (*Server).events),
		on[eventInput, RawEvent](Route{Method: "GET", Path: "/api/audit/events/{position}", Names: map[string]string{"position": "a number"}, Roles: admin, Class: Query, Rate: RateGeneral, Summary: "The event at a position"}, (*Server).event),
		on[streamInput, []RawEvent](Route{Method: "GET", Path: "/api/audit/streams/{type}/{id}", Names: stream, Roles: admin, Class: Query, Rate: RateGeneral, Summary: "One aggregate's history"}, (*Server).stream),
		on[exportInput, RawEvent](Route{Method: "GET", Path: "/api/audit/exports", Streams: true, Roles: admin, Class: Query, Rate: RateGeneral, Summary: "NDJSON: events, then the newest checkpoint"}, (*Server).export),
		on[checkpointsInput, []Checkpoint](Route{Method: "GET", Path: "/api/audit/checkpoints", Class: Query, Rate: RateGeneral, Summary: "Signed tree heads, newest first"}, (*Server).checkpoints),
		on[struct{}, Checkpoint](Route{Method: "GET", Path: "/api/audit/checkpoints/latest", Class: Query, Rate: RateGeneral, Summary: "The newest signed tree head"}, (*Server).latestCheckpoint),
		on[inclusionInput, InclusionProof](Route{Method: "GET", Path: "/api/audit/proof/inclusion", Class: Query, Rate: RateGeneral, Summary: "Proof that an event is in the tree (RFC 6962)"}, (*Server).inclusion),
		on[consistencyInput, ConsistencyProof](Route{Method: "GET", Path: "/api/audit/proof/consistency", Class: Query, Rate: RateGeneral, Summary: "Proof that the log was only appended to"}, (*Server).consistency),
	}
}

// RawEvent is an event's envelope with its exact bytes, which the leaf hash covers.
type RawEvent struct {
	Position   int64           `json:"position"`
	EventID    string          `json:"eventId"`
	Stream     domain.Stream   `json:"stream"`
	Version    int64           `json:"version"`
	Type       string          `json:"type"`
	Schema     int             `json:"schema"`
	Data       json.RawMessage `json:"data"`
	Metadata   json.RawMessage `json:"metadata"`
	RecordedAt time.Time       `json:"recordedAt"`
	LeafHash   string          `json:"leafHash"`
	// Bytes are data and metadata as hashed, in base64: JSON in JSON loses its spaces.
	DataBytes     string `json:"dataBytes"`
	MetadataBytes string `json:"metadataBytes"`
}

func rawEvent(r eventstore.Recorded) RawEvent {
	encode := base64.StdEncoding.EncodeToString
	return RawEvent{
		Position: r.Position, EventID: r.EventID.String(), Stream: r.Stream, Version: r.Version, Type: r.Type, Schema: r.Schema,
		Data: r.Data, Metadata: r.Meta, RecordedAt: r.RecordedAt.UTC(), LeafHash: encode(r.LeafHash), DataBytes: encode(r.Data), MetadataBytes: encode(r.Meta),
	}
}

type eventsInput struct {
	FromPosition int64  `query:"from_position" minimum:"0" doc:"Events after this position"`
	Type         string `query:"type" maxLength:"100" pattern:"^[a-z_]+\\.[a-z_]+$" doc:"Only this event type"`
	Limit        int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// maxScan bounds how far one request looks for events of a rare type.
const maxScan = 20000

func (s *Server) events(ctx context.Context, _ *call, in *eventsInput) (reply, error) {
	all := []RawEvent{}
	after := in.FromPosition
	for scanned := 0; len(all) < in.Limit && scanned < maxScan; {
		found, err := s.deps.Executor.Store().Read(ctx, after, 1000)
		if err != nil {
			return reply{}, err
		}
		for _, r := range found {
			after = r.Position
			if in.Type == "" || r.Type == in.Type {
				all = append(all, rawEvent(r))
			}
			if len(all) == in.Limit {
				break
			}
		}
		if scanned += len(found); len(found) < 1000 {
			break
		}
	}
	return reply{data: all, meta: Meta{Position: after}}, nil
}

type eventInput struct {
	Position int64 `path:"position"`
}

func (s *Server) event(ctx context.Context, _ *call, in *eventInput) (reply, error) {
	found, err := s.deps.Executor.Store().Read(ctx, in.Position-1, 1)
	if err != nil {
		return reply{}, err
	}
	if in.Position < 1 || len(found) == 0 || found[0].Position != in.Position {
		return reply{}, fault.ErrNotFound
	}
	return reply{data: rawEvent(found[0])}, nil
}

type streamInput struct {
	Type  string `path:"type"`
	ID    string `path:"id"`
	After int64  `query:"after" minimum:"0" doc:"Events after this version"`
}

func (s *Server) stream(ctx context.Context, _ *call, in *streamInput) (reply, error) {
	found, err := s.deps.Executor.Store().LoadStream(ctx, domain.Stream{Type: in.Type, ID: in.ID}, in.After)
	if err != nil {
		return reply{}, err
	}
	if len(found) == 0 && in.After == 0 {
		return reply{}, fault.ErrNotFound
	}
	return reply{data: rawEvents(found)}, nil
}

func rawEvents(found []eventstore.Recorded) []RawEvent {
	all := []RawEvent{}
	for _, r := range found {
		all = append(all, rawEvent(r))
	}
	return all
}

type exportInput struct {
	From int64 `query:"from" minimum:"0" doc:"After this position"`
	To   int64 `query:"to" minimum:"0" doc:"Up to this position; 0 = the head"`
}

// export streams events one a line and ends with the newest checkpoint, so that whoever
// reads it to the end can check it.
func (s *Server) export(ctx context.Context, c *call, in *exportInput) (reply, error) {
	head, err := s.deps.Executor.Store().Head(ctx)
	if err != nil {
		return reply{}, err
	}
	to := in.To
	if to == 0 {
		to = head.Position
	}
	if to < in.From || to > head.Position {
		return reply{}, fault.ErrValidation.At("query.to", "between from and the head of the log")
	}
	return reply{write: func(ec echo.Context) error {
		ec.Response().Header().Set("Content-Type", "application/x-ndjson")
		ec.Response().WriteHeader(http.StatusOK)
		out := json.NewEncoder(ec.Response())
		for after := in.From; after < to; {
			nextPart(ec)
			found, err := s.deps.Executor.Store().Read(ctx, after, int(min(1000, to-after)))
			if err != nil || len(found) == 0 {
				return err
			}
			for _, r := range found {
				if err := out.Encode(rawEvent(r)); err != nil {
					return err
				}
			}
			after = found[len(found)-1].Position
		}
		return out.Encode(map[string]any{"checkpoint": string(head.Checkpoint), "logId": head.LogID, "size": head.Position, "root": head.Root})
	}}, nil
}

func (s *Server) proofs() (Proofs, error) {
	if s.deps.Proofs == nil {
		return nil, errNotConfigured
	}
	return s.deps.Proofs, nil
}

type checkpointsInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

func (s *Server) checkpoints(ctx context.Context, _ *call, in *checkpointsInput) (reply, error) {
	proofs, err := s.proofs()
	if err != nil {
		return reply{}, err
	}
	all, err := proofs.Checkpoints(ctx, in.Limit)
	return reply{data: all}, err
}

func (s *Server) latestCheckpoint(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	proofs, err := s.proofs()
	if err != nil {
		return reply{}, err
	}
	all, err := proofs.Checkpoints(ctx, 1)
	if err == nil && len(all) == 0 {
		err = fault.ErrNotFound.Because("no checkpoint has been signed yet")
	}
	if err != nil {
		return reply{}, err
	}
	return reply{data: all[0]}, nil
}

type inclusionInput struct {
	Position int64 `query:"position" required:"true" minimum:"1"`
	Size     int64 `query:"size" minimum:"0" doc:"Of the tree; 0 = now"`
}

func (s *Server) inclusion(ctx context.Context, _ *call, in *inclusionInput) (reply, error) {
	proofs, err := s.proofs()
	if err != nil {
		return reply{}, err
	}
	head, err := s.deps.Executor.Store().Head(ctx)
	if err != nil {
		return reply{}, err
	}
	if in.Size == 0 {
		in.Size = head.Position
	}
	if in.Size > head.Position || in.Position > in.Size {
		return reply{}, fault.ErrValidation.At("query.size", "position ≤ size ≤ the log's head")
	}
	p, err := proofs.Inclusion(ctx, in.Position, in.Size)
	return reply{data: p}, err
}

type consistencyInput struct {
	From int64 `query:"from" required:"true" minimum:"1"`
	To   int64 `query:"to" minimum:"0" doc:"0 = now"`
}

func (s *Server) consistency(ctx context.Context, _ *call, in *consistencyInput) (reply, error) {
	proofs, err := s.proofs()
	if err != nil {
		return reply{}, err
	}
	head, err := s.deps.Executor.Store().Head(ctx)
	if err != nil {
		return reply{}, err
	}
	if in.To == 0 {
		in.To = head.Position
	}
	if in.To > head.Position || in.From > in.To {
		return reply{}, fault.ErrValidation.At("query.to", "from ≤ to ≤ the log's head")
	}
	p, err := proofs.Consistency(ctx, in.From, in.To)
	return reply{data: p}, err
}
