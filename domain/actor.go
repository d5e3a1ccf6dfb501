package domain

import "slices"

// Capacity says as what somebody acts on an object: a role that the user holds, a part in
// this very order, or one of the machines. A table row lists the capacities that may issue
// its command.
type Capacity string

// The capacities. Buyer and Seller on an object mean *its* buyer and *its* seller.
const (
	Buyer    Capacity = "buyer"
	Seller   Capacity = "seller"
	Admin    Capacity = "admin"
	Resolver Capacity = "resolver"
	Guard    Capacity = "guard"
	Self     Capacity = "self"     // the person whom the object is about
	Process  Capacity = "process"  // a policy that reacts to an event
	Timer    Capacity = "timer"    // a due deadline
	Chain    Capacity = "chain"    // evidence read from a chain
	Provider Capacity = "provider" // a payment provider's verified answer
	Import   Capacity = "import"   // the legacy bridge
	Key      Capacity = "api_key"  // a program with an API key; its scopes were checked at the door
)

// Actor is who issues a command.
type Actor struct {
	// Kind is "user" or the name of a machine: process, timer, chain, provider, import.
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Roles are what a user may be in general; empty for machines.
	Roles []Capacity `json:"roles,omitempty"`
}

// User makes a person's actor.
func User(id UserID, roles ...Capacity) Actor {
	return Actor{Kind: "user", ID: string(id), Roles: roles}
}

// Machine makes the actor of one of our own parts; name says which one for the audit trail.
func Machine(c Capacity, name string) Actor { return Actor{Kind: string(c), ID: name} }

// Is reports whether the actor is this person.
func (a Actor) Is(id UserID) bool { return a.Kind == "user" && id != "" && a.ID == string(id) }

// Has reports whether the actor holds a role.
func (a Actor) Has(c Capacity) bool { return slices.Contains(a.Roles, c) }

// User gives the person's id, empty for machines.
func (a Actor) User() UserID {
	if a.Kind != "user" {
		return ""
	}
	return UserID(a.ID)
}

// General lists the capacities that do not depend on the object: a person's admin,
// resolver and guard roles, or what the machine is. Buyer and seller depend on the object;
// an aggregate adds them by looking at its own parties.
func (a Actor) General() []Capacity {
	if a.Kind != "user" {
		return []Capacity{Capacity(a.Kind)}
	}
	var cs []Capacity
	for _, c := range []Capacity{Admin, Resolver, Guard} {
		if a.Has(c) {
			cs = append(cs, c)
		}
	}
	return cs
}
