//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockDir keeps a second devnet out of dir until unlock is called or this
// process ends, however it ends: the kernel holds the lock, so a lock file left
// behind by a crash means nothing.
func lockDir(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another devnet is running in %s: stop it first, or choose another --dir", dir)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

// ownGroup puts a child into a process group of its own, so that Ctrl-C in the
// terminal reaches devnet alone, which then stops its children in order.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

// signalGroup sends sig to the child and to whatever it started.
func signalGroup(pid int, sig syscall.Signal) { _ = syscall.Kill(-pid, sig) }

// lowerGroup lets everybody else go first: the shop sells while compilers run.
func lowerGroup(pid int) { _ = syscall.Setpriority(syscall.PRIO_PGRP, pid, 10) }

// reapPoll is how often a process that devnet did not start is asked whether it
// still lives: only its parent is told.
const reapPoll = 50 * time.Millisecond

// reapStale ends what an earlier devnet left behind in dir: one killed hard
// cannot stop its children, and two nodes on one database corrupt it. Only
// processes whose command line names dir are touched: a process number is used
// again after a while.
func reapStale(dir string, grace time.Duration) error {
	files, err := filepath.Glob(filepath.Join(dir, "run", "*.pid"))
	if err != nil {
		return fmt.Errorf("look for left-over processes: %w", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("look for left-over processes: %w", err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && pid > 1 && strings.Contains(commandLine(pid), dir+string(filepath.Separator)) {
			end(pid, grace)
		}
		if err := os.Remove(f); err != nil {
			return fmt.Errorf("forget a left-over process: %w", err)
		}
	}
	return nil
}

// end asks a process to stop, waits for at most grace, and then kills it.
func end(pid int, grace time.Duration) {
	_ = syscall.Kill(pid, syscall.SIGTERM)
	for deadline := time.Now().Add(grace); time.Now().Before(deadline); time.Sleep(reapPoll) {
		if syscall.Kill(pid, 0) != nil || commandLine(pid) == "" {
			return
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// commandLine returns what a process was started with, "" when there is none.
func commandLine(pid int) string {
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		return strings.ReplaceAll(string(b), "\x00", " ")
	}
	if _, err := os.Stat("/proc/self"); err == nil {
		return ""
	}
	b, _ := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(b))
}

// keepPort keeps a loopback port without listening: whoever calls is refused, and
// the kernel gives the port to nobody else, such as an outgoing connection.
func keepPort(port int) (release func(), err error) {
	syscall.ForkLock.RLock() // or a child that starts right now keeps it, too
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("keep port %d: %w", port, err)
	}
	release = func() { _ = syscall.Close(fd) }
	at := &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), syscall.Bind(fd, at))
	if err != nil {
		release()
		return nil, fmt.Errorf("keep port %d: %w", port, err)
	}
	return release, nil
}
