// Package legacymongo keeps the collections of the old backend as views of the log, in the shapes
// that Mongoose would have written.
//
// A Collection says which streams its documents come from and renders one document as a function
// of the log up to a position; what else it has read is found out by itself, and the document is
// rendered again when any of that moves. The projector renders whole documents and writes them
// under the lock of its checkpoint, which moves only after a majority has acknowledged them:
// applied twice equals once, and rendering everything anew gives the same bytes.
//
// Every document carries _src ("holdfast": whose it is), _pos (the log's position it stands for)
// and _view (what Holdfast's own queries need of it). A document without our mark belongs to the
// old backend and is never overwritten: it becomes a row of pg_dualwrite_gaps.
package legacymongo
