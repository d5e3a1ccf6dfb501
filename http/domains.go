package http

import (
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/projections/legacymongo"
)

// noDomain: what the route writes stands in no document of the old backend, or it records a fact
// from outside that must not be lost whoever owns the domain.
const noDomain = ""

// domains says whose documents the writes of a route change, by path; the longest one that fits
// counts. Where the old backend owns the domain, the route answers 409 DOMAIN_OWNED_BY_LEGACY. A
// test fails for a route that writes and has no answer here.
var domains = map[string]string{
	"/api/auth":                       legacymongo.User,
	"/api/auth/login":                 noDomain, // signing in changes no document: sessions are ours
	"/api/auth/refresh":               noDomain,
	"/api/auth/logout":                noDomain,
	"/api/auth/logout-all":            noDomain,
	"/api/auth/sessions":              noDomain,
	"/api/auth/passkey/login":         noDomain,
	"/api/auth/google":                noDomain, // of somebody who is there, and linked: see ours
	"/api/auth/wallet":                noDomain,
	"/api/telegram":                   noDomain,
	"/api/telegram/link":              legacymongo.User, // a means of signing in is theirs to tell
	"/api/telegram/unlink":            legacymongo.User,
	"/api/user":                       legacymongo.User,
	"/api/user/data-export":           noDomain,
	"/api/address":                    legacymongo.User,
	"/api/admin/users":                legacymongo.User,
	"/api/marketplace":                legacymongo.Marketplace,
	"/api/payment":                    legacymongo.Payment,
	"/api/payment/{id}/reconcile":     noDomain, // asks what has arrived, and records it
	"/api/admin/payments":             legacymongo.Payment,
	"/api/ledger":                     legacymongo.Payment,
	"/api/disputes":                   legacymongo.Dispute,
	"/api/trezor":                     legacymongo.Trezor,
	"/api/trezor/operations":          noDomain,
	"/api/trezor/verify-operation":    noDomain,
	"/api/admin/reconciliation":       noDomain,
	"/api/admin/breaker":              noDomain,
	"/api/admin/rn":                   noDomain,
	"/api/admin/api-keys":             noDomain,
	"/api/admin/migration":            noDomain,
	"/api/admin/projections":          noDomain,
	"/api/admin/dead-letters":         noDomain,
	"/api/admin/settings/break-glass": noDomain,
	"/api/email":                      noDomain,

	"/api/payment/derived-destinations":                      legacymongo.Destination,
	"/api/admin/payments/awaiting-confirmation/{id}/recheck": noDomain,
	"/api/admin/settings/confirmation-thresholds":            legacymongo.Payment,
	"/api/disputes/pr/{requestId}":                           legacymongo.ReleaseHold,
	"/api/disputes/pr/{requestId}/raise":                     legacymongo.Dispute,
}

// Domain gives the domain whose documents the route's writes change, empty for none; ok is false
// when nobody has said.
func (r *Route) Domain() (name string, ok bool) {
	if r.Class == Query || r.Class == Ingestion {
		return noDomain, true
	}
	for path := r.Path; path != ""; path = path[:strings.LastIndexByte(path, '/')] {
		if name, ok = domains[path]; ok {
			return name, true
		}
	}
	return "", false
}

// owning writes into the table which routes may be refused because of their domain's owner.
func owning(routes []Route) []Route {
	for i := range routes {
		r := &routes[i]
		if name, _ := r.Domain(); name != noDomain {
			r.Errors = append(slices.Clone(r.Errors), legacymongo.ErrOwnedByLegacy.Code)
		}
	}
	return routes
}

// here refuses a write of a domain that the old backend owns. Queries pass.
func (s *Server) here(r *Route) error {
	if name, _ := r.Domain(); s.deps.Owners.Legacy(name) {
		return legacymongo.ErrOwnedByLegacy.With("domain", strings.ToLower(name))
	}
	return nil
}

// ours is the second guard, where it is known what a command writes: one that would change a
// document of the old backend in passing is refused whole, whichever route it came by. Facts from
// outside and timers do not come by here.
func (s *Server) ours(decide func(*domain.Unit) (any, error)) func(*domain.Unit) (any, error) {
	if len(s.deps.Owners.Any()) == 0 {
		return decide
	}
	return func(u *domain.Unit) (any, error) {
		answer, err := decide(u)
		if err != nil {
			return answer, err
		}
		for _, staged := range u.Staged() {
			for _, e := range staged.Events {
				if name, theirs := s.deps.Owners.Writes(staged.Stream.Type, e.EventType()); theirs {
					return nil, legacymongo.ErrOwnedByLegacy.With("domain", strings.ToLower(name))
				}
			}
		}
		return answer, nil
	}
}
