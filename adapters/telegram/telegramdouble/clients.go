package telegramdouble

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) botID() int64 {
	number, _, _ := strings.Cut(s.token, ":")
	id, _ := strconv.ParseInt(number, 10, 64)
	return id
}

// SetWebhook does what setWebhook does.
func (s *Server) SetWebhook(at, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhook, s.secret = at, secret
}

// InitData is what Telegram gives a Mini App of the bot that a person opens.
func (s *Server) InitData(user int64, name string, at time.Time) string {
	u, _ := json.Marshal(map[string]any{"id": user, "first_name": name, "username": "u" + strconv.FormatInt(user, 10), "language_code": "en"})
	fields := map[string]string{"query_id": "AAdev" + strconv.FormatInt(time.Now().UnixNano(), 36), "user": string(u), "auth_date": strconv.FormatInt(at.Unix(), 10), "signature": "dev"}
	secret := mac([]byte("WebAppData"), s.token)
	q := url.Values{"hash": {hex.EncodeToString(mac(secret, lines(fields)))}}
	for k, v := range fields {
		q.Set(k, v)
	}
	return q.Encode()
}

// Widget is what the login widget gives a page.
func (s *Server) Widget(user int64, name string, at time.Time) map[string]any {
	fields := map[string]string{"id": strconv.FormatInt(user, 10), "first_name": name, "auth_date": strconv.FormatInt(at.Unix(), 10)}
	secret := sha256.Sum256([]byte(s.token))
	return map[string]any{"id": user, "first_name": name, "auth_date": at.Unix(), "hash": hex.EncodeToString(mac(secret[:], lines(fields)))}
}

func lines(fields map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, k+"="+fields[k])
	}
	return strings.Join(all, "\n")
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Say sends the webhook what a person wrote to the bot, and gives the webhook's status.
func (s *Server) Say(ctx context.Context, user int64, name, text string) (int, error) {
	return s.Update(ctx, map[string]any{"message": map[string]any{
		"message_id": time.Now().UnixNano() % 1e9, "date": time.Now().Unix(), "text": text,
		"from": person(user, name), "chat": map[string]any{"id": user, "type": "private", "first_name": name},
	}})
}

// Member tells the webhook how the bot stands with a person now ("kicked", "member").
func (s *Server) Member(ctx context.Context, user int64, status string) (int, error) {
	return s.Update(ctx, map[string]any{"my_chat_member": map[string]any{
		"date": time.Now().Unix(), "from": person(user, "x"), "chat": map[string]any{"id": user, "type": "private"},
		"new_chat_member": map[string]any{"status": status},
	}})
}

func person(id int64, name string) map[string]any {
	return map[string]any{"id": id, "is_bot": false, "first_name": name, "username": "u" + strconv.FormatInt(id, 10)}
}

// Update sends the webhook an update; it gets the next number unless it has one.
func (s *Server) Update(ctx context.Context, u map[string]any) (int, error) {
	s.mu.Lock()
	if _, numbered := u["update_id"]; !numbered {
		s.updateID++
		u["update_id"] = s.updateID
	}
	to, secret := s.webhook, s.secret
	s.mu.Unlock()
	body, err := json.Marshal(u)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // read below
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = ""
	if resp.StatusCode/100 != 2 {
		s.failed = fmt.Sprintf("%d %s", resp.StatusCode, said)
	}
	return resp.StatusCode, nil
}

func caller(r *http.Request) (int64, string) {
	id, err := strconv.ParseInt(r.FormValue("id"), 10, 64)
	if err != nil {
		id = 5000000001
	}
	return id, cmp.Or(r.FormValue("name"), "Ana")
}

// initData: GET /initdata?id=5000000001&name=Ana
func (s *Server) initData(w http.ResponseWriter, r *http.Request) {
	id, name := caller(r)
	write(w, http.StatusOK, map[string]string{"initData": s.InitData(id, name, time.Now())})
}

// widget: GET /widget?id=5000000001&name=Ana
func (s *Server) widget(w http.ResponseWriter, r *http.Request) {
	id, name := caller(r)
	write(w, http.StatusOK, map[string]any{"widget": s.Widget(id, name, time.Now())})
}

// messages: GET /messages?id=5000000001 gives what the bot wrote to a person.
func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	id, _ := caller(r)
	write(w, http.StatusOK, s.Sent(id))
}

// say: POST /say with id, name and text as a form; the person writes to the bot.
func (s *Server) say(w http.ResponseWriter, r *http.Request) {
	id, name := caller(r)
	status, err := s.Say(r.Context(), id, name, r.FormValue("text"))
	if err != nil {
		write(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
		return
	}
	write(w, http.StatusOK, map[string]int{"webhook": status})
}
