//go:build unix && !linux

package localpg

import "syscall"

// dieWithParent does nothing where the kernel cannot; the next start stops the orphan.
func dieWithParent(*syscall.SysProcAttr) {}
