// Package journaltest is a disk in memory that does to a journal what real ones
// do: it tears writes and reorders them when power is cut, forgets names that were
// not synced, fills up at any byte, and fails any call on demand.
//
// Promise. It is as unkind as POSIX allows. Without Sync a write may survive whole,
// in part or not at all; without SyncDir so may a name, synced contents or not.
// After a Sync that failed, what was written since the last one reads back as if
// all were well, is never written by a later Sync, and may be gone after the next
// loss of power. Bytes are the same in every run with the same seed.
//
// Limits. One level of directories; nothing synced ever rots by itself (see Poke).
package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
)

var _ journal.FS = (*Disk)(nil)

// ErrPower is what every call returns between CutPower and Restart, and every call
// on a file that was opened before.
var ErrPower = errors.New("the power is off")

// Sector is what a disk writes at once: the unit in which Reorder loses bytes.
const Sector = 512

// Op is a call that changes the disk. Calls counts them, Fail breaks them.
type Op string

// Ops.
const (
	Write    Op = "write"
	Sync     Op = "sync"
	Truncate Op = "truncate"
	SyncDir  Op = "sync directory"
	MakeFile Op = "create"
)

// Disk is one. Its methods may be called from several goroutines.
type Disk struct {
	mu      sync.Mutex
	rand    *rand.Rand
	reorder bool

	names  map[string]*node // what the kernel shows
	stable map[string]*node // what is on the medium
	fresh  []string         // names made since the last SyncDir
	locked map[string]bool

	room  int64 // bytes that files may still grow by; negative is no bound
	calls int
	cutAt int // the call during which power goes; 0 is never
	fails []failure
	boots int // Restarts so far: files opened before are dead
	off   bool
	kill  bool // it is the process that dies, not the kernel
	watch func(Op, *Disk)
}

// node is a file's contents.
type node struct {
	data    []byte   // what the kernel shows
	stable  []byte   // what is on the medium
	pending []change // made since the last Sync
	dead    [2]int64 // from, to: cannot be read
}

// change is a write, or a truncation when bytes is nil.
type change struct {
	off   int64
	bytes []byte
}

type failure struct {
	op  Op
	nth int
	err error
}

// New returns an empty disk without a bound on its room. With reorder, the sectors
// of what was not synced survive each for itself, leaving holes of zeros; without,
// a prefix survives.
func New(seed uint64, reorder bool) *Disk {
	return &Disk{
		rand: rand.New(rand.NewPCG(seed, 0)), reorder: reorder, room: -1,
		names: map[string]*node{}, stable: map[string]*node{}, locked: map[string]bool{},
	}
}

// Room lets files grow by n bytes from now on; a negative n is no bound. A write
// that does not fit writes what does, and fails with ENOSPC.
func (d *Disk) Room(n int64) { d.with(func() { d.room = n }) }

// Left returns how many bytes files may still grow by; negative is no bound.
func (d *Disk) Left() (n int64) {
	d.with(func() { n = d.room })
	return n
}

// Fail makes the nth call of op from now on, 1 being the next, fail with err. The
// call still does a part of its work.
func (d *Disk) Fail(op Op, nth int, err error) {
	d.with(func() { d.fails = append(d.fails, failure{op, nth, err}) })
}

// CutPowerAt cuts power during the nth changing call from now on, 1 being the next.
func (d *Disk) CutPowerAt(nth int) { d.with(func() { d.cutAt, d.kill = d.calls+nth, false }) }

// KillAt kills the process during the nth changing call from now on: what it wrote
// stays with the kernel, to be seen after Restart, and to be lost with the power.
func (d *Disk) KillAt(nth int) { d.with(func() { d.cutAt, d.kill = d.calls+nth, true }) }

// CutPower cuts it now.
func (d *Disk) CutPower() { d.with(d.cut) }

// Calls returns how many changing calls there have been.
func (d *Disk) Calls() (n int) {
	d.with(func() { n = d.calls })
	return n
}

// Restart gives power back, after cutting it unless KillAt came to pass. Every lock
// is gone, and so is every failure that was ordered.
func (d *Disk) Restart() {
	d.with(func() {
		if killed := d.off && d.kill; !killed {
			d.cut()
		}
		d.off, d.kill, d.cutAt, d.fails, d.locked = false, false, 0, nil, map[string]bool{}
		d.boots++
	})
}

// Kill ends the process now: what it wrote stays with the kernel.
func (d *Disk) Kill() { d.with(func() { d.off, d.kill = true, true }) }

// Watch calls f behind every changing call from now on, with a Copy of the disk as it
// is then. f must not use d. A nil f ends it.
func (d *Disk) Watch(f func(Op, *Disk)) { d.with(func() { d.watch = f }) }

// Copy returns another disk in the same state, what is not synced included, with
// nothing ordered and no file open. Whatever happens to one does not touch the other.
// With reorder and seed, power decides on the copy as it does on a New disk.
func (d *Disk) Copy(seed uint64, reorder bool) (c *Disk) {
	d.with(func() { c = d.copy(seed, reorder) })
	return c
}

func (d *Disk) copy(seed uint64, reorder bool) *Disk {
	c := New(seed, reorder)
	c.room, c.fresh = d.room, slices.Clone(d.fresh)
	twins := map[*node]*node{}
	twin := func(n *node) *node {
		t := twins[n]
		if t == nil {
			t = &node{data: bytes.Clone(n.data), stable: bytes.Clone(n.stable), pending: slices.Clone(n.pending), dead: n.dead}
			twins[n] = t
		}
		return t
	}
	for path, n := range d.names {
		c.names[path] = twin(n)
	}
	for path, n := range d.stable {
		c.stable[path] = twin(n)
	}
	return c
}

