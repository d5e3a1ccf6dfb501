// Package payout is a seller's money on its way out of custody: requested (it moves to
// clearing at once), approved by n people who quote the revision they saw, instructed,
// signed outside, recorded before it is sent, and confirmed by the chain.
//
// Nothing is signed but exactly the instruction. A changed destination is a new revision: its
// approvals begin anew after a rest. A replaced transaction is the same payout.
package payout
