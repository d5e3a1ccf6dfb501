package legacydb

import (
	"net/mail"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/migration"
)

var roles = []string{string(domain.Admin), string(domain.Buyer), string(domain.Seller), string(domain.Resolver), string(domain.Guard)}

// User decodes a document of users.
func User(raw []byte) migration.User {
	f, found := read(raw)
	u := migration.User{
		Status: status(f), Roles: userRoles(f), Verified: f.Bool("isEmailVerified", false), Method: method(f),
		Profile: migration.Profile{Avatar: first(f, "avatar", "profileImage"), Bio: f.Text("bio"), Locale: first(f, "locale", "language", "preferences.language"), Phone: first(f, "phone", "phoneNumber")},
		Google:  first(f, "googleId", "google.id"), Telegram: telegram(f),
	}
	u.FirstName, u.LastName = names(f)
	u.Email = email(f, u)
	u.Password = password(f, u)
	for _, a := range f.Each("addresses") {
		u.Addresses = append(u.Addresses, address(a))
	}
	for name, why := range map[string]string{
		"referralCode": "not taken: referrals come with points", "points": "not taken: they come with points",
		"walletAddress": "not taken: whom money may go to proves the address anew",
	} {
		if f.Has(name) {
			f.Note(name, why)
		}
	}
	if u.Email == "" && u.Google == "" && u.Telegram == "" && !u.Deleted() && len(found.Problems) == 0 {
		f.Problem("email", "an address, or an id of Google or Telegram: the person could never sign in")
	}
	u.Found = *found
	return u
}

// method is how the person registered; unknown words are no reason to keep anybody out.
func method(f Fields) account.Method {
	switch strings.ToLower(f.Text("authProvider")) {
	case "email", "local", "password":
		return account.Password
	case "google":
		return account.Google
	case "telegram":
		return account.Telegram
	}
	return account.Imported
}

// telegram is a number, however it is written.
func telegram(f Fields) string {
	for _, name := range []string{"telegramId", "telegram.id"} {
		v, ok := f.Value(name)
		if !ok {
			continue
		}
		said, isText := v.StringValueOK()
		if !isText {
			said, _ = number(v)
		}
		if said == "" || len(said) > 15 || strings.Trim(said, "0123456789") != "" || said[0] == '0' {
			f.Problem(name, "the number of a Telegram account")
			return ""
		}
		return said
	}
	return ""
}

// status is that of the account: isActive counts where status says nothing.
func status(f Fields) string {
	active := f.Bool("isActive", true)
	if !f.Has("status") {
		if active {
			return "active"
		}
		return "suspended"
	}
	said := f.OneOf("status", "", "active", "suspended", "deleted")
	if said == "active" && !active {
		f.Note("isActive", "false although the status is active: suspended")
		return "suspended"
	}
	return said
}

// userRoles reads role and roles; what one of them leaves out the other may have.
func userRoles(f Fields) []domain.Capacity {
	var all []domain.Capacity
	said := f.Texts("roles")
	if f.Has("role") {
		said = append([]string{f.Text("role")}, said...)
	}
	for _, r := range said {
		c := domain.Capacity(strings.ToLower(r))
		switch {
		case !slices.Contains(roles, string(c)):
			f.problem("role", clip(r), "one of "+strings.Join(roles, ", "))
		case !slices.Contains(all, c):
			all = append(all, c)
		}
	}
	if len(said) == 0 {
		f.Note("role", "missing: buyer")
		return []domain.Capacity{domain.Buyer}
	}
	return all
}

func names(f Fields) (firstName, lastName string) {
	firstName, lastName = strings.TrimSpace(f.Text("firstName")), strings.TrimSpace(f.Text("lastName"))
	if firstName+lastName == "" {
		firstName = strings.TrimSpace(first(f, "name", "fullName", "username"))
	}
	if firstName+lastName == "" {
		f.Note("firstName", "missing: no name")
	}
	return firstName, lastName
}

func email(f Fields, u migration.User) string {
	text := strings.ToLower(strings.TrimSpace(f.Text("email")))
	if text == "" || u.Deleted() {
		return ""
	}
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || len(text) > 254 {
		f.Problem("email", "an e-mail address")
		return ""
	}
	return text
}

// password is the bcrypt hash; who has none signs in by other means.
func password(f Fields, u migration.User) string {
	hash := f.Text("password")
	if hash == "" || u.Deleted() {
		return ""
	}
	if len(hash) != 60 || !strings.HasPrefix(hash, "$2") {
		f.Note("password", "not a bcrypt hash: the person must set a new one")
		return ""
	}
	return hash
}

func address(f Fields) migration.Address {
	return migration.Address{
		Label: first(f, "label", "title"), FullName: first(f, "fullName", "name"), Line1: first(f, "line1", "addressLine1", "street", "address"),
		Line2: first(f, "line2", "addressLine2"), City: f.Text("city"), Region: first(f, "region", "state"),
		PostalCode: first(f, "postalCode", "zipCode"), Country: f.Text("country"), Phone: first(f, "phone", "phoneNumber"), Default: f.Bool("isDefault", false),
	}
}

// first is the text of the first field that is there.
func first(f Fields, names ...string) string {
	for _, name := range names {
		if f.Has(name) {
			return f.Text(name)
		}
	}
	return ""
}
