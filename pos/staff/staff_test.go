package staff

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var anna = pos.Actor{ID: "a1", Name: "Anna", Role: pos.Owner}

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func check(t *testing.T, s *Store, id, pin string, want pos.Kind) {
	t.Helper()
	a, err := s.Check(id, pin)
	if err == nil {
		t.Fatalf("PIN %s was let in as %v, want %v", pin, a, want)
	}
	if k := pos.KindOf(err); k != want {
		t.Fatalf("PIN %s: %v: %v, want %v", pin, k, err, want)
	}
}

// TestSignIn holds the package to its first promises: the right PIN opens after a
// restart too, a wrong one and a stranger do not, and no PIN is in the file.
func TestSignIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staff.json")
	s := open(t, path)
	if len(s.Names()) != 0 {
		t.Fatalf("a new till knows %v", s.Names())
	}
	if err := s.Put(anna, "4711"); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if a, err := s.Check("a1", "4711"); err != nil || a != anna {
		t.Errorf("got %v, %v; want Anna", a, err)
	}
	check(t, s, "a1", "4712", pos.Forbidden)
	check(t, s, "a1", strings.Repeat("4", 5000), pos.Forbidden)
	check(t, s, "zz", "4711", pos.Forbidden)
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte("4711")) {
		t.Errorf("the file holds the PIN, or cannot be read: %v", err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v; want 0600", st.Mode(), err)
	}
}

// TestLockout tries wrong PINs: the sixth within the lock is not even looked at,
// pulling the plug does not help, and the lock grows.
func TestLockout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "staff.json")
		s := open(t, path)
		if err := s.Put(anna, "4711"); err != nil {
			t.Fatal(err)
		}
		for range freeTries {
			check(t, s, "a1", "0815", pos.Forbidden)
		}
		check(t, s, "a1", "4711", pos.Exhausted) // right, but too late
		s = open(t, path)                        // the plug
		check(t, s, "a1", "4711", pos.Exhausted)
		time.Sleep(firstLock)
		check(t, s, "a1", "0815", pos.Forbidden)
		time.Sleep(firstLock)
		check(t, s, "a1", "4711", pos.Exhausted) // a minute now
		time.Sleep(firstLock)
		if _, err := s.Check("a1", "4711"); err != nil {
			t.Errorf("the right PIN after the lock: %v", err)
		}
		if s.Wrong("a1") != 0 {
			t.Errorf("%d wrong PINs are still counted", s.Wrong("a1"))
		}
	})
}

func TestPINs(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "staff.json"))
	for _, pin := range []string{"", "123", "1234", "4321", "0000", "12a4", "1234567890123", "٤٧١١"} {
		if err := s.Put(anna, pin); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("PIN %q: got %v, want it refused", pin, err)
		}
	}
	if len(s.Names()) != 0 {
		t.Errorf("a refused PIN added %v", s.Names())
	}
}

// TestFullDisk cannot write the file: nothing changes, and nobody is told whether
// a PIN was right.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "gone", "staff.json"))
	if err := s.Put(anna, "4711"); pos.KindOf(err) != pos.Unavailable || err == nil {
		t.Errorf("got %v, want unavailable", err)
	}
	if len(s.Names()) != 0 {
		t.Error("the person was added although the file was not written")
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staff.json")
	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); pos.KindOf(err) != pos.Corrupt {
		t.Errorf("got %v, want corrupt", err)
	}
}
