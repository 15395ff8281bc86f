package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"github.com/tillwright/tillwright/pos"
)

// bbolt v1.5.0 looks for free pages in a goroutine of its own when it opens a file,
// and panics there when a page is not what it should be: nobody can recover that,
// and a damaged card would end the till at every start. So the tree is walked here
// first, with the same rules and without panics.
//
// The layout is bbolt's (internal/common/page.go, meta.go, bucket.go): a page
// begins with id (8 bytes), flags (2), count (2), overflow (4); then elements of 16
// bytes, whose position counts from the element itself.
const (
	pageHead    = 16
	elementLen  = 16
	branchPage  = 0x01
	leafPage    = 0x02
	metaPage    = 0x04
	freePage    = 0x10
	manyFree    = 0xFFFF // free pages or more: their number stands in the first place
	bucketLeaf  = 0x01
	bucketHead  = 16 // root page, sequence
	metaLen     = 64
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	minPage     = 1 << 10
	maxPage     = 1 << 16
	maxDepth    = 64 // of pages below each other; a tree of a million sales has four
)

// tree is a walk through a file.
type tree struct {
	f     io.ReaderAt
	size  uint64 // of a page
	pages uint64 // above the last one in use
	seen  map[uint64]bool
}

// sound fails with Corrupt unless every page that can be reached is what bbolt
// expects, and every value matches its checksum. It reads the file once, not
// through bbolt's mapping: what is mapped and touched counts as the till's memory.
func sound(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := walkFile(f, uint64(st.Size())); err != nil {
		return pos.Wrap("check ledger", pos.Corrupt, err, "the till's index is damaged")
	}
	return nil
}

var le = binary.LittleEndian // of all boards that the till is built for

func walkFile(f io.ReaderAt, length uint64) error {
	var newest []byte
	size := uint64(os.Getpagesize())
	for _, at := range []uint64{0, size} {
		if m, ok := readMeta(f, at); ok && (newest == nil || le.Uint64(m[48:]) > le.Uint64(newest[48:])) {
			newest = m
		}
	}
	if newest == nil {
		return errors.New("neither head is whole")
	}
	if s := uint64(le.Uint32(newest[8:])); s != size || s < minPage || s > maxPage {
		return fmt.Errorf("pages of %d bytes", s)
	}
	t := &tree{f: f, size: size, pages: le.Uint64(newest[40:]), seen: map[uint64]bool{}}
	if t.pages > length/size {
		return fmt.Errorf("%d pages in a file of %d bytes", t.pages, length)
	}
	if err := t.page(le.Uint64(newest[16:]), 0, keyRange{}); err != nil {
		return err
	}
	return t.free(le.Uint64(newest[32:]))
}

// free checks the list of free pages: none of them may be in use, or the next
// write would go over a page that is.
func (t *tree) free(id uint64) error {
	b, err := t.read(id)
	if err != nil {
		return err
	}
	count, at := uint64(le.Uint16(b[10:])), uint64(pageHead)
	if count == manyFree {
		count, at = le.Uint64(b[pageHead:]), pageHead+8
	}
	if le.Uint16(b[8:]) != freePage || count > (uint64(len(b))-at)/8 {
		return fmt.Errorf("a list of %d free pages", count)
	}
	last := uint64(1)
	for i := range count {
		free := le.Uint64(b[at+8*i:])
		if free <= last || free >= t.pages || t.seen[free] {
			return fmt.Errorf("page %d is free and is not", free)
		}
		last = free
	}
	return nil
}

// readMeta returns the meta page's content at this place, if its sum is right.
func readMeta(f io.ReaderAt, at uint64) ([]byte, bool) {
	b := make([]byte, pageHead+metaLen)
	if _, err := f.ReadAt(b, int64(at)); err != nil {
		return nil, false
	}
	m := b[pageHead:]
	h := fnv.New64a()
	h.Write(m[:metaLen-8])
	return m, le.Uint16(b[8:]) == metaPage && le.Uint32(m) == metaMagic && le.Uint32(m[4:]) == metaVersion && le.Uint64(m[metaLen-8:]) == h.Sum64()
}

// keyRange is what a page's keys lie in: from from on, below to if that is not nil. A key out of
// its order cannot be found, and bbolt takes it for granted that it can.
type keyRange struct{ from, to []byte }

