// Package eventstore is the log: append, read, execute, prove. The log is the database;
// everything else is a view of it.
//
// Execute turns a command into events: it loads the streams, lets the domain decide, and
// appends everything the decision staged in one commit. postgres holds the real store,
// memory one for tests, storetest what both must do.
package eventstore
