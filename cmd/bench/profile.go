package main

import (
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profiled takes a CPU profile of this process while it works on a part, into the folder of
// -profile; without one it just works.
func (b *bench) profiled(part string, work func() error) error {
	if b.profile == "" {
		return work()
	}
	f, err := os.Create(filepath.Join(b.profile, part+".pprof"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return work()
}
