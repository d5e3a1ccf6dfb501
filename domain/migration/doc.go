// Package migration says what the documents of the old backend mean to us: plain structs that a
// decoder fills, the old status words as phases, and one flow a collection that takes a thing into
// its streams. Nothing here knows how a document is stored.
//
// A thing is named by its document for ever (ID), so references need no order and a second import
// finds what the first one made.
package migration
