package account

import "holdfast/domain/fault"

// Refusals of what ends an account or takes an admin away. What they ask (balances, open orders,
// the number of admins) is no part of the account's own state, so they are asked beside it.
var (
	ErrHasFunds     = fault.New(fault.Conflict, "ACCOUNT_HAS_FUNDS", "there is still money, an order or a dispute; settle it first")
	ErrDependencies = fault.New(fault.Conflict, "USER_HAS_DEPENDENCIES", "there is still money, an order or a dispute of this person")
	ErrLastAdmin    = fault.New(fault.Conflict, "LAST_ADMIN", "this is the last active admin")
)