func (r keyRange) has(key []byte) bool {
	return bytes.Compare(key, r.from) >= 0 && (r.to == nil || bytes.Compare(key, r.to) < 0)
}

// page walks a page and what hangs below it.
func (t *tree) page(id uint64, depth int, within keyRange) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d lies too deep", id)
	}
	b, err := t.read(id)
	if err != nil {
		return err
	}
	return t.elements(b, depth, within)
}

// read returns a page with what it runs over into, once.
func (t *tree) read(id uint64) ([]byte, error) {
	if id < 2 || id >= t.pages {
		return nil, fmt.Errorf("page %d is out of place", id)
	}
	head := make([]byte, pageHead)
	if _, err := t.f.ReadAt(head, int64(id*t.size)); err != nil {
		return nil, err
	}
	overflow := uint64(le.Uint32(head[12:]))
	if le.Uint64(head) != id || overflow >= t.pages-id {
		return nil, fmt.Errorf("page %d calls itself %d and goes on for %d", id, le.Uint64(head), overflow)
	}
	for i := id; i <= id+overflow; i++ {
		if t.seen[i] {
			return nil, fmt.Errorf("page %d belongs to two", i)
		}
		t.seen[i] = true
	}
	b := make([]byte, (overflow+1)*t.size)
	_, err := t.f.ReadAt(b, int64(id*t.size))
	return b, err
}

// elements walks a page's elements; b is the whole page.
func (t *tree) elements(b []byte, depth int, within keyRange) error {
	flags, count := le.Uint16(b[8:]), int(le.Uint16(b[10:]))
	if (flags != branchPage && flags != leafPage) || (flags == branchPage && count == 0) || pageHead+count*elementLen > len(b) {
		return fmt.Errorf("a page of kind %#x with %d elements", flags, count)
	}
	keys, err := keysOf(b, flags == branchPage, count, within)
	if err != nil {
		return err
	}
	for i := range count {
		e := b[pageHead+i*elementLen:]
		switch {
		case flags == branchPage:
			below := keyRange{keys[i], within.to}
			if i+1 < count {
				below.to = keys[i+1]
			}
			err = t.page(le.Uint64(e[8:]), depth+1, below)
		case le.Uint32(e)&bucketLeaf != 0:
			err = t.bucket(valueAt(b, i), depth)
		case !whole(keys[i], valueAt(b, i)):
			err = errors.New("a value does not match its checksum")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keysOf returns a page's keys, which rise and lie within the range; so do the values behind them
// in the page.
func keysOf(b []byte, branch bool, count int, within keyRange) ([][]byte, error) {
	out := make([][]byte, count)
	for i := range count {
		at := pageHead + i*elementLen
		e := b[at:]
		pos, key, value := le.Uint32(e[4:]), le.Uint32(e[8:]), le.Uint32(e[12:])
		if branch {
			pos, key, value = le.Uint32(e), le.Uint32(e[4:]), 0
		}
		from := uint64(at) + uint64(pos)
		if key == 0 || pos < elementLen || from+uint64(key)+uint64(value) > uint64(len(b)) {
			return nil, errors.New("a key or a value lies outside of its page")
		}
		out[i] = b[from : from+uint64(key)]
		if !within.has(out[i]) || (i > 0 && bytes.Compare(out[i-1], out[i]) >= 0) {
			return nil, errors.New("a key is out of its order")
		}
	}
	return out, nil
}

// valueAt returns the value of a leaf's element, which keysOf has checked.
func valueAt(b []byte, i int) []byte {
	at := pageHead + i*elementLen
	from := at + int(le.Uint32(b[at+4:])) + int(le.Uint32(b[at+8:]))
	return b[from : from+int(le.Uint32(b[at+12:]))]
}

// bucket walks a bucket below a leaf: its own root, or a page within the value.
func (t *tree) bucket(value []byte, depth int) error {
	if len(value) < bucketHead {
		return errors.New("a bucket without a head")
	}
	if root := le.Uint64(value); root != 0 {
		return t.page(root, depth+1, keyRange{})
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead || le.Uint16(inline[8:]) != leafPage {
		return errors.New("a bucket without a page")
	}
	return t.elements(inline, depth+1, keyRange{})
}
