package legacymongo

import (
	"strconv"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/threshold"
	"holdfast/projections/thresholdview"
)

// confirmationThresholds is the collection of how deep transfers must stand, one document a chain
// whose rule was ever changed.
func confirmationThresholds() Collection {
	return Collection{
		Name: "confirmationthresholds", Domain: Payment, Version: 2,
		Streams: []string{threshold.Decider.Category}, View: thresholdview.Name, Columns: map[string]Column{}, Render: renderThreshold,
		About: "How deep transfers must stand, one document a chain whose rule was ever changed. `minConfirmations` is null while the registry's own rule applies; `tiers` did not exist in the original.",
		Fields: []Field{
			{"chainId", "long", "threshold.changed"},
			{"minConfirmations", "long or null", "threshold.changed, threshold.reset"},
			{"kind", "string or null", "threshold.changed, threshold.reset"},
			{"tiers", "array of {fromTokens, minConfirmations}", "threshold.changed"},
			{"loweredTo", "long or null, while the glass is broken", "threshold.lowered"},
			{"updatedBy", "ObjectId → users", "every event of the rule"},
			{"reason", "string", "every event of the rule"},
		},
	}
}

func renderThreshold(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, thresholdview.View(), map[string]Column{}, id)
	if err != nil || row == nil {
		return nil, err
	}
	last := row.Doc.History[0]
	by, err := r.Ref("users", string(last.By))
	if err != nil {
		return nil, err
	}
	chain, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, err
	}
	var least, kind, lowered any
	tiers := bson.A{}
	if rule := row.Doc.Rule; rule != nil {
		least, kind = rule.Min, string(rule.Kind)
		for _, t := range rule.Tiers {
			tiers = append(tiers, bson.D{{Key: "fromTokens", Value: t.From}, {Key: "minConfirmations", Value: t.Min}})
		}
	}
	if row.Doc.Lowered != nil {
		lowered = row.Doc.Lowered.Min
	}
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "chainId", Value: chain},
		{Key: "minConfirmations", Value: least},
		{Key: "kind", Value: kind},
		{Key: "tiers", Value: tiers},
		{Key: "loweredTo", Value: lowered},
		{Key: "updatedBy", Value: by},
		{Key: "reason", Value: last.Reason},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}
