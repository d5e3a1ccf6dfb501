package legacyfixture

import (
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/adapters/evm"
)

// hasTrezor reports a person with a hardware wallet.
func (m *maker) hasTrezor(n int) bool {
	_, refuse := m.userDirt(n)
	return n%50 == 7 && !refuse
}

func (m *maker) trezor(n int) (bson.D, *Dirty, error) {
	r := m.random("trezor", n)
	at := later(r, m.within(n, m.Users), hour, 20*day)
	xpub, err := m.xpub("trezor", n)
	if err != nil {
		return nil, nil, err
	}
	d, err := evm.NewDeriver(xpub)
	if err != nil {
		return nil, nil, err
	}
	addresses, root := bson.A{}, ""
	next := 1 + r.IntN(3)
	for i := range next {
		address, _, err := d.Address(uint32(i)) //nolint:gosec // small
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			root = address
			continue
		}
		addresses = append(addresses, bson.D{{Key: "index", Value: int32(i)}, {Key: "path", Value: pathOf(i)}, {Key: "address", Value: address}, {Key: "purpose", Value: "receive"}, {Key: "paymentId", Value: nil}}) //nolint:gosec // small
	}
	doc := bson.D{
		{Key: "_id", Value: m.object("trezoraccounts", at, n)},
		{Key: "userId", Value: m.userID(n)},
		{Key: "xpub", Value: xpub},
		{Key: "basePath", Value: "m/44'/60'/0'"},
		{Key: "label", Value: pick(r, "my Trezor", "savings", "desk")},
		{Key: "rootAddress", Value: root},
		{Key: "isActive", Value: true},
		{Key: "nextIndex", Value: int32(next)},
		{Key: "addresses", Value: addresses}, //nolint:gosec // small
	}
	kind := ""
	if chance(r, m.Dirt*2) {
		kind = pick(r, "missing_label", "dangling_userId", "text_nextIndex")
	}
	doc, dirty := m.soil(stamp(r, doc, at, at), "trezoraccounts", kind, refusing(kind))
	return doc, dirty, nil
}

// hasDestination reports an order that was paid to an address of its own.
func (m *maker) hasDestination(o order) bool {
	return o.funded() && o.payment%5 < 2 && !refusing(m.paymentDirt(o))
}

// spare addresses were derived for payments that were never made.
const spare = 20

func (m *maker) destination(o order) (bson.D, *Dirty, error) {
	at := o.at.Add(39 * hour)
	address, path, err := m.wallet.destination(o.payment)
	if err != nil {
		return nil, nil, err
	}
	r := m.random("destination", o.payment)
	units := o.token.units(o.price)
	status, balances, sweeps := "funded", bson.A{}, bson.A{}
	if o.story == paidOut || o.story == refunded {
		status = "swept"
		sweeps = append(sweeps, bson.D{{Key: "_id", Value: m.object("sweeps", o.endedAt(), o.payment)}, {Key: "transactionHash", Value: "0x" + hexOf(r, 32)}, {Key: "amount", Value: units}, {Key: "status", Value: "confirmed"}, {Key: "at", Value: date(o.endedAt().Add(-hour))}})
		units = "0"
	}
	balances = append(balances, bson.D{{Key: "currency", Value: o.token.currency}, {Key: "tokenAddress", Value: o.token.address}, {Key: "baseUnits", Value: units}})
	doc := bson.D{
		{Key: "_id", Value: m.object("deriveddestinations", at, o.payment)}, {Key: "address", Value: address}, {Key: "chainId", Value: o.token.chain}, {Key: "derivationPath", Value: path}, {Key: "derivationIndex", Value: int32(o.payment)}, //nolint:gosec // below 2^24
		{Key: "paymentId", Value: m.paymentID(o)}, {Key: "status", Value: status}, {Key: "balances", Value: balances}, {Key: "sweeps", Value: sweeps},
	}
	kind := ""
	if chance(r, m.Dirt) {
		kind = pick(r, "text_chainId", "missing_sweeps")
	}
	doc, dirty := m.soil(stamp(r, doc, at, latest(at, m.lastOf(o))), "deriveddestinations", kind, false)
	return doc, dirty, nil
}

// spareDestination is an address that no payment has; with dirt the last names one that is not there.
func (m *maker) spareDestination(n int) (bson.D, *Dirty, error) {
	index := m.Payments + n
	address, path, err := m.wallet.destination(index)
	if err != nil {
		return nil, nil, err
	}
	r := m.random("destination", index)
	doc := stamp(r, bson.D{
		{Key: "_id", Value: m.object("deriveddestinations", m.To.Add(-day), index)}, {Key: "address", Value: address}, {Key: "chainId", Value: int32(56)}, {Key: "derivationPath", Value: path}, {Key: "derivationIndex", Value: int32(index)}, //nolint:gosec // below 2^24
		{Key: "paymentId", Value: nil}, {Key: "status", Value: "available"}, {Key: "balances", Value: bson.A{}}, {Key: "sweeps", Value: bson.A{}},
	}, m.To.Add(-day), m.To.Add(-day))
	if n == spare-1 && m.Dirt > 0 {
		doc, dirty := m.soil(doc, "deriveddestinations", "dangling_paymentId", true)
		return doc, dirty, nil
	}
	return doc, nil, nil
}

// units writes an amount in base units.
func (t token) units(a amount) string {
	return strconv.FormatInt(int64(a), 10) + strings.Repeat("0", t.decimals-4)
}

var thresholds = []struct{ chain, least int32 }{{1, 20}, {56, 30}, {137, 200}}

func (m *maker) threshold(n int) (bson.D, *Dirty) {
	at := m.From.Add(30 * day)
	r := m.random("threshold", n)
	doc := stamp(r, bson.D{
		{Key: "_id", Value: m.object("confirmationthresholds", at, n)},
		{Key: "chainId", Value: thresholds[n].chain},
		{Key: "minConfirmations", Value: thresholds[n].least},
		{Key: "updatedBy", Value: m.userID(0)},
		{Key: "reason", Value: "deeper than the network asks"},
	}, at, at.Add(day))
	kind := ""
	if n == len(thresholds)-1 && m.Dirt > 0 {
		kind = "text_minConfirmations"
	}
	return m.soil(doc, "confirmationthresholds", kind, false)
}
