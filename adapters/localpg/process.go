//go:build unix

package localpg

import (
	"os"
	"syscall"
)

func (a account) mayEnter(info os.FileInfo) bool {
	mode := info.Mode().Perm()
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(s.Uid) == a.uid:
			return mode&0o100 != 0
		case int(s.Gid) == a.gid:
			return mode&0o010 != 0
		}
	}
	return mode&0o001 != 0
}

// attributes put the child into a process group of its own, so that ^C in a terminal does not
// reach it before the service has finished with it.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.stepDown {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// lock takes the folder's lock without waiting; ok is false when another process has it. The
// kernel drops it when we die, however we die.
func lock(path string) (f *os.File, ok bool, err error) {
	f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if err == syscall.EWOULDBLOCK {
			return nil, false, nil
		}
		return nil, false, err
	}
	return f, true, nil
}

func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