// seen tells who watches of a call that is over. d.mu is held.
func (d *Disk) seen(op Op) {
	if d.watch != nil && !d.off {
		d.watch(op, d.copy(uint64(d.calls), d.reorder))
	}
}

// Peek returns a copy of a file as the kernel shows it, nil when there is none.
func (d *Disk) Peek(path string) (b []byte) {
	d.with(func() {
		if n := d.names[path]; n != nil {
			b = append([]byte{}, n.data...) // empty is not nil
		}
	})
	return b
}

// Poke replaces a file's bytes on the medium, behind everybody's back. A nil b
// removes the file.
func (d *Disk) Poke(path string, b []byte) {
	d.with(func() {
		delete(d.names, path)
		delete(d.stable, path)
		if b != nil {
			n := &node{data: bytes.Clone(b), stable: bytes.Clone(b)}
			d.names[path], d.stable[path] = n, n
		}
	})
}

// Spoil makes n bytes of a file at off unreadable: EIO.
func (d *Disk) Spoil(path string, off, n int64) {
	d.with(func() { d.names[path].dead = [2]int64{off, off + n} })
}

// Files returns the paths of all files, sorted.
func (d *Disk) Files() (paths []string) {
	d.with(func() {
		for path := range d.names {
			paths = append(paths, path)
		}
	})
	slices.Sort(paths)
	return paths
}

// Export copies the files whose name matches pattern (filepath.Match) into a real
// directory and returns their paths there.
func (d *Disk) Export(tb testing.TB, pattern string) []string {
	tb.Helper()
	dir := tb.TempDir()
	var out []string
	for _, path := range d.Files() {
		name := filepath.Base(path)
		if ok, err := filepath.Match(pattern, name); err != nil || !ok {
			continue
		}
		to := filepath.Join(dir, name)
		if err := os.WriteFile(to, d.Peek(path), 0o600); err != nil {
			tb.Fatal(err)
		}
		out = append(out, to)
	}
	return out
}

func (d *Disk) with(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// Lock implements journal.FS.
func (d *Disk) Lock(dir string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.off:
		return nil, ErrPower
	case d.locked[dir]:
		return nil, pos.E("lock journal", pos.Unavailable, "%s is locked", dir)
	}
	d.locked[dir] = true
	return lock{d, dir, d.boots}, nil
}

type lock struct {
	d    *Disk
	dir  string
	boot int
}

func (l lock) Close() error {
	l.d.with(func() {
		if l.boot == l.d.boots {
			l.d.locked[l.dir] = false
		}
	})
	return nil
}

// List implements journal.FS.
func (d *Disk) List(dir string) ([]journal.Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, ErrPower
	}
	var infos []journal.Info
	for path, n := range d.names {
		if filepath.Dir(path) == filepath.Clean(dir) {
			infos = append(infos, journal.Info{Name: filepath.Base(path), Size: int64(len(n.data))})
		}
	}
	return infos, nil
}

// OpenFile implements journal.FS.
func (d *Disk) OpenFile(path string, m journal.Mode) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.names[path]
	switch {
	case d.off:
		return nil, ErrPower
	case m == journal.Create && n != nil:
		return nil, fmt.Errorf("create %s: %w", path, os.ErrExist)
	case m != journal.Create && n == nil:
		return nil, fmt.Errorf("open %s: %w", path, os.ErrNotExist)
	case m == journal.Create:
		if err := d.call(MakeFile); err != nil && !d.off {
			return nil, err // an ordered failure made no file
		}
		n = &node{}
		d.names[path] = n
		d.fresh = append(d.fresh, path)
		if d.off {
			return nil, ErrPower
		}
		d.seen(MakeFile)
	}
	return &file{d: d, n: n, boot: d.boots, readOnly: m == journal.ReadOnly}, nil
}

// SyncDir implements journal.FS.
func (d *Disk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return ErrPower
	}
	err := d.call(SyncDir)
	if err == nil || d.rand.IntN(2) == 0 {
		d.keepNames(len(d.fresh))
	}
	d.seen(SyncDir)
	return err
}

// call counts a changing call, and says whether it is to fail.
func (d *Disk) call(op Op) error {
	d.calls++
	if d.calls == d.cutAt {
		d.off = true
		return ErrPower
	}
	for i := range d.fails {
		if f := &d.fails[i]; f.op == op {
			if f.nth--; f.nth == 0 {
				return fmt.Errorf("%s: %w", op, f.err)
			}
		}
	}
	return nil
}

// cut decides what survives.
func (d *Disk) cut() {
	if n := len(d.fresh); n > 0 {
		d.keepNames(d.rand.IntN(n + 1))
	}
	d.names = map[string]*node{}
	for _, path := range sorted(d.stable) { // in order: the same seed, the same bytes
		n := d.stable[path]
		n.settle(d.rand, d.reorder)
		n.data = bytes.Clone(n.stable)
		d.names[path] = n
	}
	d.fresh, d.off, d.kill = nil, true, false
}

// keepNames makes n of the fresh names durable: the first ones, or any when the
// disk reorders.
func (d *Disk) keepNames(n int) {
	if d.reorder {
		d.rand.Shuffle(len(d.fresh), func(i, j int) { d.fresh[i], d.fresh[j] = d.fresh[j], d.fresh[i] })
	}
	for _, path := range d.fresh[:n] {
		d.stable[path] = d.names[path]
	}
	d.fresh = d.fresh[n:]
}

func sorted(m map[string]*node) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// full is what a write meets that does not fit.
var full = fmt.Errorf("write: %w", syscall.ENOSPC)
