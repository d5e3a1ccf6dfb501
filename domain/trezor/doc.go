// Package trezor is a person's hardware wallet: which account it holds, which of its addresses
// were given out, and which operations its key has agreed to. Only public keys come here; a
// private key, in whatever spelling, is refused before anything is kept of it.
package trezor
