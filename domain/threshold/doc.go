// Package threshold is the aggregate of a chain's confirmation rule: how deep a transfer must
// stand before it counts, more for larger amounts. One stream a chain; before its first event
// the registry's own rule applies.
//
// A rule is copied into a payment when it is opened, so a change never touches payments that
// are under way. Whatever is set, no payment is ever opened with less than the chain's floor.
package threshold
