package journaltest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

const path = "/d/file"

// create makes a file whose name is durable.
func create(t *testing.T, d *journaltest.Disk) journal.File {
	t.Helper()
	f, err := d.OpenFile(path, journal.Create)
	if err == nil {
		err = d.SyncDir("/d")
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, f journal.File, text string, off int64) {
	t.Helper()
	if n, err := f.WriteAt([]byte(text), off); n != len(text) || err != nil {
		t.Fatal(n, err)
	}
}

// outcomes cuts power after do, on many disks, and counts what the file holds then.
func outcomes(t *testing.T, reorder bool, do func(d *journaltest.Disk)) map[string]int {
	t.Helper()
	out := map[string]int{}
	for seed := range uint64(400) {
		d := journaltest.New(seed, reorder)
		do(d)
		d.CutPower()
		d.Restart()
		b := d.Peek(path)
		if b == nil {
			out["no file"]++
			continue
		}
		out[string(bytes.TrimRight(b, "\x00"))]++
	}
	return out
}

// TestUnsynced: each kind of loss happens, and none that is impossible.
func TestUnsynced(t *testing.T) {
	long := string(bytes.Repeat([]byte("b"), 3*journaltest.Sector))
	tests := []struct {
		name    string
		reorder bool
		do      func(d *journaltest.Disk)
		must    []string
		atMost  int // outcomes, 0 for any number
	}{
		{"synced", true, func(d *journaltest.Disk) {
			f := create(t, d)
			write(t, f, "all", 0)
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}, []string{"all"}, 1},
		{"name not synced", true, func(d *journaltest.Disk) {
			f, err := d.OpenFile(path, journal.Create)
			if err != nil {
				t.Fatal(err)
			}
			write(t, f, "all", 0)
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}, []string{"no file", "all"}, 2},
		{"a prefix", false, func(d *journaltest.Disk) {
			write(t, create(t, d), "abc", 0)
		}, []string{"", "a", "ab", "abc"}, 4},
		{"two writes in order", false, func(d *journaltest.Disk) {
			f := create(t, d)
			write(t, f, "a", 0)
			write(t, f, "b", 1)
		}, []string{"", "a", "ab"}, 3},
		{"sectors", true, func(d *journaltest.Disk) {
			write(t, create(t, d), long, 0)
		}, []string{"", long, long[:journaltest.Sector], string(make([]byte, 2*journaltest.Sector)) + long[:journaltest.Sector]}, 8},
		{"a truncation", false, func(d *journaltest.Disk) {
			f := create(t, d)
			write(t, f, "ab", 0)
			if err := errors.Join(f.Sync(), f.Truncate(1)); err != nil {
				t.Fatal(err)
			}
		}, []string{"ab", "a"}, 2},
		{"after a failed sync", false, func(d *journaltest.Disk) {
			f := create(t, d)
			write(t, f, "a", 0)
			d.Fail(journaltest.Sync, 1, syscall.EIO)
			if err := f.Sync(); !errors.Is(err, syscall.EIO) {
				t.Fatal(err)
			}
			if got := d.Peek(path); string(got) != "a" {
				t.Fatalf("the kernel shows %q", got)
			}
			if err := f.Sync(); err != nil { // says that all is well, and it is not
				t.Fatal(err)
			}
		}, []string{"", "a"}, 2},
	}
	for _, test := range tests {
		got := outcomes(t, test.reorder, test.do)
		for _, m := range test.must {
			if got[m] == 0 {
				t.Errorf("%s: never left %.20q: %d outcomes", test.name, m, len(got))
			}
		}
		if len(got) > test.atMost {
			t.Errorf("%s: %d outcomes, want %d at most: %.40v", test.name, len(got), test.atMost, got)
		}
	}
}

// TestKill: what a dead process wrote stays with the kernel.
func TestKill(t *testing.T) {
	d := journaltest.New(1, true)
	f := create(t, d)
	if _, err := d.Lock("/d"); err != nil {
		t.Fatal(err)
	}
	d.KillAt(1)
	if _, err := f.WriteAt([]byte("a"), 0); !errors.Is(err, journaltest.ErrPower) {
		t.Fatal(err)
	}
	d.Restart()
	if got := d.Peek(path); string(got) != "a" {
		t.Errorf("the kernel shows %q, want a", got)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, journaltest.ErrPower) {
		t.Errorf("a dead process's file can be read: %v", err)
	}
	if _, err := d.Lock("/d"); err != nil {
		t.Errorf("its lock is still held: %v", err)
	}
}

// TestFile holds the Disk to the interface: room, ends, modes, locks, bad sectors.
func TestFile(t *testing.T) {
	d := journaltest.New(1, false)
	f := create(t, d)
	d.Room(3)
	if n, err := f.WriteAt([]byte("abcde"), 0); n != 3 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("room for 3: %d, %v", n, err)
	}
	if err := f.Truncate(1); err != nil {
		t.Fatal(err)
	}
	write(t, f, "xy", 1) // what was cut off can be written again
	b := make([]byte, 5)
	if n, err := f.ReadAt(b, 1); n != 2 || err != io.EOF || string(b[:2]) != "xy" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	d.Spoil(path, 2, 1)
	if n, err := f.ReadAt(b, 0); n != 2 || !errors.Is(err, syscall.EIO) {
		t.Errorf("bad sector: %d bytes, %v", n, err)
	}
	if _, err := d.OpenFile(path, journal.Create); !errors.Is(err, os.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := d.OpenFile(path+"2", journal.ReadOnly); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opened nothing: %v", err)
	}
	r, err := d.OpenFile(path, journal.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteAt(b, 0); err == nil {
		t.Error("wrote to a file opened to read")
	}
	if err := errors.Join(r.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if _, err := r.ReadAt(b, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read from a closed file: %v", err)
	}
	infos, err := d.List("/d")
	if want := []journal.Info{{Name: "file", Size: 3}}; err != nil || !slices.Equal(infos, want) {
		t.Errorf("list %v, %v, want %v", infos, err, want)
	}
}

// TestSameSeed: a failure that was found once is found again.
func TestSameSeed(t *testing.T) {
	run := func() string {
		d := journaltest.New(7, true)
		var files []journal.File
		for i := range 5 {
			f, err := d.OpenFile(fmt.Sprintf("/d/%d", i), journal.Create)
			if err != nil {
				t.Fatal(err)
			}
			write(t, f, string(bytes.Repeat([]byte("x"), 2000)), 0)
			files = append(files, f)
		}
		if err := files[0].Sync(); err != nil {
			t.Fatal(err)
		}
		d.CutPower()
		d.Restart()
		out := ""
		for _, path := range d.Files() {
			out += path + string(d.Peek(path))
		}
		return out
	}
	want := run()
	for range 10 {
		if run() != want {
			t.Fatal("the same seed gave other bytes")
		}
	}
}

// TestCopy: a copy holds what is not synced yet too, and the two go apart from there.
func TestCopy(t *testing.T) {
	d := journaltest.New(1, false)
	f := create(t, d)
	write(t, f, "old", 0)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	write(t, f, "new", 0)
	kept := map[string]int{}
	for seed := range uint64(50) {
		c := d.Copy(seed, false)
		if got := string(c.Peek(path)); got != "new" {
			t.Fatalf("the copy shows %q", got)
		}
		c.Restart()
		kept[string(c.Peek(path))]++
	}
	if kept["old"] == 0 || kept["new"] == 0 {
		t.Errorf("after power was cut on copies: %v", kept)
	}
	write(t, f, "newer", 0)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	d.CutPower()
	d.Restart()
	if got := string(d.Peek(path)); got != "newer" {
		t.Errorf("the disk shows %q", got)
	}
}

// TestKillNow leaves what was written with the kernel, and loses it with the power.
func TestKillNow(t *testing.T) {
	lost := 0
	for seed := range uint64(50) {
		d := journaltest.New(seed, false)
		f := create(t, d)
		write(t, f, "tea", 0)
		d.Kill()
		if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, journaltest.ErrPower) {
			t.Fatalf("a dead process writes: %v", err)
		}
		d.Restart()
		if got := string(d.Peek(path)); got != "tea" {
			t.Fatalf("after the kill %q", got)
		}
		d.CutPower()
		d.Restart()
		if string(d.Peek(path)) != "tea" {
			lost++
		}
	}
	if lost == 0 {
		t.Error("a kill made it durable")
	}
}

// TestWatch is told of every changing call, with the disk as it was right behind it.
func TestWatch(t *testing.T) {
	d := journaltest.New(1, false)
	var told []string
	d.Watch(func(op journaltest.Op, c *journaltest.Disk) {
		told = append(told, fmt.Sprintf("%s %q", op, c.Peek(path)))
	})
	f := create(t, d)
	write(t, f, "tea", 0)
	if err := errors.Join(f.Truncate(1), f.Sync()); err != nil {
		t.Fatal(err)
	}
	d.Watch(nil)
	write(t, f, "x", 0)
	want := []string{`create ""`, `sync directory ""`, `write "tea"`, `truncate "t"`, `sync "t"`}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
