package requestnetwork

import (
	"encoding/json"
	"time"

	"holdfast/domain/money"
)

// At sets a verifier's clock.
func At(v *Verifier, now func() time.Time) *Verifier { return v.at(now) }

// Value reads a transaction's value as the API writes it.
func Value(raw string) (money.Units, error) { return value(json.RawMessage(raw)) }
