package ledger

import (
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
// expects. It reads the file once.
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
	return t.page(le.Uint64(newest[16:]), 0)
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

// page walks a page and what hangs below it.
func (t *tree) page(id uint64, depth int) error {
	if id < 2 || id >= t.pages || t.seen[id] || depth > maxDepth {
		return fmt.Errorf("page %d is out of place", id)
	}
	t.seen[id] = true
	head := make([]byte, pageHead)
	if _, err := t.f.ReadAt(head, int64(id*t.size)); err != nil {
		return err
	}
	overflow := uint64(le.Uint32(head[12:]))
	if le.Uint64(head) != id || overflow >= t.pages-id {
		return fmt.Errorf("page %d calls itself %d and goes on for %d", id, le.Uint64(head), overflow)
	}
	for i := id + 1; i <= id+overflow; i++ {
		if t.seen[i] {
			return fmt.Errorf("page %d belongs to two", i)
		}
		t.seen[i] = true
	}
	b := make([]byte, (overflow+1)*t.size)
	if _, err := t.f.ReadAt(b, int64(id*t.size)); err != nil {
		return err
	}
	return t.elements(b, depth)
}

// elements walks a page's elements; b is the whole page.
func (t *tree) elements(b []byte, depth int) error {
	flags, count := le.Uint16(b[8:]), int(le.Uint16(b[10:]))
	if (flags != branchPage && flags != leafPage) || (flags == branchPage && count == 0) || pageHead+count*elementLen > len(b) {
		return fmt.Errorf("a page of kind %#x with %d elements", flags, count)
	}
	for i := range count {
		at := pageHead + i*elementLen
		e := b[at : at+elementLen]
		if flags == branchPage {
			if _, ok := span(b, at, le.Uint32(e), le.Uint32(e[4:]), 0); !ok {
				return errors.New("a key lies outside of its page")
			}
			if err := t.page(le.Uint64(e[8:]), depth+1); err != nil {
				return err
			}
			continue
		}
		value, ok := span(b, at, le.Uint32(e[4:]), le.Uint32(e[8:]), le.Uint32(e[12:]))
		if !ok {
			return errors.New("a value lies outside of its page")
		}
		if le.Uint32(e)&bucketLeaf != 0 {
			if err := t.bucket(value, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// span returns the value of an element: behind its key, within the page.
func span(b []byte, at int, pos, key, value uint32) ([]byte, bool) {
	from := uint64(at) + uint64(pos) + uint64(key)
	to := from + uint64(value)
	if key == 0 || pos < elementLen || to > uint64(len(b)) {
		return nil, false
	}
	return b[from:to], true
}

// bucket walks a bucket below a leaf: its own root, or a page within the value.
func (t *tree) bucket(value []byte, depth int) error {
	if len(value) < bucketHead {
		return errors.New("a bucket without a head")
	}
	if root := le.Uint64(value); root != 0 {
		return t.page(root, depth+1)
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead || le.Uint16(inline[8:]) != leafPage {
		return errors.New("a bucket without a page")
	}
	return t.elements(inline, depth+1)
}
