package safety

import "time"

// Outcome is what screening says of an address.
type Outcome string

// The outcomes. The empty one means: not screened yet.
const (
	Clean      Outcome = "clean"
	Flagged    Outcome = "flagged"
	Unanswered Outcome = "unanswered"
)

// Finding is what one source said.
type Finding struct {
	Source  string    `json:"source"`
	Outcome Outcome   `json:"outcome"`
	Score   int       `json:"score"` // 0 … 100, of risk; 100 for a sanctioned address
	Note    string    `json:"note,omitempty"`
	Raw     string    `json:"raw,omitempty"` // sha-256 of the answer, in hex
	At      time.Time `json:"at"`
}

// Verdict is what all of them together say.
type Verdict struct {
	Chain    uint64    `json:"chain"`
	Address  string    `json:"address"`
	Outcome  Outcome   `json:"outcome"`
	Score    int       `json:"score"`
	Findings []Finding `json:"findings"`
	At       time.Time `json:"at"`
}

// Source names those that led to the outcome.
func (v Verdict) Source() string {
	names := ""
	for _, f := range v.Findings {
		if f.Outcome == v.Outcome {
			if names != "" {
				names += ", "
			}
			names += f.Source
		}
	}
	return names
}

// Judge makes the verdict. One hit, or one score above the limit, is a hit. Without a hit, one
// source that did not answer leaves the question open, and so does having none.
func Judge(chain uint64, address string, findings []Finding, maxScore int, at time.Time) Verdict {
	v := Verdict{Chain: chain, Address: address, Outcome: Clean, Findings: findings, At: at}
	if len(findings) == 0 {
		v.Outcome = Unanswered
	}
	for _, f := range findings {
		v.Score = max(v.Score, f.Score)
		switch {
		case f.Outcome == Flagged || (f.Outcome == Clean && f.Score > maxScore):
			v.Outcome = Flagged
		case f.Outcome != Clean && v.Outcome == Clean:
			v.Outcome = Unanswered
		}
	}
	return v
}

// Policy is what is asked of a payment's payers. It is copied into the payment when it is opened;
// later settings do not change it.
type Policy struct {
	// Screen: no transfer is confirmed before its payer was screened.
	Screen bool `json:"screen"`
	// Block: what is not clean waits for two people, and is not released before.
	Block bool `json:"block"`
}

// For is the policy of an order whose seller asks for more than the platform does.
func (p Policy) For(requireAML, amlBlocks bool) Policy {
	return Policy{Screen: p.Screen || requireAML, Block: p.Screen && p.Block || requireAML && amlBlocks}
}
