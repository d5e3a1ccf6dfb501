// Package escrow is the hold: one order's money from the moment an offer is selected until
// nothing of it is left. Its stream is the consistency boundary of that money: every command
// that moves it appends here with the expected version.
//
// The phase is derived from the amounts; docs/aggregates/escrow.md draws what they can spell.
// At all times: credited + absorbed + discount = held + releasable + disputed + released +
// refunded + overpaid + debited.
package escrow
