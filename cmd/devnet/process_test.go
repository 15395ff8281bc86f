package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestLockDir(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir); err == nil {
		t.Error("two hold the lock")
	}
	unlock()
	unlock, err = lockDir(dir) // the file is still there, and means nothing
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// Goal: what an earlier devnet left running in this directory is ended, and a
// process of somebody else that has its number by now is not.
func TestReapStale(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	start := func(path string) (*exec.Cmd, chan struct{}) {
		cmd := exec.Command(path, "wait")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // it listens to signals now
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		return cmd, done
	}
	ours, ended := start(link(t, dir, "child"))
	foreign, alive := start(link(t, t.TempDir(), "child"))
	defer func() { foreign.Process.Kill(); <-alive }()
	for name, pid := range map[string]string{
		"ours": strconv.Itoa(ours.Process.Pid), "foreign": strconv.Itoa(foreign.Process.Pid), "torn": "", "init": "1", "group": "-1",
	} {
		if err := os.WriteFile(filepath.Join(dir, "run", name+".pid"), []byte(pid+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := reapStale(dir, patience); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("ours still runs")
	}
	select {
	case <-alive:
		t.Error("a foreign process was ended")
	default:
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "run", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
