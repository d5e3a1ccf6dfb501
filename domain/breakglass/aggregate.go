package breakglass

import "holdfast/domain"

// Aggregate registers the glass with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category, Events: []domain.Event{Enabled{}, Used{}, Ended{}, Expired{}},
		Deadlines: func(_ domain.Stream, e domain.Event) []domain.Deadline {
			const key = "end"
			switch e := e.(type) {
			case Enabled:
				return []domain.Deadline{{Key: key, Due: e.Until, Command: "break_glass.expire"}}
			case Ended, Expired:
				return []domain.Deadline{{Key: key, Cancel: true}}
			}
			return nil
		},
	}
}
