// Package breakglass is the aggregate of emergencies: two admins break the glass for at most an
// hour, and one of them may then do alone what else takes two. It ends by itself.
//
// What it lifts is short: lowering a confirmation threshold (never below the chain's floor, and
// only for as long as the glass is broken), and clearing a review that is not about money
// laundering. No depth, no guard of the ledger and no floor is ever lifted.
package breakglass
