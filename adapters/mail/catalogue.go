package mail

// Field is a variable of a template.
type Field struct {
	Name     string
	Required bool
	Long     bool   // may have lines; else one line
	Sample   string // for previews
}

// Template is a kind of letter.
type Template struct {
	Name    string
	Purpose string
	// Optional letters carry a way to unsubscribe and are not sent to who did; the others are
	// about the account's safety and always are.
	Optional bool
	Fields   []Field
}

func need(name, sample string) Field  { return Field{Name: name, Required: true, Sample: sample} }
func allow(name, sample string) Field { return Field{Name: name, Sample: sample} }

// catalogue is every letter there is. Each has a .txt with its subject and body, and an .html
// with its body, in templates/.
var catalogue = []Template{
	{Name: "verify-email", Purpose: "The code that shows that an address is one's own", Fields: []Field{
		need("code", "493027"), allow("name", "Zoë Ångström"), allow("minutes", "30"), allow("link", "https://shop.example/auth/verify-email#code=493027"),
	}},
	{Name: "reset-password", Purpose: "The code to choose a new password with", Fields: []Field{
		need("code", "771204"), allow("name", "Zoë Ångström"), allow("minutes", "15"), allow("link", "https://shop.example/auth/reset-password#code=771204"),
	}},
	{Name: "email-changed", Purpose: "To the old address: the account has another one now", Fields: []Field{
		allow("name", "Zoë Ångström"), allow("when", "26 November 2026, 14:05 UTC"),
	}},
	{Name: "password-changed", Purpose: "The password was changed or reset", Fields: []Field{
		allow("name", "Zoë Ångström"), allow("when", "26 November 2026, 14:05 UTC"),
	}},
	{Name: "new-sign-in", Purpose: "Somebody signed in from a device that was not seen before", Fields: []Field{
		allow("name", "Zoë Ångström"), allow("when", "26 November 2026, 14:05 UTC"), allow("device", "Firefox on Linux"),
		allow("address", "203.0.113.7"), allow("method", "password"),
	}},
	{Name: "method-linked", Purpose: "Something else signs in to the account now", Fields: []Field{
		need("method", "Google"), allow("name", "Zoë Ångström"), allow("when", "26 November 2026, 14:05 UTC"), allow("address", "203.0.113.7"),
	}},
	{Name: "method-unlinked", Purpose: "Something does not sign in to the account any more", Fields: []Field{
		need("method", "Google"), allow("name", "Zoë Ångström"), allow("when", "26 November 2026, 14:05 UTC"), allow("address", "203.0.113.7"),
	}},
	{Name: "account-created", Purpose: "An administrator has made an account for somebody", Fields: []Field{
		allow("name", "Zoë Ångström"), allow("role", "resolver"),
	}},
	{Name: "account-closing", Purpose: "An erasure was asked for; until when it can be taken back", Fields: []Field{
		allow("name", "Zoë Ångström"), need("due", "10 December 2026, 14:05 UTC"),
	}},
	{Name: "account-erased", Purpose: "The last letter: what was held is gone", Fields: []Field{
		allow("name", "Zoë Ångström"),
	}},
	{Name: "seller-application", Purpose: "What became of an application to sell", Fields: []Field{
		allow("name", "Zoë Ångström"), allow("shop", "Ångström & Søn"), need("decision", "approved"), {Name: "reason", Long: true, Sample: "Welcome to the market."},
	}},
	{Name: "data-export", Purpose: "An export of one's data can be downloaded", Fields: []Field{
		allow("name", "Zoë Ångström"), need("until", "3 December 2026, 14:05 UTC"),
	}},
	{Name: "test", Purpose: "Shows that mail arrives", Fields: []Field{
		allow("name", "Zoë Ångström"), allow("when", "26 November 2026, 14:05 UTC"),
	}},
	{Name: "notice", Purpose: "News from the operator, which one may unsubscribe from", Optional: true, Fields: []Field{
		allow("name", "Zoë Ångström"), need("subject", "Shorter inspection periods from January"),
		{Name: "text", Required: true, Long: true, Sample: "Orders that begin in January\nare inspected within 48 hours."},
	}},
}
