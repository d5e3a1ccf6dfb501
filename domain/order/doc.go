// Package order holds the flows of the marketplace: requests, offers, selection, delivery. A flow
// is one command over several streams; what must be true together is decided in one unit and
// appended in one transaction.
package order
