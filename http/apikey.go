package http

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"holdfast/domain"
	"holdfast/domain/apikey"
	"holdfast/domain/fault"
	"holdfast/projections"
	"holdfast/projections/apikeyview"
)

const apiKeysPath = "/api/admin/api-keys" //nolint:gosec // a path, no credentials

func apiKeyRoutes() []Route {
	route := func(method, rest, summary string, errors ...string) Route {
		return Route{Method: method, Path: apiKeysPath + rest, Roles: admin, Class: Command, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	query := func(rest, summary string) Route {
		r := route("GET", rest, summary)
		r.Class, r.Views = Query, []string{apikeyview.Name}
		return r
	}
	create := route("POST", "", "Make a key; its secret is in this answer and nowhere else", "UNKNOWN_SCOPE", "INVALID_EXPIRY")
	create.Status = 201
	return []Route{
		on[listKeysInput, []KeyOut](query("", "API keys, newest first; never their secrets"), (*Server).listKeys),
		on[keyInput, KeyOut](query("/{id}", "One key"), (*Server).getKey),
		on[createKeyInput, NewKey](create, (*Server).createKey),
		on[amendKeyInput, apikey.Answer](route("PATCH", "/{id}", "Change name, scopes or end", "UNKNOWN_SCOPE", "INVALID_EXPIRY", "API_KEY_REVOKED"), (*Server).amendKey),
		on[rotateKeyInput, NewKey](route("POST", "/{id}/rotate", "Give it a new secret; the old one is taken during the overlap", "OUT_OF_RANGE", "API_KEY_REVOKED"), (*Server).rotateKey),
		on[revokeKeyInput, apikey.Answer](route("DELETE", "/{id}", "Revoke it, at once and for good"), (*Server).revokeKey),
	}
}

// NewKey is a key as it is shown once.
type NewKey struct {
	apikey.Answer
	Key string `json:"key,omitempty" doc:"The secret; shown once. A repeated request does not show it again"`
}

// KeyOut is a key as admins see it.
type KeyOut struct {
	apikey.Answer
	Version      int64         `json:"version"`
	CreatedAt    time.Time     `json:"createdAt"`
	CreatedBy    domain.UserID `json:"createdBy"`
	RotatedAt    *time.Time    `json:"rotatedAt,omitempty"`
	RevokedAt    *time.Time    `json:"revokedAt,omitempty"`
	RevokedBy    domain.UserID `json:"revokedBy,omitempty"`
	RevokeReason string        `json:"revokeReason,omitempty"`
	LastUsedAt   *time.Time    `json:"lastUsedAt,omitempty" doc:"To the minute"`
}

func (s *Server) keysOut(ctx context.Context, rows []apikeyview.Row) ([]KeyOut, error) {
	used := map[string]time.Time{}
	if s.deps.KeyUses != nil && len(rows) > 0 {
		ids := make([]string, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		var err error
		if used, err = s.deps.KeyUses.LastUsed(ctx, ids); err != nil {
			return nil, err
		}
	}
	return shown(rows, func(row apikeyview.Row) KeyOut {
		d := row.Doc
		return KeyOut{
			Answer: apikey.AnswerOf(row.ID, d.State), Version: row.Version, CreatedAt: row.CreatedAt.UTC(), CreatedBy: d.CreatedBy,
			RotatedAt: d.RotatedAt, RevokedAt: d.RevokedAt, RevokedBy: d.RevokedBy, RevokeReason: d.RevokeReason, LastUsedAt: timeOf(used[row.ID]),
		}
	}), nil
}

type listKeysInput struct{ Page }

func (s *Server) listKeys(ctx context.Context, _ *call, in *listKeysInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.APIKeys.List(ctx, in.ask(projections.Newest))
	if err != nil {
		return reply{}, err
	}
	all, err := s.keysOut(ctx, list.Rows)
	return reply{data: all, meta: Meta{NextCursor: list.Next}}, err
}

type keyInput struct {
	ID string `path:"id"`
}

func (s *Server) getKey(ctx context.Context, _ *call, in *keyInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	row, err := v.APIKeys.Get(ctx, in.ID)
	if err != nil {
		return reply{}, err
	}
	all, err := s.keysOut(ctx, []apikeyview.Row{row})
	if err != nil {
		return reply{}, err
	}
	return reply{data: all[0], version: row.Version}, nil
}

// keyLife is how long a key lives when nobody says.
const keyLife = 90 * 24 * time.Hour

type createKeyInput struct {
	Body struct {
		Name      string         `json:"name" minLength:"1" maxLength:"100"`
		Scopes    []apikey.Scope `json:"scopes" minItems:"1" maxItems:"3" doc:"auditor, reconciler, ingestion"`
		ExpiresAt time.Time      `json:"expiresAt,omitempty" doc:"Within 366 days; left out = in 90 days"`
	}
}

func (s *Server) createKey(ctx context.Context, c *call, in *createKeyInput) (reply, error) {
	i := c.issue()
	end := in.Body.ExpiresAt.UTC()
	if in.Body.ExpiresAt.IsZero() {
		end = i.At.Add(keyLife)
	}
	secret, err := drawSecret()
	if err != nil {
		return reply{}, err
	}
	id := c.newID("api key")
	return s.keyMade(ctx, c, id, secret, apikey.Create{Issue: i, Name: in.Body.Name, Scopes: in.Body.Scopes, Hash: apikey.HashOf(secret), ExpiresAt: end})
}

type rotateKeyInput struct {
	ID   string `path:"id"`
	Body struct {
		Overlap int `json:"overlapMinutes,omitempty" doc:"How long the old secret is still taken: 0 … 10080"`
	}
}

func (s *Server) rotateKey(ctx context.Context, c *call, in *rotateKeyInput) (reply, error) {
	if in.Body.Overlap < 0 || in.Body.Overlap > 7*24*60 {
		return reply{}, apikey.ErrOverlap.At("overlapMinutes", "0 … 10080")
	}
	secret, err := drawSecret()
	if err != nil {
		return reply{}, err
	}
	if err := s.keyExists(ctx, in.ID); err != nil {
		return reply{}, err
	}
	return s.keyMade(ctx, c, in.ID, secret, apikey.Rotate{Issue: c.issue(), Hash: apikey.HashOf(secret), Overlap: time.Duration(in.Body.Overlap) * time.Minute})
}

// keyMade shows the secret beside the answer, which is kept without it: a repeat of the
// request gets the same key and never its secret.
func (s *Server) keyMade(ctx context.Context, c *call, id, secret string, command domain.Command) (reply, error) {
	answer, err := s.keyCommand(ctx, c, id, command)
	if err != nil || answer.replayed {
		return answer, err
	}
	var made NewKey
	if raw, ok := answer.data.(json.RawMessage); ok {
		err = json.Unmarshal(raw, &made.Answer)
	}
	made.Key = apikey.TokenOf(id, secret)
	answer.data = made
	return answer, err
}

// keyCommand carries a command out and has every instance forget what it knew of the key.
func (s *Server) keyCommand(ctx context.Context, c *call, id string, command domain.Command) (reply, error) {
	answer, err := s.run(ctx, c, of(apikey.Decider, id), apikey.Do{ID: id, Command: command})
	s.keys.forget(id)
	if err == nil && s.deps.News != nil {
		if told := s.deps.News.Tell(context.WithoutCancel(ctx), id); told != nil {
			s.log.WarnContext(ctx, "other instances find out about a key by themselves", "key", id, "error", told)
		}
	}
	return answer, err
}

func (s *Server) keyExists(ctx context.Context, id string) error {
	_, _, err := stateOf(ctx, s, apikey.Decider, id)
	return err
}

type amendKeyInput struct {
	ID   string `path:"id"`
	Body struct {
		Name      string         `json:"name,omitempty" maxLength:"100"`
		Scopes    []apikey.Scope `json:"scopes,omitempty" maxItems:"3"`
		ExpiresAt time.Time      `json:"expiresAt,omitempty"`
	}
}

func (s *Server) amendKey(ctx context.Context, c *call, in *amendKeyInput) (reply, error) {
	if err := s.keyExists(ctx, in.ID); err != nil {
		return reply{}, err
	}
	b := in.Body
	if b.Name == "" && len(b.Scopes) == 0 && b.ExpiresAt.IsZero() {
		return reply{}, fault.ErrValidation.At("body", "name, scopes or expiresAt")
	}
	command := apikey.Amend{Issue: c.issue(), Name: b.Name, Scopes: b.Scopes}
	if !b.ExpiresAt.IsZero() {
		command.ExpiresAt = b.ExpiresAt.UTC()
	}
	return s.keyCommand(ctx, c, in.ID, command)
}

type revokeKeyInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) revokeKey(ctx context.Context, c *call, in *revokeKeyInput) (reply, error) {
	if err := s.keyExists(ctx, in.ID); err != nil {
		return reply{}, err
	}
	return s.keyCommand(ctx, c, in.ID, apikey.Revoke{Issue: c.issue(), Reason: in.Body.Reason})
}

// drawSecret draws 32 random bytes.
func drawSecret() (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
