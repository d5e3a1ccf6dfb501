package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"holdfast/cmd/internal/apiclient"
)

// service is the real binary in a process of its own, so that its memory and its share of
// the processors are what an operator would see.
type service struct {
	addr string
	cmd  *exec.Cmd
	log  *os.File
}

func startService(ctx context.Context, binary, dir string, env []string) (*service, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "service.log"))
	if err != nil {
		return nil, err
	}
	s := &service{addr: "127.0.0.1:" + strconv.Itoa(port), log: log}
	s.cmd = exec.Command(binary, "serve")
	s.cmd.Dir = dir
	s.cmd.Env = append(append(os.Environ(), "PORT="+strconv.Itoa(port)), env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.waitReady(ctx)
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *service) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	c := apiclient.New("http://" + s.addr)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := c.Call(ctx, "GET", "/health/ready", nil); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			tail, _ := os.ReadFile(s.log.Name())
			return fmt.Errorf("the service was not ready in time; its log ends with:\n%s", tail[max(0, len(tail)-4000):])
		case <-tick.C:
		}
	}
}

func (s *service) stop() {
	if s == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(25 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
	}
	_ = s.log.Close()
}

// peakMemory is the most that the process ever held in memory, in MiB.
func (s *service) peakMemory() (float64, error) { return memoryOf(s.cmd.Process.Pid, "VmHWM:") }

// hashesMemory is what the process in which the service hashes passwords holds, in MiB, without
// the pages of the binary that both share; 0 without such a process.
func (s *service) hashesMemory() (float64, error) {
	all, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for _, name := range all {
		children, err := os.ReadFile(name)
		if err != nil {
			continue // a thread that has ended
		}
		for _, child := range strings.Fields(string(children)) {
			if line, _ := os.ReadFile(filepath.Join("/proc", child, "cmdline")); strings.HasSuffix(string(line), "hash-passwords\x00") {
				pid, err := strconv.Atoi(child)
				if err != nil {
					return 0, err
				}
				return memoryOf(pid, "RssAnon:")
			}
		}
	}
	return 0, nil
}

func memoryOf(pid int, what string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, what); ok {
			kb, err := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc", what)
}
