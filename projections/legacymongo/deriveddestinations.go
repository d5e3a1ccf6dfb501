package legacymongo

import (
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/destination"
	"holdfast/domain/money"
	"holdfast/projections/destinationview"
)

var destinationColumns = map[string]Column{
	"chain": {Path: "chain", Kind: "number"}, "address": {Path: "address", Kind: "lower"}, "payment": {Path: "payment", Kind: "text"}, "phase": {Path: "phase", Kind: "text"},
	"holds": {Path: "balance", Kind: "keys"}, "xpub": {Path: "xpub_fingerprint", Kind: "text"}, "index": {Path: "index", Kind: "number"},
}

// derivedDestinations is the collection of addresses that were made for one payment each.
func derivedDestinations() Collection {
	return Collection{
		Name: "deriveddestinations", Domain: Destination, Version: 1,
		Streams: []string{destination.Decider.Category}, View: destinationview.Name, Columns: destinationColumns, Render: renderDestination,
		About: "Addresses made for one payment each, what lies there, and the sweeps from them. Balances are those of the log; what the chain says beside is in the API.",
		Fields: []Field{
			{"address", "string, EIP-55", "destination.derived"},
			{"chainId", "long", "destination.derived"},
			{"derivationPath", "string", "destination.derived"},
			{"derivationIndex", "long", "destination.derived"},
			{"xpubFingerprint", "string", "destination.derived"},
			{"paymentId", "ObjectId → payments, or null", "destination.assigned"},
			{"status", "string", "every event of the destination"},
			{"balances", "array of {amount, currency, baseUnits, asset}, strings", "destination.funded, destination.sweep_confirmed"},
			{"sweeps", "array of {sweepId, amount, transactionHash, status, blockNumber, at}", "destination.sweep_broadcast, destination.sweep_confirmed, destination.sweep_failed"},
			{"quarantineReason", "string or null", "destination.quarantined"},
		},
	}
}

func renderDestination(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, destinationview.View(), destinationColumns, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	paid, err := r.Ref("payments", string(d.Payment))
	if err != nil {
		return nil, err
	}
	balances, sweeps, status := r.balances(d), r.sweeps(d), d.PhaseName
	if d.Word != "" {
		status = d.Word
	}
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "address", Value: d.Address},
		{Key: "chainId", Value: int64(d.Chain)},
		{Key: "derivationPath", Value: d.Path},
		{Key: "derivationIndex", Value: int64(d.Index)}, //nolint:gosec // of a chain
		{Key: "xpubFingerprint", Value: d.Fingerprint},
		{Key: "paymentId", Value: paid},
		{Key: "status", Value: status},
		{Key: "balances", Value: balances},
		{Key: "sweeps", Value: sweeps},
		{Key: "quarantineReason", Value: orNull(d.QuarantineReason)},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}

// balances are those of the log; of an address to which nothing has happened since it was imported,
// those that the old backend saw.
func (r *Reading) balances(d destinationview.Doc) bson.A {
	all := bson.A{}
	if d.Word != "" {
		for _, b := range d.Seen {
			all = append(all, bson.D{{Key: "currency", Value: b.Currency}, {Key: "tokenAddress", Value: orNull(b.Token)}, {Key: "baseUnits", Value: b.Units.String()}})
		}
		return all
	}
	for _, asset := range slices.Sorted(maps.Keys(d.Balance)) {
		all = append(all, r.amount(money.Of(asset, d.Balance[asset])))
	}
	return all
}

func (r *Reading) sweeps(d destinationview.Doc) bson.A {
	all := bson.A{}
	for _, s := range d.History {
		var amount any = r.amount(s.Amount)
		if d.Word != "" {
			amount = s.Amount.Units.String()
		}
		all = append(all, bson.D{
			{Key: "sweepId", Value: string(s.ID)},
			{Key: "amount", Value: amount},
			{Key: "transactionHash", Value: s.Tx},
			{Key: "status", Value: s.Status},
			{Key: "blockNumber", Value: int64(s.Block)},
			{Key: "at", Value: date(s.At)}, //nolint:gosec // of a chain
		})
	}
	return all
}
