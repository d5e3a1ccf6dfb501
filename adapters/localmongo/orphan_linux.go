package localmongo

import "syscall"

// dieWithParent makes the kernel end the server when the thread that started it is gone: kill -9
// of the service leaves no server behind. What it acknowledged is on the disk.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
