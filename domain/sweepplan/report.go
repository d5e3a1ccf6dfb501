package sweepplan

import "holdfast/domain/money"

// Report is what a run of the schedule found and did.
type Report struct {
	Run   string `json:"run"`
	Dry   bool   `json:"dryRun"`
	Plans []Line `json:"plans"`
}

// Line is one asset of one chain.
type Line struct {
	Chain   uint64       `json:"chainId"`
	Asset   money.Asset  `json:"asset"`
	Plan    ID           `json:"planId,omitempty"` // empty in a dry run, or with a code
	Sweeps  int          `json:"sweeps"`
	TopUps  int          `json:"topUps"`
	Total   money.Amount `json:"total"`
	Code    string       `json:"code,omitempty"` // why there is no plan
	Skipped []Left       `json:"skipped,omitempty"`
}
