package wire

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/money"
)

// question is a query that somebody asks.
type question struct {
	who  *citizen
	path string
}

// realm is a domain of the bridge as its people use it over HTTP.
type realm struct {
	domain string
	// steady are queries whose answers nobody's writes change, moving those whose do.
	steady, moving []question
	// write changes something, and gives a query that must show it afterwards, with what it shows.
	write func(n int) (question, string)
}

// cast is who takes part, and the orders that they have made.
type cast struct {
	w                           *town
	buyer, seller, admin, guard *citizen
	category                    string
	held, contested, unpaid     bought
	destination, disputed       string
}

// bought is an order with its payment.
type bought struct{ request, offer, payment string }

// stage makes a small town's worth of orders: one whose money is held, one that is contested, one
// that waits for money.
func stage(w *town) *cast {
	w.t.Helper()
	c := &cast{w: w, buyer: w.as("buyer"), seller: w.as("seller"), admin: w.as("admin"), guard: w.as("guard")}
	c.category = w.cell(`SELECT id::text FROM categories WHERE active ORDER BY id LIMIT 1`)
	c.unpaid, c.held, c.contested = c.buy("unpaid"), c.pay("held"), c.pay("contested")
	c.disputed = ok(c.buyer.post("/api/disputes", map[string]any{
		"purchaseRequestId": c.contested.request, "category": "item_not_received", "reason": "nothing came", "description": "two weeks by now",
	})).field("dispute")
	w.until("the addresses that were paid are swept", func() bool { return len(c.admin.get("/api/payment/derived-destinations?status=Swept").list()) == 2 })
	for _, d := range c.admin.get("/api/payment/derived-destinations?status=Assigned").list() {
		c.destination = d["id"].(string)
	}
	c.register()
	return c
}

// ok demands that an answer is no refusal.
func ok(h heard) heard {
	if h.status >= 300 {
		panic(fmt.Sprint(h.status, " ", h.raw))
	}
	return h
}

// sold is an order whose offer is taken.
func (c *cast) sold(name string) (b bought) {
	b.request = ok(c.buyer.post("/api/marketplace/requests", map[string]any{
		"title": "A drill, " + name, "description": "As new.", "categoryId": c.category, "productType": "goods", "publish": true,
		"budget": map[string]string{"min": "50", "max": "200", "currency": "USDC"}, "deliveryInfo": map[string]string{"deliveryType": "physical", "address": "1 Demo Street"},
	})).field("request")
	b.offer = ok(c.seller.post("/api/marketplace/offers", map[string]any{
		"purchaseRequestId": b.request, "title": "Just the one, " + name, "price": map[string]string{"asset": "USDC@1337", "display": "90.25"},
		"deliveryTime": map[string]any{"amount": 3, "unit": "days"}, "validUntil": time.Now().Add(24 * time.Hour).UTC(),
	})).field("offer")
	ok(c.buyer.post("/api/marketplace/requests/"+b.request+"/select-offer", map[string]any{"offerId": b.offer, "revision": 1}))
	return b
}

// buy opens the payment too.
func (c *cast) buy(name string) bought {
	b, _ := c.open(name)
	return b
}

func (c *cast) open(name string) (bought, heard) {
	b := c.sold(name)
	h := ok(c.buyer.post("/api/payment/request-network/intents", map[string]any{"purchaseRequestId": b.request, "sellerOfferId": b.offer}))
	b.payment = h.field("payment.payment")
	return b, h
}

// pay waits until the money is held.
func (c *cast) pay(name string) bought {
	c.w.t.Helper()
	b, h := c.open(name)
	amount, err := money.ParseUnits(h.field("inHouseCheckout.amountWei"))
	require.NoError(c.w.t, err)
	_, err = c.w.Chains.Dev.Pay(c.w.t.Context(), devchain.Payment{
		Payer: 1, Token: h.field("inHouseCheckout.tokenAddress"), To: h.field("inHouseCheckout.destination"), Amount: amount, Reference: h.field("inHouseCheckout.paymentReference"),
	})
	require.NoError(c.w.t, err)
	c.w.until("the money of "+name, func() bool { return c.buyer.get("/api/payment/"+b.payment).field("state") == "Paid" })
	return b
}

// register gives the seller a hardware wallet.
func (c *cast) register() {
	c.w.t.Helper()
	keys, err := evm.NewLocalSigner(devchain.Mnemonic)
	require.NoError(c.w.t, err)
	xpub, err := keys.XPub(0)
	require.NoError(c.w.t, err)
	message := ok(c.seller.get("/api/trezor/registration-message")).field("message")
	signature, err := keys.SignText(evm.TreasuryPath, message)
	require.NoError(c.w.t, err)
	ok(c.seller.post("/api/trezor/register", map[string]string{
		"xpub": xpub, "registrationAddress": devchain.Treasury, "basePath": "m/44'/60'/0'", "deviceLabel": "office", "proofMessage": message, "proofSignature": signature,
	}))
}

// realms is the table: every domain that has collections.
func (c *cast) realms() []realm {
	all := []realm{c.people(), c.market(), c.payments(), c.holds(), c.disputes(), c.wallets(), c.destinations()}
	return all
}

func asked(who *citizen, paths ...string) (all []question) {
	for _, p := range paths {
		all = append(all, question{who, p})
	}
	return all
}

