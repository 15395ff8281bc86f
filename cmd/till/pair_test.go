package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// officeBuilt is where officeProgram built it, for TestMain to remove.
var officeBuilt string

// officeProgram returns the real backoffice. TILLWRIGHT_BACKOFFICE names it; without
// it, it is built here.
var officeProgram = sync.OnceValues(func() (string, error) {
	if p := os.Getenv("TILLWRIGHT_BACKOFFICE"); p != "" {
		return p, nil
	}
	dir, err := os.MkdirTemp("", "backoffice")
	if err != nil {
		return "", err
	}
	officeBuilt = dir
	p := filepath.Join(dir, "backoffice")
	if out, err := exec.Command("go", "build", "-o", p, "../backoffice").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the backoffice: %w: %s", err, out)
	}
	return p, nil
})

// officeProcess is a backoffice that runs on its own and can be killed at any
// instant. Tills reach it at one address, over a line, wherever it listens.
type officeProcess struct {
	t       testing.TB
	program string
	config  string
	line    *outage.Link
	url     string // of the line's near end

	mu  sync.Mutex
	cmd *exec.Cmd
	at  string // where it listens now; empty while it is dead
}

// newOfficeProcess starts a backoffice with an empty database.
func newOfficeProcess(t testing.TB) *officeProcess {
	t.Helper()
	return newOfficeAt(t, "127.0.0.1")
}

// newOfficeAt is newOfficeProcess with the line's near end on another address.
func newOfficeAt(t testing.TB, ip string) *officeProcess {
	t.Helper()
	program, err := officeProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := &officeProcess{t: t, program: program, config: filepath.Join(dir, "backoffice.toml")}
	text := fmt.Sprintf("data = %q\nshop = \"Café Süd\"\nlisten = \"127.0.0.1:0\"\nzone = \"Europe/Vienna\"\n", filepath.Join(dir, "data"))
	if err := os.WriteFile(o.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.line = outage.NewLink("backoffice", o.dial)
	ln, err := o.line.ProxyAt(ip)
	if err != nil {
		t.Fatal(err)
	}
	o.url = "http://" + ln.Addr().String()
	t.Cleanup(func() {
		o.kill()
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		o.line.Close()
	})
	o.start()
	return o
}

func (o *officeProcess) dial(ctx context.Context, netw, _ string) (net.Conn, error) {
	o.mu.Lock()
	at := o.at
	o.mu.Unlock()
	if at == "" {
		return nil, errors.New("the backoffice is dead")
	}
	return new(net.Dialer).DialContext(ctx, netw, at)
}

// start starts the backoffice and waits until it listens.
func (o *officeProcess) start() {
	o.t.Helper()
	cmd := exec.Command(o.program, "run", "--config", o.config)
	cmd.Stderr = o.t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	at := ""
	for s := bufio.NewScanner(out); at == "" && s.Scan(); {
		at, _ = strings.CutPrefix(s.Text(), "listening on http://")
	}
	if at == "" {
		o.t.Fatal("the backoffice did not start")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cmd, o.at = cmd, at
}

// kill is the power cut, short of the disk's own cache.
func (o *officeProcess) kill() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cmd == nil {
		return
	}
	_ = o.cmd.Process.Kill() // it may be dead already
	_ = o.cmd.Wait()
	o.cmd, o.at = nil, ""
}

// enrol binds the till behind c to this backoffice.
func (o *officeProcess) enrol(c *counter) {
	o.t.Helper()
	code, err := exec.Command(o.program, "code", "--config", o.config).Output()
	if err != nil {
		o.t.Fatal(err)
	}
	c.do("POST", "/v1/enrolments", object{"url": o.url, "code": strings.TrimSpace(string(code))}, nil)
}

// sameBooks demands that a till and a backoffice, both dead, hold the same records
// byte for byte, and that both sides' figures are the same and no alarm is raised.
func (o *officeProcess) sameBooks(t *testing.T, dir string) (records int) {
	t.Helper()
	cfg, k := tillAt(t, dir)
	j, err := journal.Open(cfg.journalDir(), journal.Options{Key: k})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	db, err := store.Open(t.Context(), filepath.Join(filepath.Dir(o.config), "data", "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	ours, theirs := pos.NewReport("01", cfg.shop.Currency), pos.NewReport("01", cfg.shop.Currency)
	var mine [][]byte
	for r, err := range j.Since(0) {
		if err != nil {
			t.Fatal(err)
		}
		mine = append(mine, r.Line)
		if err := ours.Add(r); err != nil {
			t.Error(err)
		}
	}
	for r, err := range db.Since(t.Context(), tillID(publicOf(k)), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if records >= len(mine) || !bytes.Equal(r.Line, mine[records]) {
			t.Fatalf("record %d differs", records+1)
		}
		if err := theirs.Add(r.Record); err != nil {
			t.Error(err)
		}
		records++
	}
	if records != len(mine) || !reflect.DeepEqual(ours, theirs) {
		t.Errorf("the till has %d records, the backoffice %d;\n%+v\n%+v", len(mine), records, ours, theirs)
	}
	if alarms, err := db.Alarms(t.Context()); err != nil || len(alarms) > 0 {
		t.Errorf("alarms %+v, %v", alarms, err)
	}
	return records
}
