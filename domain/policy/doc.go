// Package policy says what follows from an event, and what is to be done when a deadline is
// due. It is pure: the reactors room reads the log and the clock, and runs what this answers.
//
// Everything here may be asked twice. Ids are derived from the event's id, and each flow
// changes nothing when its work is done already, so a repeat is a no-op.
package policy
