package escrow

import "holdfast/domain/fault"

// Refusals of the hold.
var (
	ErrNotFunded        = fault.New(fault.Conflict, "ESCROW_NOT_FUNDED", "the escrow is not funded")
	ErrNotReleasable    = fault.New(fault.Conflict, "ESCROW_NOT_RELEASABLE", "nothing of the escrow is releasable yet")
	ErrDisputed         = fault.New(fault.Conflict, "ESCROW_DISPUTED", "the escrow is frozen by an open dispute")
	ErrDisputeOpen      = fault.New(fault.Conflict, "DISPUTE_OPEN", "there is an open dispute about this order already")
	ErrNothingToDispute = fault.New(fault.Rule, "NOTHING_TO_DISPUTE", "there is no such amount in the escrow to dispute")
	ErrReleaseHold      = fault.New(fault.Conflict, "RELEASE_HOLD_ACTIVE", "a release hold stops the release of this order")
	ErrHoldNotFound     = fault.New(fault.NotFound, "HOLD_NOT_FOUND", "there is no such release hold")
	ErrHoldOwner        = fault.New(fault.Forbidden, "HOLD_OWNER", "this release hold must be lifted by somebody else")
	ErrInsufficientHeld = fault.New(fault.Rule, "INSUFFICIENT_HELD_FUNDS", "the escrow holds less than that")
	ErrRefundExceeds    = fault.New(fault.Rule, "REFUND_EXCEEDS_AVAILABLE", "the refund is larger than what is available for it")
	ErrAlreadyRefunded  = fault.New(fault.Conflict, "ALREADY_REFUNDED", "nothing is left to refund")
	ErrApprovalRequired = fault.New(fault.Conflict, "APPROVAL_REQUIRED", "a release of this size needs the agreement of a second person")
	ErrInvalidSplit     = fault.New(fault.Rule, "INVALID_SPLIT", "the parts are not the whole")
	ErrAmountExceedsDue = fault.New(fault.Rule, "AMOUNT_EXCEEDS_DUE", "that is more than is still missing")
	ErrTwoPeople        = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
	ErrNotEmpty         = fault.New(fault.Conflict, "ESCROW_NOT_EMPTY", "something of the escrow is left or under way")
	ErrOwnRequest       = fault.New(fault.Forbidden, "OWN_REQUEST", "buyer and seller must be two people")
)
