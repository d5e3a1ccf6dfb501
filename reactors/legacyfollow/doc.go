// Package legacyfollow takes the changes of the old backend while it still writes: those of the
// domains that it owns, through the same decisions as the import.
//
// That a document has changed is learned in three ways, and each finds what the one before misses:
// the server's change streams, or (where it has none) a look at what its clocks say was touched
// lately; and every so often a look at every document, which also finds those that are gone. What is
// learned is only a name: the document is then read as it stands, so nothing old replaces anything
// new, and looking twice changes nothing. How far it has come moves only after the append.
//
// Nothing is deleted and nothing of ours is overwritten: a document that is gone, that cannot be
// taken, or that both sides have changed, becomes a row of pg_dualwrite_gaps.
package legacyfollow
