// Package reconciliation compares what the ledger, the chains and the payment provider say about
// the same money, and keeps the differences ("breaks") until each is explained or gone.
//
// The comparison is pure: it gets what each side says and gives the breaks. A break has the same
// id in every run that finds it, so it is listed once, and it closes by itself when the
// difference is gone. What an operator does about it is a typed event of the break's stream.
//
//	found ──▶ Open ──explain──▶ Explained ──▶ Closed (the difference is gone)
//	           ├───book────────▶ Settled ───▶ Closed, or Open again when it is still there
//	           └───rescan──────▶ Settled
package reconciliation
