package legacyfixture

import (
	"math/rand/v2"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

const (
	buyers  = "buyer"
	sellers = "seller"
)

// staff are the first accounts.
var staff = []string{"admin", "guard", "resolver", "resolver"}

// Password is that of every account which has one.
const Password = "legacy-password-1"

// hashes of it, as bcrypt of several versions and costs wrote them.
var hashes = []string{
	"$2a$04$NtJ8NpQAVjbKxhTnwJ/CdeR/OSeJawzLsytjNdJwEwvUHU7ZU8lQi",
	"$2b$04$5s91FOqsQXaAbfpR7gCYPeG1OBH7u.3kp2AbJysjTEtKKHOyxYqjm",
	"$2b$06$Ac1JYmb3ivpjFMUT8ff2QOO19AVWwMRXwlKpCwH2GL1J8CoAqlciO",
	"$2b$10$HS8N/seYLcKm08zUPfIwEeSCOIlVrFxtom7PyU/J8CZzA9jLfFOJK",
}

func roleOf(n int) string {
	switch {
	case n < len(staff):
		return staff[n]
	case n%10 < 6:
		return buyers
	}
	return sellers
}

func (m *maker) userID(n int) primitive.ObjectID { return m.object("users", m.within(n, m.Users), n) }

// byTelegram reports an account without address and password.
func byTelegram(n int) bool { return n >= len(staff) && n%23 == 5 }

func email(n int) string {
	return strings.ToLower(firstNames[n%len(firstNames)]) + "." + spelled(n) + "@example." + []string{"com", "org", "net"}[n%3]
}

// userDirt says what is wrong with an account. The first ones are never refused: staff, and those
// whom the first orders need.
func (m *maker) userDirt(n int) (kind string, refuse bool) {
	r := m.random("user dirt", n)
	if n < len(staff) || !chance(r, m.Dirt) {
		return "", false
	}
	if n < leastUsers/2 || chance(r, 0.5) {
		return pick(r, "missing_firstName", "text_isEmailVerified", "missing_status", "missing_createdAt"), false
	}
	kind = pick(r, "duplicate_email", "duplicate_email_case", "unknown_role", "unknown_status")
	if strings.HasPrefix(kind, "duplicate") && byTelegram(n) {
		return "unknown_role", true
	}
	return kind, true
}

// person draws somebody of a role among the first accounts who is taken over, and not one of those.
func (m *maker) person(r *rand.Rand, role string, among int, except []int) int {
	among = max(among, leastUsers)
	n := r.IntN(among)
	for ; ; n = (n + 1) % among {
		if roleOf(n) != role || slices.Contains(except, n) {
			continue
		}
		if _, refuse := m.userDirt(n); !refuse {
			return n
		}
	}
}

// refusedPerson finds somebody among the first accounts whom import refuses.
func (m *maker) refusedPerson(r *rand.Rand, among int) (n int, ok bool) {
	if among <= 0 {
		return 0, false
	}
	n = r.IntN(among)
	for range min(among, 2_000) {
		if _, refuse := m.userDirt(n); refuse {
			return n, true
		}
		n = (n + 1) % among
	}
	return 0, false
}

func (m *maker) user(n int) (bson.D, *Dirty) {
	r, at := m.random("user", n), m.within(n, m.Users)
	kind, refuse := m.userDirt(n)
	status := pick(r, "active", "active", "active", "active", "active", "active", "active", "active", "active", "suspended")
	if n < leastUsers {
		status = "active"
	}
	provider := pick(r, "email", "email", "email", "google")
	doc := bson.D{{Key: "_id", Value: m.userID(n)}}
	if byTelegram(n) {
		provider = "telegram"
		doc = append(doc, bson.E{Key: "telegramId", Value: int64(5_000_000_000 + n)})
	} else {
		address := email(n)
		switch kind {
		case "duplicate_email":
			address = email(m.namesake(r, n))
		case "duplicate_email_case":
			address = strings.ToUpper(email(m.namesake(r, n)))
		}
		doc = append(doc, bson.E{Key: "email", Value: address})
		if provider == "email" {
			doc = append(doc, bson.E{Key: "password", Value: hashes[n%len(hashes)]})
		}
	}
	doc = append(doc, bson.D{
		{Key: "firstName", Value: firstNames[n%len(firstNames)]},
		{Key: "lastName", Value: pick(r, lastNames...)},
		{Key: "role", Value: roleOf(n)},
		{Key: "isEmailVerified", Value: provider == "google" || n < len(staff) || chance(r, 0.8)},
		{Key: "status", Value: status},
		{Key: "isActive", Value: status == "active"},
		{Key: "authProvider", Value: provider},
	}...)
	doc = optional(r, doc, "phone", chance(r, 0.4), "+49151"+spelledDigits(r, 8))
	doc = optional(r, doc, "walletAddress", roleOf(n) == sellers && chance(r, 0.7), anAddress(r))
	points := int32(r.IntN(500)) //nolint:gosec // small
	doc = append(doc, bson.D{
		{Key: "preferences", Value: bson.D{{Key: "language", Value: pick(r, "en", "fa", "de")}, {Key: "notifications", Value: bson.D{{Key: "email", Value: true}, {Key: "push", Value: chance(r, 0.5)}}}}},
		{Key: "points", Value: bson.D{{Key: "total", Value: points}, {Key: "available", Value: points / 2}, {Key: "used", Value: points - points/2}, {Key: "level", Value: 1 + points/200}}},
		{Key: "referralCode", Value: strings.ToUpper(spelled(n + 4096))},
	}...)
	last := later(r, at, hour, 40*day)
	doc = stamp(r, optional(r, doc, "lastLoginAt", chance(r, 0.9), date(last)), at, last)
	return m.soil(doc, "users", kind, refuse)
}

// namesake is an earlier account with an address, which import takes.
func (m *maker) namesake(r *rand.Rand, n int) int {
	for {
		if of := r.IntN(n); !byTelegram(of) {
			if _, refuse := m.userDirt(of); !refuse {
				return of
			}
		}
	}
}

func spelledDigits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + r.IntN(10))
	}
	return string(b)
}
