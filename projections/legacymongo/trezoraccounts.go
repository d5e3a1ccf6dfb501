package legacymongo

import (
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/trezor"
	"holdfast/projections/trezorview"
)

// trezorAccounts is the collection of hardware wallets, one document a person.
func trezorAccounts() Collection {
	return Collection{
		Name: "trezoraccounts", Domain: Trezor, Version: 2,
		Streams: []string{trezor.Decider.Category}, View: trezorview.Name, Render: renderTrezor, Columns: map[string]Column{},
		About: "Hardware wallets, one document a person. The original kept one document a registration; here a removed wallet stays with `isActive: false`, and the extended public key is empty once its owner is erased.",
		Fields: []Field{
			{"userId", "ObjectId → users", "trezor.registered"},
			{"xpub", "string; empty when removed or erased", "trezor.registered"},
			{"xpubFingerprint", "string", "trezor.registered"},
			{"basePath", "string", "trezor.registered"},
			{"label", "string; empty once erased", "trezor.registered"},
			{"rootAddress", "string", "trezor.registered"},
			{"isActive", "bool", "trezor.registered, trezor.removed"},
			{"nextIndex", "int", "trezor.address_issued"},
			{"addresses", "array of {index, path, address, purpose, paymentId}", "trezor.address_issued"},
		},
	}
}

func renderTrezor(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, trezorview.View(), map[string]Column{}, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	refs := []name{user(id)}
	for _, a := range d.Addresses {
		refs = append(refs, name{"payments", string(a.Payment)})
	}
	named, err := r.refs(refs...)
	if err != nil {
		return nil, err
	}
	addresses := bson.A{}
	for i, a := range d.Addresses {
		addresses = append(addresses, bson.D{{Key: "index", Value: int64(a.Index)}, {Key: "path", Value: a.Path}, {Key: "address", Value: a.Address}, {Key: "purpose", Value: a.Purpose}, {Key: "paymentId", Value: named[i+1]}})
	}
	account, active := trezor.Registered{}, d.Account != nil
	if d.Away != nil {
		account = *d.Away
	}
	if active {
		account = *d.Account
	}
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "userId", Value: named[0]},
		{Key: "xpub", Value: account.XPub.Text},
		{Key: "xpubFingerprint", Value: account.Fingerprint},
		{Key: "basePath", Value: account.BasePath},
		{Key: "label", Value: account.Label.Text},
		{Key: "rootAddress", Value: account.Address},
		{Key: "isActive", Value: active},
		{Key: "nextIndex", Value: int64(d.Next[account.Fingerprint])},
		{Key: "addresses", Value: addresses},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}
