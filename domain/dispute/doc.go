// Package dispute is a contest over an order's money: opened by a party (the contested amount
// is frozen in the same transaction), answered, argued with evidence, settled by the parties
// or decided by a resolver, appealed once, and carried out once.
//
// No state waits without a deadline, and every deadline has a default outcome, so that a
// party or a resolver who never answers cannot keep money stuck. The phase Executing exists
// only inside one unit: an outcome stands and is carried out in the same append.
package dispute
