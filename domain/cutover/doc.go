// Package cutover is the aggregate of moving one domain between the old backend's Mongo and
// Postgres: mongo → dual → pg and back, one step at a time, each an event. The stream's id is the
// domain's name. A domain that was never moved is where the settings say.
//
// A step is refused while the collections lag, differ, or were not compared within the last hour.
// Only the way to Postgres can be forced, since the log is the truth: when Mongo is lost there is
// nothing to wait for.
package cutover
