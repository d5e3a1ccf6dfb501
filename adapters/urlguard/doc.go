// Package urlguard keeps us from calling addresses that are none of the outside's business:
// our own machine, our own network, the cloud's metadata service. Whoever takes a URL from a
// person (a node, a callback) checks it when it is saved, and dials with this guard's dialer.
//
// A check of the text alone is not enough: a name may point at a private address, or do so
// later. So the guard looks at the address that is really dialled, after the name was resolved,
// and follows no redirect.
package urlguard
