package journal

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

const (
	segmentPrefix = "journal-"
	segmentSuffix = ".jsonl"
)

// markEvery is how many bytes of journal lie between two marks: a reader that
// starts in the middle checks up to so much before the record it wants.
const markEvery = 64 << 10

// place is a position in the chain.
type place struct {
	n    uint64
	hash pos.Hash
}

// mark says where record n begins.
type mark struct {
	n   uint64
	off int64
}

// span is a range of bytes that readers pass over.
type span struct{ off, end int64 }

// segment is one file of the journal.
type segment struct {
	name   string // without the directory
	first  uint64 // the number in its name
	size   int64  // bytes in the file when it was opened
	marks  []mark // of whole records, rising
	fences []span // bytes that are no part of the chain, rising
}

// segmentName returns the name of the file that begins with record n.
func segmentName(n uint64) string { return fmt.Sprintf("%s%08d%s", segmentPrefix, n, segmentSuffix) }

// parseSegment is the reverse of segmentName.
func parseSegment(name string) (first uint64, ok bool) {
	digits, ok1 := strings.CutPrefix(name, segmentPrefix)
	digits, ok2 := strings.CutSuffix(digits, segmentSuffix)
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, ok1 && ok2 && err == nil && first > 0 && segmentName(first) == name
}

// listSegments returns the segments in dir by number, and the names of all files.
func listSegments(fs FS, dir string) ([]*segment, []string, error) {
	infos, err := fs.List(dir)
	if err != nil {
		return nil, nil, err
	}
	var segs []*segment
	var names []string
	for _, i := range infos {
		names = append(names, i.Name)
		if first, ok := parseSegment(i.Name); ok {
			segs = append(segs, &segment{name: i.Name, first: first, size: i.Size})
		}
	}
	slices.SortFunc(segs, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	return segs, names, nil
}

// mark remembers where record n begins, if the last mark is far enough back.
func (s *segment) mark(n uint64, off int64) {
	if k := len(s.marks); k == 0 || off-s.marks[k-1].off >= markEvery {
		s.marks = append(s.marks, mark{n, off})
	}
}

// fence takes the bytes from off to end out of the chain.
func (s *segment) fence(off, end int64) {
	if k := len(s.fences); k > 0 && s.fences[k-1].end == off {
		s.fences[k-1].end = end
		return
	}
	s.fences = append(s.fences, span{off, end})
}

// cut forgets everything from off on.
func (s *segment) cut(off int64) {
	s.marks = slices.DeleteFunc(s.marks, func(m mark) bool { return m.off >= off })
	s.fences = slices.DeleteFunc(s.fences, func(f span) bool { return f.off >= off })
}

// before returns the last mark at or before record n, which must not precede the
// first mark.
func (s *segment) before(n uint64) mark {
	i, found := slices.BinarySearchFunc(s.marks, n, func(m mark, n uint64) int { return cmp.Compare(m.n, n) })
	if !found {
		i--
	}
	return s.marks[i]
}

func (s *segment) path(dir string) string { return filepath.Join(dir, s.name) }
