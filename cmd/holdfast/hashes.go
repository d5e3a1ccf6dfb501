package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"holdfast/adapters/records"
)

// hashesName is the verb by which the service starts its own binary.
const hashesName = "hash-passwords"

// hashesCmd is the process in which a service hashes passwords. It ends with the service's end of
// the pipe, not with a signal that both get: sign-ins that run are finished first.
func hashesCmd() *cobra.Command {
	return &cobra.Command{
		Use:    hashesName,
		Short:  "hash passwords for a service, over stdin and stdout",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM)
			return records.ServeHashes(stdio{})
		},
	}
}

// stdio is the pipe that a process was started with.
type stdio struct{}

func (stdio) Read(b []byte) (int, error)  { return os.Stdin.Read(b) }
func (stdio) Write(b []byte) (int, error) { return os.Stdout.Write(b) }
func (stdio) Close() error                { return os.Stdout.Close() }
