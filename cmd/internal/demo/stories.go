package demo

import "context"

// Story is one thing that can happen to money, told for people.
type Story struct {
	Name string // one word, for the command line
	Play func(*Stage, context.Context) error
}

// Stories are what `holdfast demo` tells by itself, in this order.
func Stories() []Story {
	return []Story{
		{"order", (*Stage).HappyOrder},
		{"dispute", (*Stage).DisputedOrder},
	}
}

// MoreStories are told by `holdfast demo --all`, after the others.
func MoreStories() []Story {
	return []Story{
		{"payins", (*Stage).PayIns},
		{"replaced", (*Stage).ReplacedPayout},
		{"refund", (*Stage).FailedRefund},
		{"clawback", (*Stage).ClawedBack},
		{"reconcile", (*Stage).Reconciliation},
		{"quote", (*Stage).QuotedOrder},
		{"screening", (*Stage).FlaggedPayer},
		{"sweep", (*Stage).SignedOutside},
		{"trezor", (*Stage).HardwareWallet},
	}
}
