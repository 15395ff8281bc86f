package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary play every program that devnet starts: it is what
// its name says when it is called through a link of that name.
func TestMain(m *testing.M) {
	roles := map[string]func([]string) int{
		"child": playChild, "till": playTill, "backoffice": playOffice, "go": playGo,
	}
	if play, ok := roles[filepath.Base(os.Args[0])]; ok {
		os.Exit(play(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// link makes the test binary callable as name in dir, and returns the path.
func link(t testing.TB, dir, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// playChild is a program that does what its first argument says.
func playChild(args []string) int {
	switch args[0] {
	case "die": // says something and ends
		fmt.Println(strings.Repeat("noise\n", 30) + "the last word")
		return 3
	case "wait": // ends when it is asked to
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM)
		fmt.Println("waiting")
		<-term
		return 0
	case "deaf": // does not end when it is asked to
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("deaf")
		select {}
	}
	return 2
}

// flagsOf reads --config and what stands behind it.
func flagsOf(args []string) (config string, rest []string) {
	set := flag.NewFlagSet("fake", flag.ExitOnError)
	set.StringVar(&config, "config", "", "")
	password := set.String("password-file", "", "")
	_ = set.Parse(args)
	return config, append(set.Args(), *password)
}

// noteCall appends a line to calls beside the configuration, so that a test can
// see what was called, and how often.
func noteCall(config, text string) {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(config), "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, text)
}

const enrolmentCode = "K7QM-2XRD-9FWT"

// playTill has the till's command line, and is as strict.
func playTill(args []string) int {
	switch {
	case args[0] == "run":
		config, _ := flagsOf(args[1:])
		noteCall(config, "till run")
		return playServer(config, `{"customer":{"phase":"due","qr":"LNSB10U1SHOWN"}}`)
	case args[0] == "enrol":
		config, rest := flagsOf(args[1:])
		if rest[1] != enrolmentCode {
			fmt.Fprintln(os.Stderr, "this code is wrong")
			return 1
		}
		if os.Getenv("FAKE_TILL") == "unsent" {
			fmt.Fprintln(os.Stderr, "till: 2 sales wait for another backoffice")
			return 1
		}
		noteCall(config, "till enrol "+rest[0])
		return made(config, "till")
	case args[0] == "staff" && args[1] == "add":
		config, rest := flagsOf(args[2:])
		if len(os.Getenv("TILL_PIN")) < 4 || rest[0] != "Ada" {
			return 1
		}
		noteCall(config, "till staff")
		return made(config, "till")
	}
	return 2
}

// playOffice has the back office's command line.
func playOffice(args []string) int {
	switch {
	case args[0] == "run":
		config, _ := flagsOf(args[1:])
		noteCall(config, "backoffice run")
		return playServer(config, "{}")
	case args[0] == "code":
		config, _ := flagsOf(args[1:])
		noteCall(config, "backoffice code")
		fmt.Println(enrolmentCode)
		return 0
	case args[0] == "owner" && args[1] == "set":
		config, rest := flagsOf(args[2:])
		b, err := os.ReadFile(rest[0])
		if err != nil || len(bytes.TrimSpace(b)) < 12 {
			return 1
		}
		noteCall(config, "backoffice owner")
		return made(config, "backoffice")
	}
	return 2
}

// made leaves a data folder behind, as the real commands do.
func made(config, name string) int {
	if os.MkdirAll(filepath.Join(filepath.Dir(config), name), 0o700) != nil {
		return 1
	}
	return 0
}

// playServer answers everything with view until it is asked to end.
func playServer(config, view string) int {
	addr, err := listenOf(config, "")
	if err != nil {
		return 1
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, view) }))
	<-ctx.Done()
	noteCall(config, "closed "+filepath.Base(os.Args[0]))
	return 0
}

// playGo is the go command as far as a build needs it.
func playGo(args []string) int {
	switch os.Getenv("FAKE_GO") {
	case "fail":
		fmt.Fprintln(os.Stderr, strings.Repeat("go: downloading x\n", 20)+"no space left on device")
		return 1
	case "hang":
		if args[0] == "build" {
			select {}
		}
	}
	if args[0] == "list" {
		fmt.Fprintln(os.Stderr, "go: downloading example.com/y v1.0.0")
		fmt.Print("stale\n\nstale\nstale\n")
		return 0
	}
	fmt.Fprintln(os.Stderr, "go: downloading example.com/x v1.0.0\npackage/one\npackage/two\npackage/three")
	if os.WriteFile(args[3], []byte("no program"), 0o700) != nil {
		return 1
	}
	return 0
}

// words collects what is reported, and lets a test wait for a line.
type words struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newWords() *words { return &words{more: make(chan struct{}, 1)} }

func (w *words) Write(b []byte) (int, error) {
	w.say(string(b))
	return len(b), nil
}

func (w *words) say(s string) {
	w.mu.Lock()
	w.text.WriteString(s + "\n")
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// patience is how long a test waits for what must happen: a bound for a broken
// test, never a pause.
const patience = 90 * time.Second

// await returns when part was said.
func (w *words) await(t testing.TB, part string) {
	t.Helper()
	late := time.After(patience)
	for !strings.Contains(w.String(), part) {
		select {
		case <-w.more:
		case <-late:
			t.Fatalf("nobody said %q; said was:\n%s", part, w)
		}
	}
}

// lines of a file, without the last break.
func linesOf(t testing.TB, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"fly"}, {"nodes"}, {"nodes", "--dir", "x", "--build-only", "more"}} {
		var errs bytes.Buffer
		if err := run(t.Context(), args, &errs, &errs); err != flag.ErrHelp || errs.Len() == 0 {
			t.Errorf("%q: got %v and %q, want help", args, err, errs.String())
		}
	}
}
