//go:build !linux

package records

// lowerPriority has no thread's priority to lower here.
func lowerPriority(int) {}
