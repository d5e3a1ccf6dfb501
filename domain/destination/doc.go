// Package destination is a derived pay-in address and the sweeps from it to the treasury. A path
// index is used once, an address serves one payment for ever. The service knows only the
// account's xpub; who signs a sweep stands outside.
package destination
