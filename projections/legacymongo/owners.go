package legacymongo

import (
	"maps"
	"slices"

	"holdfast/domain/escrow"
	"holdfast/domain/fault"
)

// ErrOwnedByLegacy: the old backend still writes the domain's documents, so we do not.
var ErrOwnedByLegacy = fault.New(fault.Conflict, "DOMAIN_OWNED_BY_LEGACY", "the old backend still owns this: do it there")

// Owners are the domains whose documents the old backend writes; it owns none that is not named.
// Ownership is a setting, so it stands still while the process runs.
type Owners map[string]bool

// Legacy reports whether the old backend owns a domain.
func (o Owners) Legacy(domain string) bool { return o[domain] }

// Any gives the domains that the old backend owns, sorted.
func (o Owners) Any() []string {
	all := slices.Collect(maps.Keys(o))
	all = slices.DeleteFunc(all, func(d string) bool { return !o[d] })
	slices.Sort(all)
	return all
}

// Writes reports whether an event changes a document of the old backend, and of which domain. A
// hold is told in the old backend's payments too.
func (o Owners) Writes(streamType, event string) (domain string, theirs bool) {
	if len(o) == 0 || slices.Contains(untold, event) {
		return "", false
	}
	for _, c := range Collections() {
		if o[c.Domain] && slices.Contains(c.Streams, streamType) {
			return c.Domain, true
		}
	}
	return Payment, o[Payment] && streamType == escrow.Decider.Category
}

// untold are the events of which no document tells, and after which it may still be replaced by what
// the old backend writes: people sign out.
var untold = []string{"user.sessions_revoked"}

// owned is what a projector says that was asked to write for the old backend. It passes: another
// process may have been given other settings, and ours may change.
type owned struct{ collection string }

func (o owned) Error() string { return o.collection + " is the old backend's: nothing is written" }
func (o owned) Unwrap() error { return ErrOwnedByLegacy }
func (owned) Passing() bool   { return true }
