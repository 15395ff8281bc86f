package journaltest

import (
	"io"
	"math/rand/v2"
	"os"
	"syscall"
)

// file is an open file of a Disk.
type file struct {
	d        *Disk
	n        *node
	boot     int
	readOnly bool
	closed   bool
}

// alive says why the file cannot be used.
func (f *file) alive() error {
	switch {
	case f.d.off || f.boot != f.d.boots:
		return ErrPower
	case f.closed:
		return os.ErrClosed
	}
	return nil
}

// ReadAt implements journal.File.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.alive(); err != nil {
		return 0, err
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if dead := f.n.dead; off < dead[1] && off+int64(n) > dead[0] {
		return int(max(0, dead[0]-off)), syscall.EIO
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements journal.File.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.alive(); err != nil {
		return 0, err
	}
	if f.readOnly {
		return 0, os.ErrPermission
	}
	err := f.d.call(Write)
	if err != nil && !f.d.off { // an ordered failure writes a part
		p = p[:f.d.rand.IntN(len(p)+1)]
	}
	if grow := off + int64(len(p)) - int64(len(f.n.data)); !f.d.off && f.d.room >= 0 && grow > f.d.room {
		p = p[:max(0, int64(len(p))-(grow-f.d.room))]
		err = full
	}
	f.d.spend(f.n.apply(change{off, append([]byte{}, p...)}))
	f.d.seen(Write)
	return len(p), err
}

// Truncate implements journal.File.
func (f *file) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.alive(); err != nil {
		return err
	}
	if f.readOnly {
		return os.ErrPermission
	}
	if err := f.d.call(Truncate); err != nil && !f.d.off {
		return err
	}
	f.d.spend(f.n.apply(change{off: size}))
	f.d.seen(Truncate)
	return f.alive()
}

// Sync implements journal.File.
func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.alive(); err != nil {
		return err
	}
	err := f.d.call(Sync)
	switch {
	case err == nil, f.d.off && f.d.rand.IntN(2) == 0: // power may go right behind it
		f.n.flush()
	case !f.d.off: // the kernel tried once, and holds its pages for clean now
		f.n.settle(f.d.rand, f.d.reorder)
	}
	f.d.seen(Sync)
	return err
}

// Close implements journal.File. It syncs nothing. Closing what died is no fault.
func (f *file) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.closed {
		return os.ErrClosed
	}
	f.closed = true
	return nil
}

// spend takes n bytes of room.
func (d *Disk) spend(n int64) {
	if d.room >= 0 {
		d.room = max(0, d.room-n)
	}
}

// apply changes what the kernel shows and returns by how much the file grew.
func (n *node) apply(c change) int64 {
	before := len(n.data)
	n.data = c.on(n.data)
	n.pending = append(n.pending, c)
	return int64(len(n.data) - before)
}

// on returns b after the change.
func (c change) on(b []byte) []byte {
	end := int(c.off) + len(c.bytes)
	if c.bytes == nil {
		end = int(c.off)
		b = b[:min(len(b), end)]
	}
	for len(b) < end {
		b = append(b, 0)
	}
	copy(b[c.off:], c.bytes)
	return b
}

// flush brings the pending changes to the medium. What an earlier Sync lost stays
// lost: the kernel thinks that it is there.
func (n *node) flush() {
	for _, c := range n.pending {
		n.stable = c.on(n.stable)
	}
	n.pending = nil
}

// settle decides what of the pending changes reaches the medium.
func (n *node) settle(r *rand.Rand, reorder bool) {
	if len(n.pending) == 0 {
		return
	}
	if reorder {
		n.scatter(r)
	} else {
		n.prefix(r)
	}
	n.pending = nil
}

// prefix keeps some changes from the first on, and a part of the next.
func (n *node) prefix(r *rand.Rand) {
	whole := r.IntN(len(n.pending) + 1)
	for _, c := range n.pending[:whole] {
		n.stable = c.on(n.stable)
	}
	if whole < len(n.pending) {
		if c := n.pending[whole]; c.bytes != nil {
			n.stable = change{c.off, c.bytes[:r.IntN(len(c.bytes)+1)]}.on(n.stable)
		}
	}
}

// scatter keeps any sectors of any change. A file may have its new size and
// nothing in it.
func (n *node) scatter(r *rand.Rand) {
	for _, c := range n.pending {
		if c.bytes == nil {
			if r.IntN(2) == 0 {
				n.stable = c.on(n.stable)
			}
			continue
		}
		for off, end := c.off, c.off+int64(len(c.bytes)); off < end; {
			next := min(end, off-off%Sector+Sector)
			if r.IntN(2) == 0 {
				n.stable = change{off, c.bytes[off-c.off : next-c.off]}.on(n.stable)
			}
			off = next
		}
		if r.IntN(4) == 0 {
			n.stable = change{c.off + int64(len(c.bytes)), []byte{}}.on(n.stable)
		}
	}
}
