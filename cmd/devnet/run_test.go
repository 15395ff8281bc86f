package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// cafe is a devnet directory whose two programs are fakes on free ports.
type cafe struct {
	dir, till, office string
	addr              [3]string // till, back office, wallet
	more              []string  // arguments
}

func newCafe(t *testing.T) cafe {
	t.Helper()
	c := cafe{dir: filepath.Join(t.TempDir(), "d")}
	bin := t.TempDir()
	c.till, c.office = link(t, bin, "till"), link(t, bin, "backoffice")
	t.Setenv("PATH", bin) // no go command: the nodes cannot be built
	if err := layCafe(filepath.Join(c.dir, "cafe")); err != nil {
		t.Fatal(err)
	}
	for i := range c.addr {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c.addr[i] = l.Addr().String()
	}
	for i, name := range []string{"till.toml", "backoffice.toml"} {
		path := filepath.Join(c.dir, "cafe", name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b = listenLine.ReplaceAll(b, []byte(`listen = "`+c.addr[i]+`"`))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c cafe) args() []string {
	return append([]string{"run", "--dir", c.dir, "--till", c.till, "--backoffice", c.office, "--listen", c.addr[2]}, c.more...)
}

func (c cafe) calls(t *testing.T) []string { return linesOf(t, filepath.Join(c.dir, "cafe", "calls")) }

// line returns where the till finds the back office.
func (c cafe) line(t *testing.T) string {
	b, err := os.ReadFile(filepath.Join(c.dir, "line.json"))
	var p linePorts
	if err = errors.Join(err, json.Unmarshal(b, &p)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", p.Office)
}

// open runs the shop until stop is called, which returns what run returned.
func (c cafe) open(t *testing.T) (said *words, stop func() error) {
	t.Helper()
	said = newWords()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, c.args(), said, said) }()
	t.Cleanup(cancel)
	return said, func() error { cancel(); return <-done }
}

// Goal: a shop whose nodes cannot be built sells for cash, says so, is set up
// once, closes in order, and opens again without doing any of it twice.
func TestShop(t *testing.T) {
	c := newCafe(t)
	said, stop := c.open(t)
	said.await(t, "the shop goes on with cash")
	for i, addr := range c.addr {
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("address %d answers %d", i, resp.StatusCode)
		}
	}
	for _, name := range []string{"lightning.conn", "backoffice.conn"} {
		if got := linesOf(t, filepath.Join(c.dir, "cafe", name)); len(got) != 1 || !strings.HasPrefix(got[0], "# ") {
			t.Errorf("%s says %q", name, got)
		}
	}
	pin, password := linesOf(t, filepath.Join(c.dir, "cafe", "till-pin")), linesOf(t, filepath.Join(c.dir, "cafe", "owner-password"))
	if !strings.Contains(said.String(), "PIN "+pin[0]) || !strings.Contains(said.String(), "password "+password[0]) {
		t.Errorf("it does not say how to get in:\n%s", said)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	at := c.line(t)
	want := []string{
		"backoffice owner", "backoffice run", "backoffice code", "till enrol http://" + at, "till staff", "till run",
		"closed till", "closed backoffice",
	}
	got := c.calls(t)
	if want := sortPair(want); !slices.Equal(sortPair(got), want) {
		t.Fatalf("called\n%q, want\n%q", got, want)
	}
	said, stop = c.open(t)
	said.await(t, "The shop is open")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := sortPair(c.calls(t)[len(want):]); !slices.Equal(got, sortPair([]string{"backoffice run", "till run", "closed till", "closed backoffice"})) {
		t.Errorf("the second time it called %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(c.dir, "run", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Goal: a folder of an earlier devnet, whose till calls the back office itself, gets
// a till that calls through the line, and keeps all else. A till that will not
// change its way goes on selling, and is asked again at the next start.
func TestShopOfEarlier(t *testing.T) {
	c := newCafe(t)
	said, stop := c.open(t)
	said.await(t, "The shop is open")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mark, again := filepath.Join(c.dir, "cafe", "enrolled"), "till enrol http://"+c.line(t)
	earlier := func() {
		t.Helper()
		if err := errors.Join(os.WriteFile(mark, []byte("http://"+c.addr[1]+"\n"), 0o600), os.Remove(filepath.Join(c.dir, "cafe", "calls"))); err != nil {
			t.Fatal(err)
		}
	}
	earlier()
	t.Setenv("FAKE_TILL", "unsent")
	said, stop = c.open(t)
	said.await(t, "The shop is open")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if text := said.String(); !strings.Contains(text, "2 sales wait") || !strings.Contains(text, "cannot be cut") {
		t.Errorf("it said\n%s", text)
	}
	t.Setenv("FAKE_TILL", "")
	for _, want := range []bool{true, false} {
		said, stop = c.open(t)
		said.await(t, "The shop is open")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		calls := c.calls(t)
		if slices.Contains(calls, again) != want || slices.Contains(calls, "backoffice owner") || slices.Contains(calls, "till staff") {
			t.Errorf("enrolled again: want %v, called %q", want, calls)
		}
		earlier()
		if err := os.WriteFile(mark, []byte("http://"+c.line(t)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// sortPair puts "backoffice run" before what follows it: the server notes its
// start by itself, while devnet's next command may be under way.
func sortPair(calls []string) []string {
	out := slices.Clone(calls)
	for i := 1; i < len(out); i++ {
		if out[i] == "backoffice run" && out[i-1] == "backoffice code" {
			out[i], out[i-1] = out[i-1], out[i]
		}
	}
	return out
}

// Goal: a till that dies is back, and its death is told.
func TestShopTillDies(t *testing.T) {
	c := newCafe(t)
	said, stop := c.open(t)
	said.await(t, "is open")
	pid := linesOf(t, filepath.Join(c.dir, "run", "till.pid"))[0]
	if err := syscall.Kill(atoi(t, pid), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	said.await(t, "till ended by itself (signal: ")
	err := await(t.Context(), "the till", func(context.Context) error {
		if n := len(slices.DeleteFunc(c.calls(t), func(s string) bool { return s != "till run" })); n < 2 {
			return errors.New("not yet")
		}
		return nil
	})
	if err = errors.Join(err, stop()); err != nil {
		t.Fatal(err)
	}
}

func TestShopRefuses(t *testing.T) {
	c := newCafe(t)
	for i, want := range []string{"the till cannot listen on", "the back office cannot listen on", "--listen"} {
		t.Run(want, func(t *testing.T) {
			l, err := net.Listen("tcp", c.addr[i])
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			said := newWords()
			if err := run(t.Context(), c.args(), said, said); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), c.addr[i]) {
				t.Errorf("got %v, want %q and the address", err, want)
			}
		})
	}
	t.Run("second devnet", func(t *testing.T) {
		said, stop := c.open(t)
		said.await(t, "is open")
		if err := run(t.Context(), c.args(), newWords(), newWords()); err == nil || !strings.Contains(err.Error(), "another devnet") {
			t.Errorf("got %v", err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("no till", func(t *testing.T) {
		args := append(c.args(), "--till", c.till+"-none")
		if err := run(t.Context(), args, newWords(), newWords()); err == nil || !strings.Contains(err.Error(), "there is no program here") {
			t.Errorf("got %v", err)
		}
	})
}

// Goal: what is on the display is found whatever the till answers.
func TestShown(t *testing.T) {
	c := newCafe(t)
	shop, err := NewShop(c.dir, c.till, c.office, newWords().say)
	if err != nil {
		t.Fatal(err)
	}
	if got := shop.Shown(t.Context()); got != "" {
		t.Errorf("no till shows %q", got)
	}
	said, stop := c.open(t)
	said.await(t, "is open")
	if got := shop.Shown(t.Context()); got != "LNSB10U1SHOWN" {
		t.Errorf("the till shows %q", got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestRandomPIN(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		pin := randomPIN()
		for i := range pin {
			if i > 0 && pin[i]-pin[i-1]+1 <= 2 {
				t.Fatalf("%s is a pattern", pin)
			}
		}
		seen[pin] = len(pin) == 4
	}
	if len(seen) < 100 {
		t.Errorf("200 PINs are %d different ones", len(seen))
	}
}

func TestCodeIn(t *testing.T) {
	if got, err := codeIn(enrolmentCode + "\n"); err != nil || got != enrolmentCode {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := codeIn(" \n"); err == nil {
		t.Error("no code is no error")
	}
}
