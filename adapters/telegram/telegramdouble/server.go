// Package telegramdouble plays Telegram for tests and for development, over real HTTP: the bot API,
// updates to the webhook, and the data that Telegram's clients would bring. It can limit the bot,
// block it, move a group, and answer something else than JSON.
package telegramdouble

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Behaviour is how the double treats the bot. The zero value is a good day.
type Behaviour struct {
	Limited    int // so many calls are answered with 429 …
	RetryAfter int // … and this many seconds
	HTML       int // so many calls are answered with a page
	Blocked    map[int64]bool
	Moved      map[int64]int64 // groups that are supergroups now
	Revoked    bool            // the token is no good any more
}

// Message is one that the bot sent.
type Message struct {
	ID   int64     `json:"id"`
	Chat int64     `json:"chat"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// Server is the double.
type Server struct {
	token, name string
	listen      net.Listener
	http        *http.Server

	mu       sync.Mutex
	how      Behaviour
	sent     []Message
	calls    map[string]int
	webhook  string
	secret   string
	updateID int64
	failed   string // the last delivery's answer, when it was none that Telegram takes
}

// Start serves on a free port of this machine, for the bot of a token ("number:secret").
func Start(token, name string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens as long as it lives
	if err != nil {
		return nil, err
	}
	s := &Server{token: token, name: name, listen: l, calls: map[string]int{}, updateID: time.Now().Unix()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /bot"+token+"/{method}", s.api)
	mux.HandleFunc("GET /initdata", s.initData)
	mux.HandleFunc("GET /widget", s.widget)
	mux.HandleFunc("GET /messages", s.messages)
	mux.HandleFunc("POST /say", s.say)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusUnauthorized, nil) })
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.http.Serve(l) }() // it ends with Close
	return s, nil
}

// URL of the bot API.
func (s *Server) URL() string { return "http://" + s.listen.Addr().String() }

// Close ends it.
func (s *Server) Close() error { return s.http.Close() }

// Behave changes the behaviour from now on.
func (s *Server) Behave(change func(*Behaviour)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.how)
}

// Sent gives the messages of a chat, oldest first; of every chat for 0.
func (s *Server) Sent(chat int64) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.sent), func(m Message) bool { return chat != 0 && m.Chat != chat })
}

// Calls counts the calls of a method, refused ones too.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, parameters map[string]any) {
	write(w, status, map[string]any{"ok": false, "error_code": status, "description": http.StatusText(status), "parameters": parameters})
}

func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method := r.PathValue("method")
	s.calls[method]++
	switch {
	case s.how.Revoked:
		refuse(w, http.StatusUnauthorized, nil)
	case s.how.Limited > 0:
		s.how.Limited--
		refuse(w, http.StatusTooManyRequests, map[string]any{"retry_after": s.how.RetryAfter})
	case s.how.HTML > 0:
		s.how.HTML--
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>Bad Gateway</html>"))
	default:
		s.carryOut(w, r, method)
	}
}

func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, method string) {
	ok := func(result any) { write(w, http.StatusOK, map[string]any{"ok": true, "result": result}) }
	switch method {
	case "getMe":
		ok(map[string]any{"id": s.botID(), "is_bot": true, "first_name": "Holdfast", "username": s.name})
	case "setWebhook":
		var in struct {
			URL    string `json:"url"`
			Secret string `json:"secret_token"`
		}
		if json.NewDecoder(r.Body).Decode(&in) != nil || !strings.HasPrefix(in.URL, "http") {
			refuse(w, http.StatusBadRequest, nil)
			return
		}
		s.webhook, s.secret = in.URL, in.Secret
		ok(true)
	case "getWebhookInfo":
		ok(map[string]any{"url": s.webhook, "pending_update_count": 0, "last_error_message": s.failed})
	case "sendMessage":
		s.take(w, r, ok)
	default:
		refuse(w, http.StatusNotFound, nil)
	}
}

func (s *Server) take(w http.ResponseWriter, r *http.Request, ok func(any)) {
	var in struct {
		Chat int64  `json:"chat_id"`
		Text string `json:"text"`
	}
	switch err := json.NewDecoder(r.Body).Decode(&in); {
	case err != nil || in.Text == "" || len([]rune(in.Text)) > 4096:
		refuse(w, http.StatusBadRequest, nil)
	case s.how.Moved[in.Chat] != 0:
		refuse(w, http.StatusBadRequest, map[string]any{"migrate_to_chat_id": s.how.Moved[in.Chat]})
	case s.how.Blocked[in.Chat]:
		refuse(w, http.StatusForbidden, nil)
	default:
		m := Message{ID: int64(len(s.sent) + 1), Chat: in.Chat, Text: in.Text, At: time.Now().UTC()}
		s.sent = append(s.sent, m)
		ok(map[string]any{"message_id": m.ID, "date": m.At.Unix(), "chat": map[string]any{"id": m.Chat}, "text": m.Text})
	}
}
