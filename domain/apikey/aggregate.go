package apikey

import "holdfast/domain"

// Aggregate registers keys with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Created{}, Renamed{}, Rescoped{}, ExpiryMoved{}, Rotated{}, Revoked{}}}
}
