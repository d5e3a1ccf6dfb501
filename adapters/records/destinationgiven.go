package records

import (
	"holdfast/domain"
	"holdfast/eventstore"
)

// GivenIndex notes that an index below an xpub was given out elsewhere, so that it is not given again:
// to a payment, or to nobody yet.
func GivenIndex(fingerprint string, index uint32, to domain.PaymentID) eventstore.Row {
	return eventstore.Row{
		SQL:  `INSERT INTO destination_indexes (fingerprint, index, payment_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		Args: []any{fingerprint, int64(index), string(to)},
	}
}
