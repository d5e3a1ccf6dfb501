package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// People are the plain rows about people; each part that is nil answers 503.
type People struct {
	Profiles     Profiles
	Addresses    Addresses
	Applications Applications
	Exports      Exports
	Directory    Directory
	Dependencies Dependencies
	Erasures     Erasures
}

// Profile is what a person says about themselves, beside the name.
type Profile struct {
	Avatar string
	Bio    string
	Locale string
	Phone  string
}

// Profiles are sealed with the person's key.
type Profiles interface {
	Of(ctx context.Context, u domain.UserID) (Profile, error)
	// Put replaces the profile.
	Put(ctx context.Context, u domain.UserID, p Profile) error
	// Preferences are an object; empty before somebody chose.
	Preferences(ctx context.Context, u domain.UserID) (json.RawMessage, error)
	PutPreferences(ctx context.Context, u domain.UserID, raw json.RawMessage) error
}

// AddressText is where something can be sent.
type AddressText struct {
	Label      string `json:"label" minLength:"1" maxLength:"60" pattern:"\\S"`
	FullName   string `json:"fullName" minLength:"1" maxLength:"200" pattern:"\\S"`
	Line1      string `json:"line1" minLength:"1" maxLength:"200" pattern:"\\S"`
	Line2      string `json:"line2,omitempty" maxLength:"200"`
	City       string `json:"city" minLength:"1" maxLength:"100" pattern:"\\S"`
	Region     string `json:"region,omitempty" maxLength:"100"`
	PostalCode string `json:"postalCode" minLength:"1" maxLength:"20" pattern:"\\S"`
	Country    string `json:"country" pattern:"^[A-Z]{2}$" doc:"ISO 3166-1, two letters"`
	Phone      string `json:"phone" pattern:"^\\+[1-9][0-9]{6,14}$" doc:"E.164"`
}

// Address is one of a person's addresses.
type Address struct {
	ID        string
	Default   bool
	CreatedAt time.Time
	UpdatedAt time.Time
	AddressText
}

// Addresses are sealed with the person's key.
type Addresses interface {
	List(ctx context.Context, u domain.UserID) ([]Address, error)
	OfUser(ctx context.Context, u domain.UserID, id string) (a Address, ok bool, err error)
	// Add refuses with ADDRESS_LIMIT; the first address is the default one.
	Add(ctx context.Context, u domain.UserID, a Address) error
	Change(ctx context.Context, u domain.UserID, a Address) error
	Remove(ctx context.Context, u domain.UserID, id string) (ok bool, err error)
	// Used gives the statement that goes with an order's event; Uses lists the orders.
	Used(id string, r domain.RequestID) []eventstore.Row
	Uses(ctx context.Context, id string) ([]domain.RequestID, error)
}

// ApplicationText is what a person says who wants to sell.
type ApplicationText struct {
	ShopName  string
	Documents []string
}

// Application is a wish to sell.
type Application struct {
	ID        string
	User      domain.UserID
	Status    string // pending, approved or rejected
	Reason    string
	MadeAt    time.Time
	DecidedAt *time.Time
	ApplicationText
}

// Applications change only together with the account's events.
type Applications interface {
	Submitted(ctx context.Context, a Application) ([]eventstore.Row, error)
	Decided(ctx context.Context, a Application, by domain.UserID) ([]eventstore.Row, error)
	Newest(ctx context.Context, u domain.UserID) (a Application, ok bool, err error)
	Get(ctx context.Context, id string) (a Application, ok bool, err error)
	// List gives them oldest first, after the one with an id.
	List(ctx context.Context, status, after string, limit int) ([]Application, error)
}

// Export is a person's data in one file, or the order to make it.
type Export struct {
	ID        string
	User      domain.UserID
	Status    string // pending, ready or failed
	Size      int64
	MadeAt    time.Time
	ExpiresAt time.Time
	Attempts  int
}

// Exports are made in the background.
type Exports interface {
	Newest(ctx context.Context, u domain.UserID) (e Export, ok bool, err error)
	Begin(ctx context.Context, u domain.UserID, keep time.Duration) error
	Content(ctx context.Context, u domain.UserID, id string) (content []byte, ok bool, err error)
}

// Entry is a person in the directory that admins see.
type Entry struct {
	User
	Method    string
	CreatedAt time.Time
}

// DirectoryFilter narrows the directory; empty fields do not.
type DirectoryFilter struct {
	Role, Status, Search, After string
}

// Census counts people.
type Census struct {
	Total    int64            `json:"total"`
	ByStatus map[string]int64 `json:"byStatus"`
	ByRole   map[string]int64 `json:"byRole" doc:"Of those who are not erased"`
	Verified int64            `json:"verified" doc:"Addresses that were verified"`
	Recent   int64            `json:"recent" doc:"Registered within thirty days"`
}

// Directory is the list of people.
type Directory interface {
	Directory(ctx context.Context, f DirectoryFilter, limit int) ([]Entry, error)
	Entry(ctx context.Context, u domain.UserID) (e Entry, ok bool, err error)
	Census(ctx context.Context) (Census, error)
	// KeepAnAdmin is a statement that refuses with LAST_ADMIN when none would be left.
	KeepAnAdmin() []eventstore.Row
}

// OpenBalance is an account that is not empty.
type OpenBalance struct {
	Account ledger.Account `json:"account"`
	Asset   money.Asset    `json:"asset"`
}

// OpenMatters is what still depends on a person.
type OpenMatters struct {
	Balances []OpenBalance `json:"balances"`
	Requests int64         `json:"requests"`
	Offers   int64         `json:"offers"`
	Holds    int64         `json:"holds"`
	Payments int64         `json:"payments"`
	Payouts  int64         `json:"payouts"`
	Refunds  int64         `json:"refunds"`
	Disputes int64         `json:"disputes"`
	None     bool          `json:"none" doc:"Nothing depends on the person"`
}

// TrackRecord is what a person's orders as a seller say about them.
type TrackRecord struct {
	Completed int64 `json:"completed" doc:"Orders that were paid out"`
	Disputed  int64 `json:"disputed" doc:"Orders that were contested"`
}

// Dependencies ask the read models, once those have caught up.
type Dependencies interface {
	Of(ctx context.Context, u domain.UserID) (OpenMatters, error)
	Record(ctx context.Context, u domain.UserID) (TrackRecord, error)
}

// Erasures ends accounts. Due is when an erasure that is asked for now is carried out.
type Erasures interface {
	Due(now time.Time) time.Time
	// Erase forgets a person now, by the one who issues it. USER_HAS_DEPENDENCIES while
	// anything is open, LAST_ADMIN; once they are erased it changes nothing.
	Erase(ctx context.Context, issue domain.Issue, meta eventstore.Metadata, u domain.UserID) (position int64, err error)
}
