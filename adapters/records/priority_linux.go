package records

import "syscall"

// lowerPriority makes this thread, and what it starts, give way to others. Where that is refused
// it runs as everything does.
func lowerPriority(nice int) { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice) }
