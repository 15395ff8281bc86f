package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child makes one that plays what; its first back-off is a millisecond.
func child(t *testing.T, what string) (*Child, *words) {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"run", "log"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	said := newWords()
	c := NewChild(Spec{Name: what, Path: link(t, dir, "child"), Args: []string{what}, Dir: dir, First: time.Millisecond}, said.say)
	t.Cleanup(func() { c.Stop(time.Second) })
	return c, said
}

// logged waits until the child has written a line.
func logged(c *Child, line string) func(context.Context) error {
	return func(context.Context) error {
		b, _ := os.ReadFile(c.spec.logFile())
		if !strings.Contains(string(b), line) {
			return errors.New("not yet")
		}
		return nil
	}
}

// Goal: a child that dies is started again, its end is told with its last words
// and no more of them than fit a screen, and Stop ends that for good.
func TestChildDies(t *testing.T) {
	c, said := child(t, "die")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said.await(t, "is started again in 4ms")
	c.Stop(time.Second)
	if !strings.Contains(said.String(), "die ended by itself (exit status 3)") || !strings.Contains(said.String(), "    the last word") {
		t.Errorf("its death was told like this:\n%s", said)
	}
	if n := strings.Count(strings.SplitN(said.String(), "is started again", 3)[1], "\n"); n > logLines+2 {
		t.Errorf("%d lines were told, want at most %d", n, logLines)
	}
	deaths := c.deaths.Load()
	if c.Running() || deaths < 3 {
		t.Errorf("running %v after %d deaths", c.Running(), deaths)
	}
}

func TestChildAwait(t *testing.T) {
	t.Run("dies while it starts", func(t *testing.T) {
		c, _ := child(t, "die")
		c.spec.First = time.Hour
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := c.Await(ctx, func(context.Context) error { return errors.New("no answer") })
		if err == nil || !strings.Contains(err.Error(), "the last word") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("does not answer", func(t *testing.T) {
		c, _ := child(t, "wait")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		late := errors.New("it took too long")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, late)
		defer cancel()
		refused := errors.New("refused")
		if err := c.Await(ctx, func(context.Context) error { return refused }); !errors.Is(err, late) || !errors.Is(err, refused) {
			t.Errorf("got %v, want why and the last answer", err)
		}
	})
}

func TestChildStops(t *testing.T) {
	for _, c := range []struct {
		what, line string
		killed     bool
	}{{"wait", "waiting", false}, {"deaf", "deaf", true}} {
		t.Run(c.what, func(t *testing.T) {
			k, said := child(t, c.what)
			for range 2 { // once more after a stop
				if err := errors.Join(k.Start(), k.Start()); err != nil {
					t.Fatal(err)
				}
				if err := k.Await(t.Context(), logged(k, c.line)); err != nil {
					t.Fatal(err)
				}
				pid := k.proc.Pid
				k.Stop(map[bool]time.Duration{true: time.Millisecond, false: patience}[c.killed])
				if syscall.Kill(pid, 0) == nil {
					t.Fatal("the process is still there")
				}
				if err := os.Truncate(k.spec.logFile(), 0); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Contains(said.String(), "is killed"); got != c.killed {
				t.Errorf("killed %v, want %v: %s", got, c.killed, said)
			}
			if _, err := os.Stat(k.spec.pidFile()); err == nil {
				t.Error("the pid file was left behind")
			}
		})
	}
}

// Goal: Stop returns at once while a dead child waits for its next start.
func TestChildStopsInBackoff(t *testing.T) {
	c, said := child(t, "die")
	c.spec.First = time.Hour
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said.await(t, "ended by itself")
	began := time.Now()
	c.Stop(time.Hour)
	if d := time.Since(began); d > patience {
		t.Errorf("it took %v", d)
	}
}

func TestChildMissing(t *testing.T) {
	c, _ := child(t, "wait")
	c.spec.Path += "-not-there"
	if err := c.Start(); err == nil || c.Running() {
		t.Errorf("got %v, running %v", err, c.Running())
	}
	c.Stop(time.Second) // nothing to stop
}

// Goal: a log does not grow for ever, and what is told of a death is of this run.
func TestChildLog(t *testing.T) {
	c, said := child(t, "die")
	if err := os.WriteFile(c.spec.logFile(), []byte("of yesterday\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(c.spec.logFile(), logMax+1); err != nil {
		t.Fatal(err)
	}
	c.spec.First = time.Hour
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said.await(t, "the last word")
	i, err := os.Stat(c.spec.logFile())
	if err != nil || i.Size() > 1000 {
		t.Errorf("the log has %d bytes: %v", i.Size(), err)
	}
	if _, err := os.Stat(c.spec.logFile() + ".old"); err != nil {
		t.Error(err)
	}
}

func TestLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("old\n"+strings.Repeat("long ", 1000)+"\nnew\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lastLines(path, 0); len(got) > logWords+10 || !strings.HasSuffix(got, "\n    new") {
		t.Errorf("got %d bytes, %.20q", len(got), got)
	}
	if got := lastLines(path, 1<<20); got != "    " {
		t.Errorf("beyond the end: got %q", got)
	}
	if got := lastLines(path+"x", 0); !strings.Contains(got, "no log") {
		t.Errorf("without a file: got %q", got)
	}
}
