package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How a child that dies by itself is started again.
const (
	backoffFirst = 500 * time.Millisecond // a port that was not free yet is free by then
	backoffMax   = 15 * time.Second       // a child that cannot start must not heat the machine
	settled      = time.Minute            // who lived this long begins at backoffFirst again
)

// stopGrace is how long a child may take to put its data away before it is
// killed. lnd takes half a second without open payments, up to five with some.
const stopGrace = 15 * time.Second

// Bounds of a child's log file: it is set aside at the child's next start when it
// is larger, and its end is what the console shows after a death.
const (
	logMax   = 8 << 20
	logWords = 2 << 10 // bytes
	logLines = 12
)

// Spec says how to run a child. Its pid file lies in Dir/run, its log in Dir/log.
type Spec struct {
	Name string
	Path string
	Args []string
	Dir  string
	Home string // the child's working directory; "" is devnet's own
	// First is the first back-off; zero means backoffFirst.
	First time.Duration
}

func (s Spec) logFile() string { return filepath.Join(s.Dir, "log", s.Name+".log") }
func (s Spec) pidFile() string { return filepath.Join(s.Dir, "run", s.Name+".pid") }

// Child is a process that is kept running: when it dies by itself its last words
// are reported and it is started again, later each time. Start and Stop may be
// called in turn as often as one likes; all methods are safe for concurrent use.
type Child struct {
	spec   Spec
	report func(string)
	deaths atomic.Int64
	born   atomic.Int64 // deaths at the last Start

	life sync.Mutex // held through Start and Stop, so that they take turns
	mu   sync.Mutex // guards what follows
	proc *os.Process
	from int64         // where the present run begins in the log
	stop chan struct{} // closed to end the keeper; nil when there is none
	done chan struct{} // closed when the keeper has ended
}

// NewChild makes a child that does not run yet. report takes messages for the
// console; it is called from the child's goroutine and must not block for long.
func NewChild(s Spec, report func(string)) *Child {
	if s.First == 0 {
		s.First = backoffFirst
	}
	return &Child{spec: s, report: report}
}

// Start runs the child and returns as soon as the process exists; it fails when
// it cannot be started at all. A child that runs is left alone.
func (c *Child) Start() error {
	c.life.Lock()
	defer c.life.Unlock()
	c.born.Store(c.deaths.Load())
	if c.Running() {
		return nil
	}
	cmd, err := c.spawn()
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.stop, c.done = make(chan struct{}), make(chan struct{})
	c.proc = cmd.Process
	go c.keep(cmd, c.stop, c.done)
	c.mu.Unlock()
	return nil
}

// Running reports that the child was started and not stopped. It may be waiting
// for its next start.
func (c *Child) Running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stop != nil
}

// Stop asks the child to end, waits at most grace, then kills it. It returns when
// the process is gone.
func (c *Child) Stop(grace time.Duration) {
	c.life.Lock()
	defer c.life.Unlock()
	c.mu.Lock()
	stop, done := c.stop, c.done
	if stop != nil {
		close(stop)
		c.signal(syscall.SIGTERM)
	}
	c.mu.Unlock()
	if stop == nil {
		return
	}
	hard := time.AfterFunc(grace, func() {
		c.report(c.spec.Name + " does not stop, it is killed")
		c.mu.Lock()
		defer c.mu.Unlock()
		c.signal(syscall.SIGKILL)
	})
	<-done
	hard.Stop()
	c.mu.Lock()
	c.stop = nil
	c.mu.Unlock()
	_ = os.Remove(c.spec.pidFile()) // its number means nothing any more
}

// Await calls check every 50 ms until it returns nil, at most until ctx ends. It
// gives up when the child has died since Start, and then says its last words.
func (c *Child) Await(ctx context.Context, check func(context.Context) error) error {
	return await(ctx, c.spec.Name, func(ctx context.Context) error {
		if c.deaths.Load() != c.born.Load() {
			return final{fmt.Errorf("%s ended while it was starting; its last lines:\n%s", c.spec.Name, c.words())}
		}
		return check(ctx)
	})
}

