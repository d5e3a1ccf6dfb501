// Package memory keeps the log in memory, for tests. It obeys the same rules as the real store
// (eventstore/commit decides for both) and passes the same suite (eventstore/storetest).
package memory
