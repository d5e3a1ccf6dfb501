// Package localpg runs a private PostgreSQL from the machine's own binaries, for a start with
// nothing to configure. It listens on the loopback only, never deletes data, and finds its
// cluster again after the service was killed.
//
// A folder holds: data (the cluster), password, port, lock, postgres.log. Whoever holds the
// lock owns the server and stops it; a second process of the same folder joins the running one.
package localpg
