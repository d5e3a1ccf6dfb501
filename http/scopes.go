package http

import (
	"slices"

	"holdfast/domain/apikey"
)

// opens says which routes each scope of an API key opens: nothing that is not listed here. A
// key is nobody's, so that no route about a person's own things is among them.
var opens = map[apikey.Scope][]string{
	apikey.Auditor: {
		"GET /api/ledger/accounts",
		"GET /api/ledger/accounts/{account}/balances",
		"GET /api/ledger/entries",
		"GET /api/ledger/transactions",
		"GET /api/ledger/transactions/{position}",
		"GET /api/ledger/trial-balance",
		"GET /api/ledger/solvency",
		"GET /api/audit/events",
		"GET /api/audit/events/{position}",
		"GET /api/audit/streams/{type}/{id}",
		"GET /api/audit/exports",
	},
	apikey.Reconciler: {
		"GET /api/ledger/trial-balance",
		"GET /api/ledger/solvency",
		"GET /api/admin/reconciliation/runs",
		"GET /api/admin/reconciliation/runs/{id}",
		"POST /api/admin/reconciliation/runs",
		"GET /api/admin/reconciliation/breaks",
		"GET /api/admin/reconciliation/breaks/{id}",
	},
	apikey.Ingestion: {
		"GET /api/payment/request-network/webhook/deliveries",
		"POST /api/payment/request-network/webhook/replay",
	},
}

// scoped writes the scopes into the table.
func scoped(routes []Route) []Route {
	for i := range routes {
		r := &routes[i]
		for _, scope := range apikey.Scopes() {
			if slices.Contains(opens[scope], r.Method+" "+r.Path) {
				r.Scopes = append(r.Scopes, scope)
			}
		}
	}
	return routes
}

// AdmitsKey reports whether a key with these scopes may call the route.
func (r *Route) AdmitsKey(scopes []apikey.Scope) bool {
	if r.Public() {
		return true
	}
	return slices.ContainsFunc(scopes, func(s apikey.Scope) bool { return slices.Contains(r.Scopes, s) })
}

// Opens lists the routes of a scope, as the table of scopes has them.
func Opens(scope apikey.Scope) []string { return slices.Clone(opens[scope]) }
