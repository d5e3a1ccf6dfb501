package main

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// isDeadlock: the baseline locks its two balances in the order of the transfer, as most
// such code does, and loses some commands to deadlocks. They are simply not counted.
func isDeadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "40P01"
}
