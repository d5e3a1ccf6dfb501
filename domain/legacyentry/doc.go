// Package legacyentry is an entry of the old backend's books: history that is kept and shown as it
// was, and posts nothing. What the old books led to is opened by the treasury.
package legacyentry
