// Package apikey is the aggregate of keys for programs: auditors that read ledger and log,
// reconcilers that compare, and ingestion that has notices worked on again.
//
// A key opens the routes of its scopes and nothing else; it is nobody's, so no route about a
// person's own things takes one. The log knows a key's hash and never the key. It has an end,
// it can be rotated with a short overlap, and once it is revoked it stays so.
//
//	–  ── Create ──▶ Active ── Revoke ──▶ Revoked
//	                 │    ▲
//	                 └────┘ Amend, Rotate
package apikey
