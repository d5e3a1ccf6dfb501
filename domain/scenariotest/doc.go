// Package scenariotest runs worked scenarios (domain.md §2.16) through the real flows into a
// real store: each line of a scenario becomes a command, never a posting, and what the
// events then do to the ledger is compared line by line, and at the end balance by balance.
//
// Run takes any eventstore.Store, so that the memory store and PostgreSQL pass the same test.
package scenariotest
