package records

import (
	"os"
	"strconv"
	"syscall"
)

// lowerPriority makes this process give way to others: every thread that it has, from which later
// ones inherit. Where that is refused it runs as everything does.
func lowerPriority(nice int) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, nice)
		}
	}
}
