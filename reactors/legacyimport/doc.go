// Package legacyimport takes the documents of the old backend into the log: many documents a commit,
// each wholly or not at all, in an order in which references are known before they are needed.
//
// A document is decided by its hash: the same one again changes nothing, so a run may be repeated
// and a run that was killed goes on where it was. What cannot be taken is written to a file with
// its reasons; the counts add up: read = taken + unchanged + refused + ours.
package legacyimport
