package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// soon bounds a stop: SIGKILL follows SIGTERM after ten seconds nearly everywhere.
const soon = 10 * time.Second

// TestStopAtOnce stops the till while it starts, at whatever moment that is.
func TestStopAtOnce(t *testing.T) {
	dir := t.TempDir()
	cfg, err := loadConfig(writeShop(t, dir, ""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 {
		done := make(chan error, 1)
		go func() { done <- sell(ctx, cfg, quiet(), nil) }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("stopped at once, the till says %v", err)
			}
		case <-time.After(soon):
			t.Fatal("the till was told to stop while it started, and goes on")
		}
	}
}

// TestActorFails breaks one of the till's threads of work: the till ends with its
// name and reason, in time, in order, and can be started again at once.
func TestActorFails(t *testing.T) {
	dir := t.TempDir()
	cfg, err := loadConfig(writeShop(t, dir, ""))
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	broke := errors.New("bus stuck")
	for range 2 {
		done := make(chan error, 1)
		go func() {
			done <- sell(context.Background(), cfg, quiet(), func(x *till, _ net.Addr) {
				x.actors.add("panel", func(context.Context) error { return broke }, nil)
			})
		}()
		select {
		case err := <-done:
			if !errors.Is(err, broke) || !strings.Contains(err.Error(), "panel") {
				t.Errorf("the till ended with %v", err)
			}
		case <-time.After(soon):
			t.Fatal("the till goes on without its panel")
		}
	}
	if last := lastKind(t, cfg); last != pos.KindStopped {
		t.Errorf("the newest record is %s, want %s: the rest was shut down in order", last, pos.KindStopped)
	}
	for end := time.Now().Add(soon); runtime.NumGoroutine() > before+5; runtime.Gosched() { // idle connections and the like
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines are left, %d were there:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

func lastKind(t *testing.T, cfg config) (last pos.RecordKind) {
	t.Helper()
	k, err := tillKey(cfg)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(cfg.journalDir(), journal.Options{Key: k})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for r, err := range j.Since(0) {
		if err != nil {
			t.Fatal(err)
		}
		last = r.Kind
	}
	return last
}

// TestStopUnderWay stops the till while a customer's code is on the screen and the
// node does not answer a cancellation.
func TestStopUnderWay(t *testing.T) {
	dir, node := t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true})
	_, c, stop := inProcess(t, dir, node)
	c.found()
	c.wait("Lightning", ready)
	sale := c.ring("BRD")
	c.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "lightning"}, nil)
	c.phase(pos.PhaseDue)
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > soon {
		t.Errorf("stopping took %v", took)
	}
}

// TestMonotonic: records say how long the till had been running by the clock that
// does not jump; the wall clock's reading would make that a copy of itself.
func TestMonotonic(t *testing.T) {
	dir := t.TempDir()
	cfg, err := loadConfig(writeShop(t, dir, ""))
	if err != nil {
		t.Fatal(err)
	}
	x, err := openTill(cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer x.shut()
	if at, _ := x.now(); !strings.Contains(at.String(), " m=") {
		t.Errorf("the desk's clock says %v, without a monotonic reading", at)
	}
}

// TestExportOnlyReads: an export of a till that is not there must not make one.
func TestExportOnlyReads(t *testing.T) {
	dir := t.TempDir()
	file := writeShop(t, dir, "")
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"export"}, {"export", "--key"}} {
		var out, errs strings.Builder
		if err := run(t.Context(), append(args, "--config", file), &out, &errs); err == nil {
			t.Errorf("%v of nothing: %q", args, out.String())
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, "data")); err != nil || len(left) != 0 {
		t.Errorf("the export made %v, %v", left, err)
	}
}

// TestOddFolder keeps the data where the name has letters that mean something to
// those who search files by patterns.
func TestOddFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop [1]*")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(writeShop(t, dir, ""))
	if err != nil {
		t.Fatal(err)
	}
	x, err := openTill(cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.shut(); err != nil {
		t.Fatal(err)
	}
	files, err := journalFiles(cfg)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if _, err := journal.Verify(x.key.Public().(ed25519.PublicKey), files...); err != nil {
		t.Error(err)
	}
}
