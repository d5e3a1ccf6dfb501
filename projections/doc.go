// Package projections turns the log into read models.
//
// A Projector applies slices of the log to its tables. The Runner feeds it: a Watermill
// subscriber reads the log after the projector's checkpoint, and the handler owns the
// transaction in which it locks the checkpoint row, applies what is new and moves the
// checkpoint. The row's lock is the fence between processes; since effect and checkpoint are
// one commit, each event is applied exactly once, whatever is killed when.
//
// An event that cannot be applied halts its projector at that event, and no other. A rebuild
// fills new tables beside the live ones with the same code and swaps them in one transaction.
//
// Read models keep personal text sealed, as the log does; queries open it.
package projections
