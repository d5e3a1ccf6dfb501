package http_test

import "holdfast/domain"

func aggregates() []domain.Aggregate { return nil }
