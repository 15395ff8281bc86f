package journal

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/tillwright/tillwright/pos"
)

// Since yields the records numbered above after, oldest first, up to the newest
// one when the loop begins. No lock is held while the loop's body runs, so it may
// block on the network or call Append. It keeps one file open meanwhile.
//
// The first error ends the sequence. It is Corrupt where Damage lies; who wants
// to go on behind it calls Since again with that Damage's Last.
func (j *Journal) Since(after uint64) iter.Seq2[pos.Record, error] {
	return func(yield func(pos.Record, error) bool) {
		to, _ := j.Last()
		if after >= to {
			return
		}
		c := &cursor{j: j, want: after + 1}
		defer c.close()
		for c.want <= to {
			r, err := c.next()
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Read returns record n. It reads 64 KiB before it at most, and a record. It fails
// with NotFound when there is no such record, and with Corrupt when it is damaged.
func (j *Journal) Read(n uint64) (pos.Record, error) {
	if last, _ := j.Last(); n == 0 || n > last {
		return pos.Record{}, pos.E("read record", pos.NotFound, "there is no record %d", n)
	}
	c := &cursor{j: j, want: n}
	defer c.close()
	return c.next()
}

// cursor walks through the journal's records.
type cursor struct {
	j      *Journal
	want   uint64 // the next record
	prev   place  // the last whole record that the walk passed
	seg    int    // index of the file that is open
	file   File
	lines  *lines
	fences []span // of that file, those still ahead
}

func (c *cursor) close() {
	if c.file != nil {
		_ = c.file.Close() // read only
		c.file = nil
	}
}

// next returns record c.want.
func (c *cursor) next() (pos.Record, error) {
	for _, d := range c.j.damage {
		if d.covers(c.want) {
			return pos.Record{}, c.damaged(errors.New(d.String()))
		}
	}
	if c.file == nil {
		if err := c.seek(); err != nil {
			return pos.Record{}, err
		}
	}
	var rot error
	for {
		text, err := c.line()
		if err != nil && err != io.EOF {
			return pos.Record{}, err
		}
		ended := err == io.EOF
		p, err := pos.PeekRecord(text)
		switch {
		case ended || err == nil && p.N > c.want:
			return pos.Record{}, c.damaged(rot)
		case err != nil: // since Open; whether it was the record wanted, the next line tells
			rot = err
		case p.N < c.want: // on the way from the mark
			c.prev = place{p.N, p.Hash}
		default:
			return c.read(text)
		}
	}
}

// read makes text record c.want. It checks the link to the record before, unless
// that one is damaged or lies before the mark where the walk began.
func (c *cursor) read(text []byte) (pos.Record, error) {
	r, err := pos.ParseRecord(bytes.Clone(text))
	if err == nil && c.prev.n == c.want-1 {
		err = r.Follows(c.prev.n, c.prev.hash)
	}
	if err != nil {
		return pos.Record{}, c.damaged(err)
	}
	c.want, c.prev = r.N+1, place{r.N, r.Hash}
	return r, nil
}

func (c *cursor) damaged(why error) error {
	return pos.Wrap("read record", pos.Corrupt, why, "record %d is damaged", c.want)
}

// seek opens the file with record c.want at a mark before it.
func (c *cursor) seek() error {
	n := c.want
	c.j.mu.Lock()
	i := len(c.j.segs) - 1
	for i > 0 && (len(c.j.segs[i].marks) == 0 || c.j.segs[i].marks[0].n > n) {
		i--
	}
	var m mark
	if s := c.j.segs[i]; len(s.marks) > 0 && s.marks[0].n <= n {
		m = s.before(n)
	}
	c.j.mu.Unlock()
	return c.open(i, m.off)
}

// open goes to offset off of file i.
func (c *cursor) open(i int, off int64) error {
	c.close()
	c.j.mu.Lock()
	if c.j.closed {
		c.j.mu.Unlock()
		return pos.E("read record", pos.Unavailable, "the till is shutting down")
	}
	s := c.j.segs[i]
	path, size, fences := s.path(c.j.dir), s.size, s.fences
	c.j.mu.Unlock()
	f, err := c.j.o.FS.OpenFile(path, ReadOnly)
	if err != nil {
		return storage("read record", err)
	}
	c.seg, c.file, c.lines, c.fences = i, f, newLines(f, off, size, readChunk), fences
	return nil
}

// line returns the next line that is part of the chain, from the next file if need
// be, and io.EOF behind the last one.
func (c *cursor) line() ([]byte, error) {
	for {
		ln, err := c.lines.next()
		switch {
		case err == io.EOF && c.seg == c.last():
			return nil, err
		case err == io.EOF:
			if err := c.open(c.seg+1, 0); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, storage("read record", err)
		}
		for len(c.fences) > 0 && c.fences[0].end <= ln.off {
			c.fences = c.fences[1:]
		}
		if len(c.fences) == 0 || ln.off < c.fences[0].off {
			return ln.text, nil
		}
	}
}

// last returns the index of the newest file.
func (c *cursor) last() int {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return len(c.j.segs) - 1
}
