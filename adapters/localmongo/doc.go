// Package localmongo runs the legacy store of development and tests: tools/devmongo (FerretDB over
// SQLite), a program of its own, so that its dependencies stay out of the service's. It listens on
// the loopback only, and finds its data again after a kill -9 of either side.
//
// A folder holds: data (SQLite files), uri, lock, mongo.log. Whoever holds the lock owns the server
// and stops it; a second process of the same folder joins the running one.
package localmongo
