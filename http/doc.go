// Package http is the service's face: Echo underneath, typed operations of huma on top, and
// one table of routes from which the router, the OpenAPI document, the role matrix and
// docs/api.md are made, so that none of them can drift.
//
// A handler turns a request into a flow of the domain and has the executor run it, or asks a
// view. It decides nothing itself except who may see which object: an object that is not
// there and one that is not yours are the same 404. Every answer, whoever gives it, has one
// envelope, and one table maps a fault's kind to its status.
//
// Only cmd imports this package; what it needs from the outside is declared in deps.go.
package http
