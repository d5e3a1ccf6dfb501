//go:build unix && !linux

package localmongo

import "syscall"

// dieWithParent does nothing where the kernel cannot; the next start takes another port.
func dieWithParent(*syscall.SysProcAttr) {}
