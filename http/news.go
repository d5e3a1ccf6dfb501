package http

import (
	"strings"

	"holdfast/domain"
)

// Heard takes news about what must not be remembered any longer: "session:<id>",
// "user:<id>", "api_key:<id>". Anything else, and nothing at all, means that news may have
// been missed: everything is asked for again.
func (s *Server) Heard(news string) {
	kind, id, _ := strings.Cut(news, ":")
	switch {
	case kind == "session" && id != "":
		s.sessions.forget(id)
	case kind == "user" && id != "":
		s.sessions.forgetUser(domain.UserID(id))
	case kind == "api_key" && id != "":
		s.keys.forget(id)
	default:
		s.sessions.forgetAll()
		s.keys.forget("")
	}
}
