package sweepplan

import (
	"holdfast/domain"
	"holdfast/domain/money"
)

// Wish says what is to be swept.
type Wish struct {
	// Destinations to sweep; empty: all that hold the asset.
	Destinations []domain.DestinationID
	Asset        money.Asset
	Min          money.Units // less is left where it is
	Limit        int         // 0: what the schedule allows
}

// Left is a destination that a plan leaves alone, and why.
type Left struct {
	Destination domain.DestinationID `json:"destination"`
	Code        string               `json:"code"`
	Reason      string               `json:"reason"`
}
