package http

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"holdfast/domain/fault"
)

// exportKept is how long an export can be downloaded.
const exportKept = 7 * 24 * time.Hour

// budgetExport bounds how often one person has everything gathered.
var budgetExport = Budget{Class: "data-export", Limit: 3, Window: 24 * time.Hour}

func dataExportRoutes() []Route {
	download := userRoute("GET", "/data-export/{id}/download", "The file: one JSON object a line", Any, Query)
	return []Route{
		on[struct{}, ExportOut](userRoute("GET", "/data-export", "One's newest export; begins one when there is none", Any, PlainWrite), (*Server).dataExport),
		on[struct{}, ExportOut](status(202, userRoute("POST", "/data-export", "Gather everything anew; told by mail when it can be downloaded", Any, PlainWrite)), (*Server).beginExport),
		on[exportFileInput, Nothing](download, (*Server).downloadExport),
	}
}

// ExportOut is an export as its owner sees it.
type ExportOut struct {
	ID        string    `json:"id"`
	Status    string    `json:"status" enum:"pending,ready,failed"`
	Size      int64     `json:"size" doc:"Bytes, once it is ready"`
	MadeAt    time.Time `json:"madeAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Download  string    `json:"download,omitempty"`
}

func exportOut(e Export) ExportOut {
	out := ExportOut{ID: e.ID, Status: e.Status, Size: e.Size, MadeAt: e.MadeAt, ExpiresAt: e.ExpiresAt}
	if e.Status == "ready" {
		out.Download = userPath + "/data-export/" + e.ID + "/download"
	}
	return out
}

func (s *Server) exports() (Exports, error) {
	if s.deps.People.Exports == nil {
		return nil, errNotConfigured
	}
	return s.deps.People.Exports, nil
}

func (s *Server) dataExport(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	rows, err := s.exports()
	if err != nil {
		return reply{}, err
	}
	e, ok, err := rows.Newest(ctx, c.user())
	if err != nil || ok {
		return reply{data: exportOut(e)}, err
	}
	answer, err := s.beginExport(ctx, c, nil)
	answer.status = http.StatusAccepted
	return answer, err
}

// beginExport orders one; while one waits, it is that one.
func (s *Server) beginExport(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	rows, err := s.exports()
	if err != nil {
		return reply{}, err
	}
	if e, ok, err := rows.Newest(ctx, c.user()); err != nil || ok && e.Status == "pending" {
		return reply{data: exportOut(e)}, err
	}
	if err := s.within(ctx, budgetExport, c.counted()); err != nil {
		return reply{}, err
	}
	if err := rows.Begin(ctx, c.user(), exportKept); err != nil {
		return reply{}, err
	}
	e, ok, err := rows.Newest(ctx, c.user())
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: exportOut(e)}, err
}

type exportFileInput struct {
	ID string `path:"id"`
}

func (s *Server) downloadExport(ctx context.Context, c *call, in *exportFileInput) (reply, error) {
	rows, err := s.exports()
	if err != nil {
		return reply{}, err
	}
	content, ok, err := rows.Content(ctx, c.user(), in.ID)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	return reply{write: func(ec echo.Context) error {
		ec.Response().Header().Set("Content-Disposition", `attachment; filename="holdfast-`+string(c.user())+`.ndjson"`)
		return ec.Blob(http.StatusOK, "application/x-ndjson", content)
	}}, nil
}
