package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/api"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

// try runs a command as a person would, and returns what it printed.
func try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errs strings.Builder
	err := run(t.Context(), args, &out, &errs)
	t.Logf("till %s\n%s%s%v", strings.Join(args, " "), out.String(), errs.String(), err)
	return out.String(), err
}

// good runs a command that must not fail.
func good(t *testing.T, args ...string) string {
	t.Helper()
	out, err := try(t, args...)
	if err != nil {
		t.Fatalf("till %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// backoffice is the merchant's server, as cmd/backoffice wires it.
type backoffice struct {
	url   string
	codes *access.Codes
}

func openBackoffice(t *testing.T) *backoffice {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte("a backoffice's key of 32 bytes!!"))
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backoffice{url: "http://" + ln.Addr().String(), codes: access.NewCodes(db, key)}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	app := web.New(web.Options{Log: log})
	api.Mount(app, api.Options{
		Store: db, Ingest: &ingest.Ingest{Store: db, Key: key}, Codes: b.codes, Keys: access.NewOwner(db, db),
		Key: key.Public().(ed25519.PublicKey), Shop: "Café Süd", Version: "test", Log: log,
	})
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(soon); err != nil {
			t.Error(err)
		}
		<-done
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// code makes a one-time code.
func (b *backoffice) code(t *testing.T) string {
	t.Helper()
	code, _, err := b.codes.Make(t.Context(), "Counter", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestEnrolCommand connects a till that is not running, once; then it runs, and
// what it did arrives.
func TestEnrolCommand(t *testing.T) {
	b, dir := openBackoffice(t), t.TempDir()
	file := writeShop(t, dir, "")
	if _, err := try(t, "enrol", "--config", file, b.url, "WRONG-CODE"); err == nil {
		t.Error("a wrong code is taken")
	}
	if _, err := try(t, "enrol", "--config", file, "http://192.0.2.1", b.code(t)); err == nil || !strings.Contains(err.Error(), "unencrypted") {
		t.Errorf("an address over which everybody reads along: %v", err)
	}
	code := b.code(t)
	if out := good(t, "enrol", "--config", file, b.url+"/", code); out != "this till belongs to Café Süd ("+b.url+") now\n" {
		t.Errorf("printed %q", out)
	}
	if out := good(t, "enrol", "--config", file, b.url, "ANY"); !strings.Contains(out, "already") {
		t.Errorf("printed %q", out)
	}
	if _, err := try(t, "enrol", "--config", writeShop(t, t.TempDir(), ""), b.url, code); err == nil {
		t.Error("a code is taken twice")
	}

	_, c, stop := inProcessAt(t, dir, "")
	c.found()
	sale := c.ring("BRD")
	c.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "cash"}, nil)
	c.wait("backoffice", func(v pos.View) bool {
		s := v.Counter.Sync
		return s.Enrolled && s.SafeTo > 0 && s.Sales == 0 && s.Waiting == 0 && v.Counter.LastDone != nil
	})
	stop()
}

// TestVerifyCommand checks a journal as an auditor does: from an export, with the
// key alone. One changed letter is found and named.
func TestVerifyCommand(t *testing.T) {
	dir := t.TempDir()
	file := writeShop(t, dir, "")
	t.Setenv("TILL_PIN", "4711")
	good(t, "staff", "add", "--config", file, "Olga")
	key := strings.TrimSpace(good(t, "export", "--key", "--config", file))
	text := good(t, "export", "--config", file)
	copied := write(t, "export.jsonl", text)
	if out := good(t, "verify", "--key", key, copied); !strings.HasPrefix(out, "good: 5 records, from 1 to 5, in 1 file(s)") {
		t.Errorf("printed %q", out)
	}
	if out := good(t, "verify", "--key", key, write(t, "torn.jsonl", text+`{"n":5,`)); !strings.Contains(out, "loss of power") {
		t.Errorf("printed %q", out)
	}
	other := hex.EncodeToString(ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	for name, x := range map[string]struct {
		args []string
		want string
	}{
		"no files":        {[]string{"--key", key}, "name the journal's files"},
		"no key":          {[]string{copied}, "-key must be 64 hex digits"},
		"half a key":      {[]string{"--key", key[:20], copied}, "-key must be 64 hex digits"},
		"another's key":   {[]string{"--key", other, copied}, ""},
		"not there":       {[]string{"--key", key, filepath.Join(dir, "none")}, ""},
		"no journal":      {[]string{"--key", key, file}, ""},
		"a changed name":  {[]string{"--key", key, write(t, "a.jsonl", strings.Replace(text, "Olga", "Olgo", 1))}, "line 4"},
		"a missing line":  {[]string{"--key", key, write(t, "b.jsonl", strings.Join(cutLine(text, 2), ""))}, "line 3"},
		"a doubled line":  {[]string{"--key", key, write(t, "c.jsonl", text+strings.SplitAfter(text, "\n")[3])}, "line 6"},
		"an unknown flag": {[]string{"--keys", key, copied}, "flag provided but not defined"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := try(t, append([]string{"verify"}, x.args...)...); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

func cutLine(text string, i int) []string {
	lines := strings.SplitAfter(text, "\n")
	return append(lines[:i:i], lines[i+1:]...)
}

// TestStaffAddCommand is the way back in when all PINs are lost: only at the board.
func TestStaffAddCommand(t *testing.T) {
	file := writeShop(t, t.TempDir(), "")
	for name, x := range map[string]struct {
		pin  string
		args []string
	}{
		"no PIN":          {"", []string{"Olga"}},
		"everybody's PIN": {"1234", []string{"Olga"}},
		"letters":         {"abcd", []string{"Olga"}},
		"no name":         {"4711", nil},
		"two names":       {"4711", []string{"Olga", "Otto"}},
		"bad name":        {"4711", []string{"Ol\x1bga"}},
		"no such role":    {"4711", []string{"--role", "king", "Olga"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TILL_PIN", x.pin)
			if _, err := try(t, append([]string{"staff", "add", "--config", file}, x.args...)...); err == nil {
				t.Error("let through")
			}
		})
	}
	t.Setenv("TILL_PIN", "4711")
	if out := good(t, "staff", "add", "--config", file, "--role", "cashier", "Olga"); out != "Olga may use this till as cashier\n" {
		t.Errorf("printed %q", out)
	}
	if _, err := try(t, "staff", "add", "--config", file, "olga"); err == nil {
		t.Error("a second Olga")
	}
	if text := good(t, "export", "--config", file); strings.Count(text, string(pos.KindStaffChanged)) != 1 || strings.Contains(text, "4711") {
		t.Errorf("the journal says\n%s", text)
	}
}

// TestTwoPrograms: a command at the board while the till runs is refused, and
// harms nothing.
func TestTwoPrograms(t *testing.T) {
	dir := t.TempDir()
	_, c, stop := inProcessAt(t, dir, "")
	c.found()
	t.Setenv("TILL_PIN", "4711")
	file := filepath.Join(dir, "till.toml")
	if _, err := try(t, "staff", "add", "--config", file, "Eve"); err == nil {
		t.Error("added beside the running till")
	}
	good(t, "export", "--config", file)
	stop()
}

// TestDoctorCommand tries a shop in which nothing is there, and one in which all
// is: each thing has its line, and each that is not well has a remedy.
func TestDoctorCommand(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := ln.Addr().String() // nobody listens there any more
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	sick := strings.NewReplacer(`"paper"`, `"tcp://`+dead+`"`, "http://127.0.0.1:1", "http://"+dead).Replace(demo)
	dir := t.TempDir()
	file := writeShop(t, dir, "# building lnd 2/4")
	if err := os.WriteFile(file, []byte(sick+"[display]\nframebuffer = \"/dev/none\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := try(t, "doctor", "--config", file)
	if err == nil || !strings.Contains(err.Error(), "4 of ") {
		t.Errorf("the doctor says %v", err)
	}
	for _, want := range []string{
		"ok    configuration", "ok    storage", "ok    clock", "FAIL  lightning      building lnd 2/4", "→ put the node's connection string into ",
		"ok    rate fixed", "FAIL  printer        tcp://" + dead, "→ check cable, power and paper", "FAIL  display        framebuffer on /dev/none: there is no display at /dev/none", "FAIL  backoffice     http://" + dead, "→ check the line",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no line with %q", want)
		}
	}

	node, b := lndtest.New(t, lndtest.Options{TCP: true}), openBackoffice(t)
	dir = t.TempDir()
	file = writeShop(t, dir, node.Connection())
	if err := os.WriteFile(file, []byte(strings.Replace(demo, "http://127.0.0.1:1", b.url, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out = good(t, "doctor", "--config", file)
	if strings.Contains(out, "FAIL") || !strings.Contains(out, "ok    node ") || !strings.Contains(out, "ok    backoffice     "+b.url+": 200 OK") {
		t.Errorf("printed\n%s", out)
	}
	if _, err := try(t, "doctor", "--config", filepath.Join(dir, "none")); err == nil {
		t.Error("a doctor without a configuration")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "data", "*")); err != nil || len(left) != 0 {
		t.Errorf("the doctor left %v", left)
	}
}

// TestCommandLine gives words that are no command, and too many of them.
func TestCommandLine(t *testing.T) {
	file := writeShop(t, t.TempDir(), "")
	for _, args := range [][]string{
		{"sell"}, {"config"}, {"config", "chek"}, {"staff"}, {"run", "now", "--config", file}, {"run", "--config", file, "now"}, {"config", "check", "--config", file, "x"},
		{"doctor", "--config", file, "x"}, {"export", "--config", file, "x"}, {"enrol", "--config", file, "https://a"}, {"run", "--config", file + "x"}, {"export", "--config", file + "x"},
		{"enrol", "--config", file + "x", "https://a", "b"}, {"staff", "add", "--config", file + "x", "Olga"}, {"config", "check", "--config", file + "x"},
	} {
		if _, err := try(t, args...); err == nil {
			t.Errorf("till %v is let through", args)
		}
	}
	if _, err := try(t, "doctor", "--config", file+"x"); err == nil || err.Error() != "there is no configuration "+file+"x: write it, or name yours with -config FILE" {
		t.Errorf("without a file: %v", err)
	}
	for _, args := range [][]string{{}, {"help"}, {"-h"}, {"run", "-h"}} {
		var out, errs strings.Builder
		if err := run(context.Background(), args, &out, &errs); err != nil || !strings.Contains(errs.String(), "till") {
			t.Errorf("till %v: %v, %q", args, err, errs.String())
		}
	}
	if out := good(t, "config", "check", "--config", file); !strings.HasSuffix(out, "is good: Café Süd sells 2 items in EUR; lightning: simnet; printer: paper, 42 columns\n") {
		t.Errorf("printed %q", out)
	}
}