func (c *cast) people() realm {
	return realm{
		domain: "user",
		steady: asked(c.admin, "/api/user/admin/list?role=seller", "/api/user/admin/list?search=BUYER2%40", "/api/users/admin/list?status=suspended", "/api/user/admin/"+c.buyer.id, "/api/user/"+c.seller.id+"/public"),
		moving: asked(c.admin, "/api/user/admin/list", "/api/user/admin/list?limit=3"),
		write: func(n int) (question, string) {
			made := ok(c.admin.post("/api/user/admin/create", map[string]any{"email": fmt.Sprintf("somebody%d@holdfast.test", n), "name": fmt.Sprint("Somebody ", n), "role": "resolver"})).field("id")
			name := fmt.Sprint("Renamed ", n)
			ok(c.admin.do("PATCH", "/api/user/admin/"+made, map[string]any{"name": name}))
			return question{c.admin, "/api/user/admin/list?search=" + strings.ReplaceAll(name, " ", "%20")}, `"` + name + `"`
		},
	}
}

func (c *cast) market() realm {
	one := "/api/marketplace/requests/" + c.held.request
	return realm{
		domain: "marketplace",
		steady: asked(c.buyer, one, one+"/offers", "/api/marketplace/requests/"+c.unpaid.request, "/api/marketplace/requests?search=CONTESTED", "/api/marketplace/offers/"+c.held.offer),
		moving: asked(c.buyer, "/api/marketplace/requests", "/api/marketplace/requests?sort=oldest&limit=2", "/api/marketplace/requests?limit=1"),
		write: func(n int) (question, string) {
			b := c.sold(fmt.Sprint("number ", n))
			return question{c.buyer, "/api/marketplace/requests/" + b.request + "/offers"}, b.offer
		},
	}
}

func (c *cast) payments() realm {
	return realm{
		domain: "payment",
		steady: asked(c.buyer, "/api/payment/"+c.held.payment, "/api/payment/"+c.contested.payment, "/api/payment/"+c.held.payment+"/ledger", "/api/payment/"+c.held.payment+"/events"),
		moving: append(asked(c.buyer, "/api/payment", "/api/payment?limit=2", "/api/payment/stats"), asked(c.admin, "/api/payment?state=Cancelled", "/api/admin/settings/confirmation-thresholds", "/api/admin/payments/reviews")...),
		write: func(n int) (question, string) {
			b := c.buy(fmt.Sprint("paid ", n))
			ok(c.buyer.post("/api/payment/"+b.payment+"/cancel", map[string]any{"reason": "changed my mind"}))
			return question{c.buyer, "/api/payment/" + b.payment}, `"Cancelled"`
		},
	}
}

func (c *cast) holds() realm {
	stops := "/api/disputes/pr/" + c.held.request
	return realm{
		domain: "release_hold",
		steady: asked(c.buyer, "/api/disputes/pr/"+c.contested.request, "/api/disputes/pr/"+c.contested.request+"/status"),
		moving: append(asked(c.buyer, stops, "/api/payment/"+c.held.payment), asked(c.admin, stops, "/api/user/admin/"+c.buyer.id+"/dependencies")...),
		write: func(n int) (question, string) {
			if n%2 == 1 {
				for _, stop := range c.guard.get(stops).stops() {
					ok(c.guard.do("DELETE", stops+"/release-hold/"+stop+"?reason=all+is+well", nil))
				}
				return question{c.guard, stops}, `"active":false`
			}
			reason := fmt.Sprint("doubt number ", n)
			ok(c.guard.post(stops+"/release-hold", map[string]any{"kind": "guard", "reason": reason}))
			return question{c.guard, stops}, reason
		},
	}
}

func (h heard) stops() (all []string) {
	for _, part := range strings.Split(h.raw, `"id":"`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		all = append(all, id)
	}
	return all
}

func (c *cast) disputes() realm {
	one := "/api/disputes/" + c.disputed
	return realm{
		domain: "dispute",
		steady: asked(c.seller, "/api/disputes/pr/"+c.held.request),
		moving: append(asked(c.buyer, one, "/api/disputes/mine", one+"/timeline"), asked(c.admin, "/api/disputes", "/api/disputes?sort=due&limit=1", "/api/disputes/statistics")...),
		write: func(n int) (question, string) {
			text := fmt.Sprint("photo number ", n)
			who := []*citizen{c.buyer, c.seller}[n%2]
			if h := who.post(one+"/evidence", map[string]any{"kind": "text", "text": text}); h.code != "EVIDENCE_LIMIT" { // twenty each
				ok(h)
				return question{who, one}, text
			}
			return question{who, one}, "photo number"
		},
	}
}

func (c *cast) wallets() realm {
	return realm{
		domain: "trezor",
		moving: asked(c.seller, "/api/trezor/account", "/api/trezor/addresses"),
		write: func(n int) (question, string) {
			made := ok(c.seller.post("/api/trezor/addresses/next", map[string]any{"purpose": "receipt-" + uuid.NewString()}))
			return question{c.seller, "/api/trezor/addresses"}, made.field("address")
		},
	}
}

func (c *cast) destinations() realm {
	one := "/api/payment/derived-destinations/" + c.destination
	return realm{
		domain: "derived_destination",
		steady: asked(c.admin, "/api/payment/derived-destinations?status=Retired"),
		moving: asked(c.admin, "/api/payment/derived-destinations", "/api/payment/derived-destinations?limit=2", one),
		write: func(n int) (question, string) {
			if n%2 == 1 {
				ok(c.admin.post(one+"/release", map[string]any{"reason": "looked at, number " + fmt.Sprint(n)}))
				return question{c.admin, one}, `"state":"Assigned"`
			}
			reason := fmt.Sprint("looks odd, number ", n)
			ok(c.admin.post(one+"/quarantine", map[string]any{"reason": reason}))
			return question{c.admin, one}, reason
		},
	}
}
