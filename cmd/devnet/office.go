package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Shop is the till and the back office, as children, in their demo shop.
type Shop struct {
	dir          string // cafe, under devnet's
	till, office *Child
	tillBin      string
	officeBin    string
	tillAt       string // "127.0.0.1:8080"
	officeAt     string
	officeVia    string // where the till finds the back office: through the shop's line
	say          func(string)
}

// NewShop lays out the demo shop under dir (devnet's) and reads from its files
// where the two programs listen. Nothing runs yet.
func NewShop(dir, tillBin, officeBin string, say func(string)) (*Shop, error) {
	s := &Shop{dir: filepath.Join(dir, "cafe"), tillBin: tillBin, officeBin: officeBin, say: say}
	if err := layCafe(s.dir); err != nil {
		return nil, err
	}
	var err error
	if s.tillAt, err = listenOf(s.tillConf(), "127.0.0.1:8080"); err != nil {
		return nil, err
	}
	if s.officeAt, err = listenOf(s.officeConf(), "127.0.0.1:8081"); err != nil {
		return nil, err
	}
	child := func(name, bin, conf string) *Child {
		return NewChild(Spec{Name: name, Path: bin, Args: []string{"run", "--config", conf}, Dir: dir, Home: s.dir}, say)
	}
	s.till, s.office = child("till", tillBin, s.tillConf()), child("backoffice", officeBin, s.officeConf())
	return s, nil
}

func (s *Shop) tillConf() string     { return filepath.Join(s.dir, "till.toml") }
func (s *Shop) officeConf() string   { return filepath.Join(s.dir, "backoffice.toml") }
func (s *Shop) tillConn() string     { return filepath.Join(s.dir, "lightning.conn") }
func (s *Shop) officeConn() string   { return filepath.Join(s.dir, "backoffice.conn") }
func (s *Shop) enrolledFile() string { return filepath.Join(s.dir, "enrolled") }
func (s *Shop) passwordFile() string { return filepath.Join(s.dir, "owner-password") }
func (s *Shop) pinFile() string      { return filepath.Join(s.dir, "till-pin") }

// free fails with a sentence for people when one of the two ports is taken.
func (s *Shop) free() error {
	return errors.Join(freePort(s.tillAt, "the till", s.tillConf()), freePort(s.officeAt, "the back office", s.officeConf()))
}

func freePort(addr, who, conf string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s cannot listen on %s, another program does: stop that one, or change listen in %s (%w)", who, addr, conf, err)
	}
	return l.Close()
}

// Bounds of the two programs' own steps.
const (
	upWithin   = 20 * time.Second // from start to the first answer; below one second unless the machine is busy
	onceWithin = 30 * time.Second // a command that makes a key or hashes a password
)

// Open makes the back office's owner and starts it, makes the till known there
// and a first person known to the till, and starts the till. What went well
// earlier is not done again. A shop that can sell is better than none: only a
// program that does not start is an error; the rest is told.
func (s *Shop) Open(ctx context.Context) error {
	if err := s.makeOwner(ctx); err != nil {
		s.say("the back office has no owner yet: " + err.Error())
	}
	if err := s.up(ctx, s.office, s.officeAt); err != nil {
		return err
	}
	if err := s.enrol(ctx); err != nil {
		s.say(s.notEnrolled() + " (the next start tries again): " + err.Error())
	}
	if err := s.makeCashier(ctx); err != nil {
		s.say("nobody can sign in at the till yet, open it in a browser: " + err.Error())
	}
	return s.up(ctx, s.till, s.tillAt)
}

// Close stops the till, then the back office, so that the till's last records
// find it.
func (s *Shop) Close() {
	s.till.Stop(stopGrace)
	s.office.Stop(stopGrace)
}

