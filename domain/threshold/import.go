package threshold

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/network"
)

// Imported: the rule of a chain that an admin of the old backend had set.
type Imported struct {
	domain.Legacy
	Chain  uint64        `json:"chain"`
	Rule   Rule          `json:"rule"`
	By     domain.UserID `json:"by,omitempty"` // who set it last
	Reason string        `json:"reason,omitempty"`
	At     time.Time     `json:"at"` // of the import
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "threshold.imported" }
func (Imported) threshold()        {}

// Import takes a rule's document, or takes it again when it has changed. Errors: LEGACY_CONFLICT,
// BELOW_FLOOR, INVALID_THRESHOLD, OUT_OF_RANGE.
type Import struct {
	domain.Issue
	Fact    Imported
	Default network.Confirmations
}

func importRule(s State, c Import) ([]Event, error) {
	again, err := s.Legacy.Takes(s.Rule != nil || s.Lowered != nil || s.Changed, c.Fact.Legacy)
	if err != nil || again {
		return nil, err
	}
	if s.Document != "" && s.Document != c.Fact.ObjectID {
		return nil, domain.ErrLegacyConflict.Because("another rule of this chain was imported")
	}
	if err := c.Fact.Rule.Check(c.Default.Floor); err != nil {
		return nil, err
	}
	return []Event{c.Fact}, nil
}
