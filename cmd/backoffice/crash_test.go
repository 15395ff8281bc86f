package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

// victim, when set, makes this test binary a backoffice with that configuration.
const victim = "BACKOFFICE_VICTIM"

func TestMain(m *testing.M) {
	if config := os.Getenv(victim); config != "" {
		if err := run(context.Background(), []string{"run", "--config", config}, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a backoffice in a process of its own, which can be killed.
type child struct {
	cmd *exec.Cmd
	url string
}

func startChild(t *testing.T, config string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(exe)}
	c.cmd.Env = append(os.Environ(), victim+"="+config)
	c.cmd.Stderr = t.Output()
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	lines := bufio.NewScanner(out)
	for c.url == "" && lines.Scan() {
		c.url, _ = strings.CutPrefix(lines.Text(), "listening on ")
	}
	if c.url == "" {
		t.Fatal("the child did not start")
	}
	return c
}

// kill ends the process at once, as a power cut of the computer's own would, the
// disk's cache apart.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may be dead already
	_ = c.cmd.Wait()
}

// line is the way to whichever child runs now.
type line struct {
	mu     sync.Mutex
	client *wire.Client
	pushed chan int // a batch is on its way
}

func (l *line) to(c *wire.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client = c
}

func (l *line) Push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	l.mu.Lock()
	c := l.client
	l.mu.Unlock()
	select {
	case l.pushed <- len(batch):
	default:
	}
	return c.Push(ctx, batch)
}

// TestKill kills the backoffice in the middle of batches, again and again, while a
// till delivers. Goal: whatever it signed for it still holds, and in the end both
// sides are the same, byte for byte.
func TestKill(t *testing.T) {
	const rounds = 6
	config := configure(t, "")
	till := tilltest.New(1, "01", "EUR", time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC))
	till.Day(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), 1200)

	c := startChild(t, config)
	e, err := wire.Enrol(t.Context(), c.url, command(t, "code", "--config", config), till.Key, till.Genesis, nil)
	if err != nil {
		t.Fatal(err)
	}
	far := &line{pushed: make(chan int)}
	connect := func(url string) {
		far.to(wire.NewClient(url, till.Genesis.Till, till.Key, e.Key, nil))
	}
	connect(c.url)
	done := make(chan struct{})
	go func() {
		defer close(done)
		deliver(t, till, far)
	}()
	kills := 0
	for kills < rounds && running(done) {
		select {
		case <-far.pushed: // and now it is in the middle of it
			spin(time.Duration(rand.IntN(60)) * time.Millisecond)
		case <-done:
			continue
		}
		c.kill()
		kills++
		promised := till.Acked()
		c = startChild(t, config)
		if held := count(t, config); held < promised {
			t.Fatalf("after kill %d it holds %d records and had signed for %d", kills, held, promised)
		}
		connect(c.url)
	}
	<-done
	c.kill()
	same(t, config, till)
	t.Logf("%d kills, %d records", kills, len(till.Records()))
}

func running(done <-chan struct{}) bool {
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// spin waits without letting the scheduler decide how long.
func spin(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func database(t *testing.T, config string) *store.DB {
	t.Helper()
	cfg, err := load(config)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(cfg.Data, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func count(t *testing.T, config string) uint64 {
	t.Helper()
	db := database(t, config)
	tills, err := db.Tills(t.Context())
	if err := errors.Join(err, db.Close()); err != nil || len(tills) != 1 {
		t.Fatalf("%d tills, %v", len(tills), err)
	}
	return tills[0].Head.N
}

// same compares the two sides and checks the database whole.
func same(t *testing.T, config string, till *tilltest.Till) {
	t.Helper()
	db := database(t, config)
	defer db.Close()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	var held []byte
	for k, err := range db.Since(t.Context(), till.Genesis.Till, 0) {
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, k.Line...)
	}
	if !bytes.Equal(held, journal(till)) {
		t.Errorf("the two sides differ: %d and %d bytes", len(held), len(journal(till)))
	}
}
