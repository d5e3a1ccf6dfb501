package legacydb

import (
	"regexp"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"

	"holdfast/domain/migration"
)

// Payment decodes a document of payments.
func Payment(raw []byte) migration.Payment {
	f, found := read(raw)
	p := migration.Payment{
		Request: f.MustRef("purchaseRequestId", migration.PurchaseRequests), Offer: f.MustRef("sellerOfferId", migration.SellerOffers),
		Buyer: f.MustRef("buyerId", migration.Users), Seller: f.MustRef("sellerId", migration.Users),
		Provider: f.Text("provider"), ProviderPayment: f.Text("providerPaymentId"), Reference: f.Text("paymentReference"),
		Tx: f.Text("transactionHash"), Status: f.status("status", migration.PaymentStatuses()...),
		PaidAt: f.Time("paidAt"), ExpiresAt: f.Time("expiresAt"), Failure: f.Text("failureReason"),
	}
	p.Amount, p.Currency = amountOf(f, "amount", true)
	if f.Has("escrowState") {
		p.EscrowState = f.status("escrowState", migration.EscrowStates()...)
	}
	b := f.Under("blockchain")
	p.Network, p.Token, p.Receiver = b.Text("network"), b.Text("tokenAddress"), b.Text("receiver")
	p.Chain = b.chain("chainId")
	if b.Has("requiredConfirmations") {
		p.Confirmations = uint64(b.Int("requiredConfirmations", 0, 0, 100_000)) //nolint:gosec // not below 0
	}
	if p.Chain == 0 && p.Network == "" {
		f.Problem("blockchain", "a chainId or the name of a network")
	}
	if !f.Has("expiresAt") {
		f.Note("expiresAt", "missing: a payment that waits may be made for some time yet")
	}
	if !f.Has("provider") {
		f.Note("provider", "missing: none")
	}
	f.hash("transactionHash", p.Tx)
	p.Found = *found
	return p
}

// amountOf reads {amount, currency}, or the oldest shape: a number with a currency beside it.
func amountOf(f Fields, name string, must bool) (amount, currency string) {
	in, number := f, name
	if v, ok := f.Value(name); ok && v.Type == bsontype.EmbeddedDocument {
		in, number = f.Under(name), "amount"
	}
	amount, currency = in.Decimal(number), strings.TrimSpace(in.Text("currency"))
	if v, ok := in.Value(number); ok && v.Type == bsontype.String {
		in.Note(number, "text for a number")
	}
	if must && !in.Has(number) {
		in.Problem(number, "an amount")
	}
	if must && currency == "" {
		in.Problem("currency", "a currency")
	}
	return amount, currency
}

// chain reads a chain's number; 0 where there is none.
func (f Fields) chain(name string) uint64 {
	if !f.Has(name) {
		return 0
	}
	return uint64(f.Int(name, 0, 1, 1<<53)) //nolint:gosec // not below 1
}

var hashRE = regexp.MustCompile(`^0x[0-9a-fA-F]{64}$`)

// hash demands that a transaction's name is one.
func (f Fields) hash(name, said string) {
	if said != "" && !hashRE.MatchString(said) {
		f.Problem(name, "0x and 64 hex digits")
	}
}

// entryFields are those of an entry that say nothing about anybody but by ids. Everything else may
// have been written by people.
var entryFields = []string{
	"paymentId", "purchaseRequestId", "sellerOfferId", "buyerId", "sellerId", "userId", "entryType", "from", "to", "amount", "currency",
	"idempotencyKey", "transactionHash", "provider", "createdAt", "updatedAt",
}

// LedgerEntry decodes a document of fundsledgerentries.
func LedgerEntry(raw []byte) migration.Entry {
	f, found := read(raw)
	e := migration.Entry{
		Payment: f.MustRef("paymentId", migration.Payments), Type: f.status("entryType", migration.EntryTypes()...),
		From: migration.Place(f.Text("from")), To: migration.Place(f.Text("to")), Tx: f.Text("transactionHash"),
	}
	e.Amount, e.Currency = amountOf(f, "amount", false)
	if e.Amount == "" {
		f.Problem("amount", "an amount")
	}
	if e.Currency == "" {
		f.Note("currency", "missing: that of the payment")
	}
	if !f.Has("idempotencyKey") {
		f.Note("idempotencyKey", "missing: none")
	}
	for _, who := range []string{"userId", "buyerId"} {
		if e.User == "" {
			e.User = f.Ref(who, migration.Users)
		}
	}
	if e.Type != "" {
		if _, _, ok := migration.Moves(e.Type, e.From, e.To); !ok {
			f.Problem("from", "the places that a "+e.Type+" moves money between")
		}
	}
	e.Body, e.Text = bodyOf(f)
	if e.Text != "" && e.User == "" {
		f.Problem("buyerId", "whom the text in it is about")
	}
	e.Found = *found
	return e
}

// bodyOf writes an entry down in two parts.
func bodyOf(f Fields) (body, text string) {
	var known, others bson.D
	elements, err := f.raw.Elements()
	if err != nil {
		f.problem("", "", "a well-formed BSON document")
	}
	for _, e := range elements {
		switch key := e.Key(); {
		case key == "_id" || key == "__v":
		case slices.Contains(entryFields, key):
			known = append(known, bson.E{Key: key, Value: e.Value()})
		default:
			others = append(others, bson.E{Key: key, Value: e.Value()})
		}
	}
	return f.extended(known), f.extended(others)
}

// extended is canonical extended JSON; empty for no fields.
func (f Fields) extended(d bson.D) string {
	if len(d) == 0 {
		return ""
	}
	text, err := bson.MarshalExtJSON(d, true, false)
	if err != nil {
		f.problem("", err.Error(), "values that extended JSON can write")
	}
	return string(text)
}
