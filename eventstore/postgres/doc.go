// Package postgres is the log on PostgreSQL.
//
// Append is group commit. One goroutine collects what callers want to write, takes the row
// lock of log_head, reads everything the wishes depend on in one pipelined round trip, decides
// each wish in Go (eventstore/commit), and writes what was granted in a second one, COMMIT
// included. A hot account costs one row update a batch, and positions are dense and in commit
// order because the head is locked.
//
// Three guards stand behind each other: stream versions (read under the lock, and UNIQUE),
// account rows locked in a statement of their own under READ COMMITTED, and CHECK constraints.
package postgres
