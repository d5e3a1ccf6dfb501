// Package sweepplan is a set of sweeps and of the gas that they need, prepared for a signer
// outside: each with all that its signature will cover. What comes back signed is compared with
// the plan, and is in the log before it is sent.
//
// A plan reserves nothing. What a destination's money may do is decided by the destination, when
// a signed sweep comes back; of two plans for the same money one finds nothing left.
package sweepplan