// up starts a child and waits until it answers HTTP, whatever it answers.
func (s *Shop) up(ctx context.Context, c *Child, addr string) error {
	if err := c.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, upWithin, fmt.Errorf("it does not answer on %s", addr))
	defer cancel()
	return c.Await(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
		if err != nil {
			return final{err}
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// makeOwner gives the back office a random owner's password, once. The file with
// it appears only when the back office has it: an owner who changes it later
// keeps his own.
func (s *Shop) makeOwner(ctx context.Context) error {
	if _, err := os.Stat(s.passwordFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	try := s.passwordFile() + ".new"
	if err := writeFile(try, []byte(rand.Text()[:16]+"\n")); err != nil {
		return err
	}
	if _, err := s.once(ctx, nil, s.officeBin, "owner", "set", "--config", s.officeConf(), "--password-file", try); err != nil {
		return err
	}
	if err := os.Rename(try, s.passwordFile()); err != nil {
		return fmt.Errorf("keep the owner's password: %w", err)
	}
	return nil
}

// notEnrolled says what a failed enrolment means.
func (s *Shop) notEnrolled() string {
	if _, err := os.Stat(s.enrolledFile()); err == nil {
		return "the till keeps an earlier way to the back office, which cannot be cut"
	}
	return "the till is not enrolled at the back office yet"
}

// enrol binds the till to the back office. It is skipped when that was done with
// this very data folder and this address; the till takes a second enrolment at the
// same place for what it is.
func (s *Shop) enrol(ctx context.Context) error {
	url := "http://" + s.officeVia
	at, done := os.ReadFile(s.enrolledFile())
	_, data := os.Stat(filepath.Join(s.dir, "till"))
	if done == nil && data == nil && strings.TrimSpace(string(at)) == url {
		return nil
	}
	out, err := s.once(ctx, nil, s.officeBin, "code", "--config", s.officeConf())
	if err != nil {
		return err
	}
	code, err := codeIn(out)
	if err != nil {
		return err
	}
	if _, err := s.once(ctx, nil, s.tillBin, "enrol", "--config", s.tillConf(), url, code); err != nil {
		return err
	}
	return writeFile(s.enrolledFile(), []byte(url+"\n"))
}

// codeIn returns the code that the back office printed: its first word.
func codeIn(out string) (string, error) {
	words := strings.Fields(out)
	if len(words) == 0 {
		return "", errors.New("the back office printed no code")
	}
	return words[0], nil
}

// once runs a command of one of the two programs to its end and returns what it
// printed. env is added to devnet's own environment.
func (s *Shop) once(ctx context.Context, env []string, bin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, onceWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		said := strings.Split(strings.TrimSpace(errs.String()), "\n")
		return "", fmt.Errorf("%s %s: %w:\n    %s", filepath.Base(bin), args[0], err, strings.Join(said[:min(len(said), goLines)], "\n    "))
	}
	return out.String(), nil
}

// cashier is who may sign in at the demo till from the start, as its owner.
const cashier = "Ada"

// makeCashier lets the first person use the till, with a random PIN, once. The
// file with it appears only when the till knows it.
func (s *Shop) makeCashier(ctx context.Context) error {
	if _, err := os.Stat(s.pinFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	pin := randomPIN()
	env := []string{"TILL_PIN=" + pin} // not an argument: those are visible to everybody
	if _, err := s.once(ctx, env, s.tillBin, "staff", "add", "--config", s.tillConf(), cashier); err != nil {
		return err
	}
	return writeFile(s.pinFile(), []byte(pin+"\n"))
}

// randomPIN returns four digits that are not a pattern which tills refuse: none
// follows on or equals its neighbour.
func randomPIN() string {
	digits := []byte{}
	for len(digits) < 4 {
		n, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			panic(err) // never (crypto/rand)
		}
		d := byte('0' + n.Int64())
		if len(digits) > 0 && (d+1 >= digits[len(digits)-1] && d <= digits[len(digits)-1]+1) {
			continue
		}
		digits = append(digits, d)
	}
	return string(digits)
}

// viewWithin bounds the look at the till's display: the list of invoices is shown
// without it rather than late.
const viewWithin = 500 * time.Millisecond

// Shown returns the text of the QR code on the till's customer display, or "".
func (s *Shop) Shown(ctx context.Context) string {
	qr, _ := s.Display(ctx)
	return qr
}

// Display returns the text of the QR code on the till's customer display, or "", and
// until when it can be paid.
func (s *Shop) Display(ctx context.Context) (qr string, until time.Time) {
	ctx, cancel := context.WithTimeout(ctx, viewWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.tillAt+"/v1/view", nil)
	if err != nil {
		return "", time.Time{}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", time.Time{}
	}
	defer resp.Body.Close()
	var v struct {
		Customer struct {
			QR      string
			Expires time.Time
		}
	}
	if json.NewDecoder(io.LimitReader(resp.Body, answerLimit)).Decode(&v) != nil {
		return "", time.Time{}
	}
	return v.Customer.QR, v.Customer.Expires
}
