package legacydb

import (
	"math"
	"regexp"

	"holdfast/domain/migration"
)

var addressRE = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)

// DerivedDestination decodes a document of deriveddestinations.
func DerivedDestination(raw []byte) migration.Destination {
	f, found := read(raw)
	d := migration.Destination{
		Address: f.Text("address"), Path: f.Text("derivationPath"), Fingerprint: f.Text("xpubFingerprint"), Chain: f.chain("chainId"),
		Index: f.index("derivationIndex"), Payment: f.Ref("paymentId", migration.Payments),
		Status: f.status("status", migration.DestinationStatuses()...), Quarantine: f.Text("quarantineReason"),
	}
	if !addressRE.MatchString(d.Address) {
		f.Problem("address", "0x and 40 hex digits")
	}
	if d.Chain == 0 {
		f.Problem("chainId", "the number of a chain")
	}
	if !f.Has("derivationIndex") {
		f.Problem("derivationIndex", "the number below its account")
	}
	for _, b := range f.Each("balances") {
		d.Balances = append(d.Balances, migration.Balance{Currency: b.Text("currency"), Token: b.Text("tokenAddress"), Units: b.Text("baseUnits")})
	}
	for _, s := range f.Each("sweeps") {
		w := migration.Sweep{ID: s.ID("_id"), Tx: s.Text("transactionHash"), Amount: s.Text("amount"), Status: s.status("status", "confirmed", "failed"), At: s.Time("at")}
		if s.Has("blockNumber") {
			w.Block = uint64(s.Int("blockNumber", 0, 0, math.MaxInt)) //nolint:gosec // not below 0
		}
		s.hash("transactionHash", w.Tx)
		d.Sweeps = append(d.Sweeps, w)
	}
	if !f.Has("sweeps") {
		f.Note("sweeps", "missing: none")
	}
	d.Found = *found
	return d
}

// index reads a number of a path; 0 where there is none.
func (f Fields) index(name string) uint32 {
	if !f.Has(name) {
		return 0
	}
	return uint32(f.Int(name, 0, 0, 1<<31-1)) //nolint:gosec // within bounds
}

// TrezorAccount decodes a document of trezoraccounts.
func TrezorAccount(raw []byte) migration.Wallet {
	f, found := read(raw)
	w := migration.Wallet{
		User: f.MustRef("userId", migration.Users), XPub: f.Text("xpub"), Path: f.Text("basePath"), Label: f.Text("label"), Root: f.Text("rootAddress"),
		Active: f.Bool("isActive", true), Next: f.index("nextIndex"),
	}
	if w.XPub == "" {
		f.Problem("xpub", "an extended public key")
	}
	if w.Path == "" {
		w.Path = "m/44'/60'/0'"
		f.Note("basePath", "missing: that of account 0")
	}
	if w.Label == "" {
		f.Note("label", "missing: none")
	}
	if !f.Has("isActive") {
		f.Note("isActive", "missing: true")
	}
	if w.Root == "" {
		f.Note("rootAddress", "missing: follows from the key")
	}
	for _, a := range f.Each("addresses") {
		w.Addresses = append(w.Addresses, migration.Given{
			Index: a.index("index"), Path: a.Text("path"), Address: a.Text("address"), Purpose: a.Text("purpose"), Payment: a.Ref("paymentId", migration.Payments),
		})
	}
	w.Found = *found
	return w
}

// ConfirmationThreshold decodes a document of confirmationthresholds.
func ConfirmationThreshold(raw []byte) migration.Threshold {
	f, found := read(raw)
	t := migration.Threshold{Chain: f.chain("chainId"), User: f.Ref("updatedBy", migration.Users), Reason: f.Text("reason")}
	if t.Chain == 0 {
		f.Problem("chainId", "the number of a chain")
	}
	if !f.Has("minConfirmations") {
		f.Problem("minConfirmations", "a number of blocks")
	}
	t.Min = int64(f.Int("minConfirmations", 0, 0, math.MaxInt32))
	t.Found = *found
	return t
}
