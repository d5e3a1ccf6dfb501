package localpg

import "syscall"

// dieWithParent makes the kernel ask the server for a fast shutdown when the thread that
// started it is gone: kill -9 of the service leaves no server behind.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
