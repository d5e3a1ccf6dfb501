// Package records keeps the plain rows: people, logins, wallets, categories, the inbox. Where
// history is not money, law or a dispute, a row is the truth.
package records
