package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// cpu is processor time by part: on a machine that others use too it says what a command costs
// when its rate does not.
type cpu map[string]float64 // microseconds

// tick is the unit of /proc/PID/stat on Linux: a hundredth of a second.
const tick = 10_000

// spent reads what each part has used so far: the service, this client, and the database's
// processes by the pool they serve.
func (b *bench) spent(ctx context.Context) (cpu, error) {
	c := cpu{"service": processTime(b.service.cmd.Process.Pid), "client": processTime(os.Getpid())}
	rows, err := b.core.Jobs.Query(ctx, `SELECT pid, coalesce(nullif(application_name, ''), backend_type) FROM pg_stat_activity`)
	if err != nil {
		return nil, err
	}
	var pid int
	var name string
	_, err = pgx.ForEachRow(rows, []any{&pid, &name}, func() error {
		c["pg "+strings.TrimPrefix(name, "holdfast-")] += processTime(pid)
		return nil
	})
	return c, err
}

func processTime(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0 // it has ended
	}
	// The name in brackets may hold anything; user and system time are the 12th and 13th after it.
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if cmp.Or(err1, err2) != nil {
		return 0
	}
	return (user + system) * tick
}

// since gives what a command has cost between two readings, largest parts first.
func (c cpu) since(before cpu, commands int) string {
	var parts []string
	total := 0.0
	for _, name := range []string{"service", "pg http", "pg append", "pg projectors", "pg jobs", "pg walwriter", "pg checkpointer", "pg background writer", "client"} {
		used := (c[name] - before[name]) / float64(max(commands, 1))
		total += used
		if used >= 1 {
			parts = append(parts, fmt.Sprintf("%s %.0f", name, used))
		}
	}
	return fmt.Sprintf("%.0f µs of processor a command (%s)", total, strings.Join(parts, ", "))
}
