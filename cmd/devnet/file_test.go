package main

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"one", "two, longer", ""} {
		if err := writeFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	i, err := os.Stat(path)
	if err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", i.Mode(), err)
	}
	// A reader never sees a torn file, and a failure leaves neither harm nor litter.
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "d"), []byte("x")); err == nil {
		t.Error("a directory was overwritten")
	}
	if err := writeFile(filepath.Join(dir, "none", "f"), nil); err == nil {
		t.Error("a missing directory was no error")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestWriteFileReplaces holds that the old file is never changed in place: who
// has it open goes on reading the old content.
func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := writeFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := writeFile(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	n, _ := f.Read(b)
	if string(b[:n]) != "old" {
		t.Errorf("the open file reads %q", b[:n])
	}
}

func TestSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := secret(path, 16)
	if err != nil || len(first) != 32 {
		t.Fatalf("got %q, %v", first, err)
	}
	if again, err := secret(path, 16); err != nil || again != first {
		t.Errorf("got %q, %v, want it again", again, err)
	}
	if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	anew, err := secret(path, 16)
	if raw, _ := hex.DecodeString(anew); err != nil || len(raw) != 16 || anew == first {
		t.Errorf("after a torn file: got %q, %v", anew, err)
	}
}
