package payment

// Blocked says what keeps a transfer from being confirmed.
type Blocked string

// What may keep it: it is not deep enough, screening has doubts, what arrived is not what was
// expected, or the provider says something else than the chain.
const (
	ByDepth    Blocked = "depth"
	ByAML      Blocked = "aml"
	ByMatch    Blocked = "match"
	ByProvider Blocked = "provider"
)

// ReviewReason is what a review of a kind is about. A kind that nobody has named here is
// treated as the gravest.
func ReviewReason(kind string) Blocked {
	switch kind {
	case "match", "transfer_match":
		return ByMatch
	case "provider", "provider_mismatch":
		return ByProvider
	}
	return ByAML
}

// BlockedBy says what a payment waits for.
func (s State) BlockedBy() Blocked {
	if s.Phase == UnderReview {
		return ReviewReason(s.ReviewKind)
	}
	return ByDepth
}
