// Package account is a person's identity: who they are, what they may do, and by which means
// they sign in. Only the facts that matter for an audit are events; what signing in reads
// (address, password hash, sessions) are rows that change together with them.
//
// No text about a person is in the state or in a claim: addresses and subjects of other services
// come in with a keyed hash, and the hash is what must be unique.
package account
