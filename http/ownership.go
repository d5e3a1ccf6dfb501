package http

import (
	"slices"
	"strings"

	"holdfast/domain"
)

// Owned says whose things a route is about. Every route of the table has one answer: it
// follows from its path (ownerships), and a test fails for a route without.
type Owned string

// The answers.
const (
	// Platform: nobody's. The role, or the scope of the key, decides alone.
	Platform Owned = "platform"
	// Own: what belongs to the caller, found by who is signed in. It names nobody else's.
	Own Owned = "own"
	// OwnByID: the same, named by an id: it is looked for among the caller's own.
	OwnByID Owned = "own, by its id"

	OfRequest Owned = "request" // a purchase request, or the order it has become
	OfOffer   Owned = "offer"
	OfPayment Owned = "payment"
	OfQuote   Owned = "quote"
	OfHold    Owned = "order's money" // release holds and inspection, by the request
	OfPayout  Owned = "payout"
	OfRefund  Owned = "refund"
	OfDispute Owned = "dispute"
	OfSession Owned = "session"
)

// ownerships are the answers by path; the longest one that fits counts.
var ownerships = map[string]Owned{
	"/health":                    Platform,
	"/api/version":               Platform,
	"/api/networks":              Platform,
	"/api/ledger":                Platform,
	"/api/audit":                 Platform,
	"/api/admin":                 Platform,
	"/api/auth":                  Own,
	"/api/auth/passkey/{id}":     OwnByID,
	"/api/auth/methods/{id}":     OwnByID,
	"/api/user/wallets/{id}":     OwnByID,
	"/api/user/data-export/{id}": OwnByID,
	"/api/users/wallets/{id}":    OwnByID,
	"/api/address/{id}":          OwnByID,
	"/api/auth/sessions/{id}":    OfSession,
	"/api/trezor":                Own,
	"/api/user":                  Own,
	"/api/user/admin":            Platform,
	"/api/user/{id}":             Platform, // the public profile
	"/api/address":               Own,
	"/api/telegram":              Own,
	"/api/email":                 Own, // letters to others only for admins
	"/api/email/queue/{id}":      Platform,
	"/api/users":                 Own,
	"/api/users/admin":           Platform,
	"/api/users/{id}":            Platform,
	"/api/payment":               Own,
	"/api/payment/{id}":          OfPayment,
	"/api/payment/quotes":        Own,

	"/api/payment/health":                         Platform,
	"/api/payment/quotes/{id}":                    OfQuote,
	"/api/payment/payouts":                        Own,
	"/api/payment/payouts/{id}":                   OfPayout,
	"/api/payment/refunds":                        Own,
	"/api/payment/refunds/{id}":                   OfRefund,
	"/api/payment/unmatched":                      Platform,
	"/api/payment/derived-destinations":           Platform,
	"/api/payment/decentralized":                  Own, // what it names in its body or finds by a transaction is looked up as the caller's
	"/api/payment/request-network":                Platform,
	"/api/payment/request-network/intents":        Own,
	"/api/payment/request-network/{id}":           OfPayment,
	"/api/marketplace/requests":                   Own,
	"/api/marketplace/requests/{id}":              OfRequest,
	"/api/marketplace/offers":                     Own,
	"/api/marketplace/offers/{id}":                OfOffer,
	"/api/marketplace/offers/request/{requestId}": OfRequest,
	"/api/disputes":                               Own,
	"/api/disputes/{id}":                          OfDispute,
	"/api/disputes/pr/{requestId}":                OfHold,
}

// Owned gives the route's answer; ok is false when there is none.
func (r *Route) Owned() (whose Owned, ok bool) {
	for path := r.Path; path != ""; path = path[:strings.LastIndexByte(path, '/')] {
		if whose, ok = ownerships[path]; ok {
			return whose, true
		}
	}
	return "", false
}

// Sees lists the roles that see every object of a kind, whoever's it is. A resolver sees the
// disputes that are his or wait for somebody.
func (o Owned) Sees() []domain.Capacity {
	switch o {
	case OfRequest, OfOffer, OfPayout, OfRefund:
		return []domain.Capacity{domain.Admin}
	case OfPayment:
		return []domain.Capacity{domain.Admin, domain.Guard}
	case OfHold:
		return []domain.Capacity{domain.Admin, domain.Guard, domain.Resolver}
	case OfDispute:
		return []domain.Capacity{domain.Admin, domain.Resolver}
	}
	return nil
}

// Whose says in words who owns what a route is about, for docs/access.md.
func (o Owned) Whose() string {
	switch o {
	case Platform:
		return "nobody's: the role decides"
	case Own, OwnByID:
		return "the caller's own"
	case OfRequest:
		return "its buyer, its selected seller; while it is open, sellers who may see it"
	case OfOffer:
		return "its seller, the request's buyer"
	case OfQuote:
		return "its buyer"
	case OfPayout:
		return "its seller"
	case OfSession:
		return "who signed in"
	}
	return "its buyer and its seller"
}

// is reports whether the caller is this person. Who is nobody (an API key, no seller yet) is
// never the same as another nobody.
func (c *call) is(u domain.UserID) bool { return u != "" && c.user() == u }

// oneOf reports whether the caller is one of an object's people.
func (c *call) oneOf(people ...domain.UserID) bool { return slices.ContainsFunc(people, c.is) }

// sees is the one rule of who sees an object: its people, and the roles that see all of its
// kind. What somebody does not see is not there: the same 404.
func (c *call) sees(kind Owned, people ...domain.UserID) bool {
	return c.oneOf(people...) || slices.ContainsFunc(kind.Sees(), c.has)
}

// seesRequest: sellers also see what is open to them.
func (c *call) seesRequest(buyer, seller domain.UserID, visible func(domain.UserID) bool) bool {
	return c.sees(OfRequest, buyer, seller) || c.has(domain.Seller) && visible(c.user())
}

// seesDispute: resolvers see those that are theirs, were theirs, or wait for somebody.
func (c *call) seesDispute(buyer, seller, resolver domain.UserID, before []domain.UserID) bool {
	switch {
	case c.oneOf(buyer, seller), c.has(domain.Admin):
		return true
	case c.has(domain.Resolver):
		return resolver == "" || c.is(resolver) || c.oneOf(before...)
	}
	return false
}