// spawn starts the process once.
func (c *Child) spawn() (*exec.Cmd, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(c.spec.Path, c.spec.Args...)
	cmd.Dir = c.spec.Home
	cmd.Stdout, cmd.Stderr = log, log
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.spec.Name, err)
	}
	if err := writeFile(c.spec.pidFile(), []byte(strconv.Itoa(cmd.Process.Pid)+"\n")); err != nil {
		_ = cmd.Process.Kill()
		return nil, errors.Join(err, cmd.Wait())
	}
	return cmd, nil
}

// openLog opens the log for appending and notes where this run begins.
func (c *Child) openLog() (*os.File, error) {
	path := c.spec.logFile()
	if i, err := os.Stat(path); err == nil && i.Size() > logMax {
		_ = os.Rename(path, path+".old") // at worst it grows on
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", c.spec.Name, err)
	}
	i, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the log of %s: %w", c.spec.Name, err), f.Close())
	}
	c.mu.Lock()
	c.from = i.Size()
	c.mu.Unlock()
	return f, nil
}

// keep waits for the process and starts it again until it is told to stop.
func (c *Child) keep(cmd *exec.Cmd, stop, done chan struct{}) {
	defer close(done)
	wait := c.spec.First
	for {
		began := time.Now()
		err := cmd.Wait()
		c.adopt(nil)
		if closed(stop) {
			return
		}
		c.deaths.Add(1)
		if time.Since(began) > settled {
			wait = c.spec.First
		}
		c.report(fmt.Sprintf("%s ended by itself (%s) and is started again in %v; its last lines (%s):\n%s",
			c.spec.Name, exitText(err), wait, c.spec.logFile(), c.words()))
		for cmd = nil; cmd == nil; {
			select {
			case <-stop:
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, backoffMax)
			if cmd, err = c.spawn(); err != nil {
				c.report(err.Error())
			}
		}
		c.adopt(cmd.Process)
	}
}

// adopt notes the process that runs now. When Stop came in between, the new
// process is told at once: Stop signalled the one before it.
func (c *Child) adopt(p *os.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proc = p
	if p != nil && closed(c.stop) {
		c.signal(syscall.SIGTERM)
	}
}

// signal sends sig to the process, if there is one; mu is held.
func (c *Child) signal(sig os.Signal) {
	if c.proc != nil {
		_ = c.proc.Signal(sig)
	}
}

// words returns the last lines that the present run wrote, indented.
func (c *Child) words() string {
	c.mu.Lock()
	from := c.from
	c.mu.Unlock()
	return lastLines(c.spec.logFile(), from)
}

// lastLines returns at most logLines lines of the end of a file, of what was
// written after byte from, each indented by four spaces.
func lastLines(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return "    (no log: " + err.Error() + ")"
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		return "    (no log: " + err.Error() + ")"
	}
	start := max(from, i.Size()-logWords)
	b := make([]byte, max(0, i.Size()-start))
	n, _ := f.ReadAt(b, start)
	lines := strings.Split(strings.TrimSpace(string(b[:n])), "\n")
	if len(lines) > logLines {
		lines = lines[len(lines)-logLines:]
	}
	return "    " + strings.Join(lines, "\n    ")
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// final is an error that waiting cannot mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// awaitPoll is how often something is asked that cannot call back. A started node
// answers in milliseconds; twenty questions a second cost it nothing.
const awaitPoll = 50 * time.Millisecond

// await calls check until it returns nil or a final error, or until ctx ends.
func await(ctx context.Context, what string, check func(context.Context) error) error {
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if f, ok := errors.AsType[final](err); ok {
			return f.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, errors.Join(context.Cause(ctx), err))
		case <-time.After(awaitPoll):
		}
	}
}
