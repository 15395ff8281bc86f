package journal

import (
	"bytes"
	"errors"
	"io"
	"syscall"

	"github.com/tillwright/tillwright/pos"
)

const (
	// scanChunk is read at once by Open and Verify: large enough that a card reads at
	// full speed.
	scanChunk = 256 << 10
	// readChunk is read at once by Since and Read: what lies between two marks.
	readChunk = markEvery
	// badBlock is the unit in which an unreadable place is passed over: a page, the
	// least that a card or a file system gives up.
	badBlock = 4 << 10
	// maxUnread bounds the unreadable blocks of a file. Each may cost the kernel
	// seconds of retries, and a till that cannot say so is worse than one that stops.
	maxUnread = 16
	// sector is the least that a device writes at once.
	sector = 512
	// unread stands for bytes that the medium would not give. It is no zero byte:
	// zeros mean "never written".
	unread = 0xff
)

// line is what stands between two newlines.
type line struct {
	text  []byte // newline included; nil when it passes MaxLine; valid until the next call
	no    int    // from 1 where the reader began
	off   int64
	end   int64
	open  bool // the file ends without a newline
	hole  bool // holds a sector that was never written: see hole
	blind bool // holds bytes that could not be read
}

// lines reads a file line by line through one buffer of at most twice MaxLine.
type lines struct {
	r     io.ReaderAt
	size  int64  // where the file ends
	buf   []byte // buf[from:to] is read and not yet returned
	from  int
	to    int
	off   int64 // of buf[from]
	no    int
	blind int64 // end of the last unreadable block
	tries int   // unreadable blocks left to pass over
}

// newLines reads r from off to size, chunk bytes at once.
func newLines(r io.ReaderAt, off, size, chunk int64) *lines {
	return &lines{r: r, size: size, buf: make([]byte, min(chunk, max(size-off, 1))), off: off, tries: maxUnread}
}

// next returns the next line, or io.EOF. Places that the medium will not give are
// filled in; every other failure is returned.
func (l *lines) next() (line, error) {
	ln := line{no: l.no + 1, off: l.off, open: true}
	for seen := 0; ; {
		i := bytes.IndexByte(l.buf[l.from+seen:l.to], '\n')
		if i >= 0 {
			ln.open = false
			return l.take(ln, seen+i+1), nil
		}
		seen = l.to - l.from
		if l.off+int64(seen) >= l.size {
			break
		}
		if seen > pos.MaxLine {
			ln.hole = ln.hole || bytes.IndexByte(l.buf[l.from:l.to], 0) >= 0
			l.pass(seen)
			seen = 0
		}
		if err := l.fill(); err != nil {
			return line{}, err
		}
	}
	if l.size <= ln.off {
		return line{}, io.EOF
	}
	return l.take(ln, l.to-l.from), nil
}

// take ends ln with the next n bytes.
func (l *lines) take(ln line, n int) line {
	ln.end = l.off + int64(n)
	ln.blind = ln.off < l.blind
	if whole := ln.off == l.off; whole {
		ln.text = l.buf[l.from : l.from+n : l.from+n]
	}
	if i := bytes.IndexByte(l.buf[l.from:l.from+n], 0); i >= 0 {
		ln.hole = ln.hole || ln.text == nil || hole(ln.text, ln.off)
	}
	l.no = ln.no
	l.pass(n)
	return ln
}

// hole says whether text, which begins at off, holds zero bytes from the beginning
// of a sector or line to the end of a sector: a part of a write that never reached
// the medium. JSON holds none, and a space with a flipped bit is one byte long.
func hole(text []byte, off int64) bool {
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && text[i] == 0 {
			i++
		}
		begins := from == 0 || (off+int64(from))%sector == 0
		ends := i == len(text) || (off+int64(i))%sector == 0
		if i > from && begins && ends {
			return true
		}
	}
	return false
}

func (l *lines) pass(n int) {
	l.from += n
	l.off += int64(n)
}

// fill reads more, after moving what is left to the front.
func (l *lines) fill() error {
	l.to = copy(l.buf, l.buf[l.from:l.to])
	l.from = 0
	if l.to == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	at := l.off + int64(l.to)
	room := int(min(int64(len(l.buf)-l.to), l.size-at)) // what lies behind size is not ours
	n, err := l.r.ReadAt(l.buf[l.to:l.to+room], at)
	l.to += n
	switch {
	case n > 0 || err == nil:
		return nil // an error comes again with the next call
	case err == io.EOF:
		l.size = at
		return nil
	case errors.Is(err, syscall.EIO) && l.tries > 0:
		l.tries--
		l.patch(at)
		return nil
	}
	return err
}

// patch fills in for the block at off, which cannot be read.
func (l *lines) patch(off int64) {
	n := int(min(badBlock-off%badBlock, int64(len(l.buf)-l.to), l.size-off))
	for i := range n {
		l.buf[l.to+i] = unread
	}
	l.to += n
	l.blind = off + int64(n)
}
