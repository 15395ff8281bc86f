package shape

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/tillwright/tillwright/pos"
)

// fontMax bounds a font file: the largest CJK collections have 30 MB.
const fontMax = 64 << 20

// Font is a face in a file, or the built-in one. Of the file only what is drawn is
// read, when it is drawn; it must not change meanwhile. Safe for concurrent use.
type Font struct {
	source io.ReaderAt
	f      *sfnt.Font
	units  int
	close  func() error
	rules  rules // the font's own, read when they are needed

	mu  sync.Mutex // guards buf: a buffer serves one caller at a time
	buf sfnt.Buffer
}

// Open opens a TrueType or OpenType font, or the first one of a collection. It
// fails with Invalid when the file is not there or is none. Close it when nobody
// draws with it any more.
func Open(path string) (*Font, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, pos.Wrap("open font", pos.Invalid, err, "the font %s cannot be read", path)
	}
	f, err := parseFont(file)
	if err != nil {
		return nil, errors.Join(pos.Wrap("open font", pos.Invalid, err, "the font %s is no TrueType or OpenType font", path), file.Close())
	}
	f.close = file.Close
	return f, nil
}

func parseFont(file *os.File) (*Font, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > fontMax || !st.Mode().IsRegular() {
		return nil, pos.E("read font", pos.Invalid, "the font is larger than 64 MB")
	}
	return Parse(io.NewSectionReader(file, 0, st.Size()))
}

// Parse reads a font from r, which must stay readable as long as the Font is used. It
// fails when it is none.
func Parse(r io.ReaderAt) (*Font, error) {
	c, err := sfnt.ParseCollectionReaderAt(r)
	if err != nil {
		c, err = inMemory(r)
	}
	if err != nil {
		return nil, err
	}
	f, err := c.Font(0)
	if err != nil {
		if c, err = inMemory(r); err == nil {
			f, err = c.Font(0)
		}
	}
	if err != nil {
		return nil, err
	}
	return &Font{source: r, f: f, units: max(int(f.UnitsPerEm()), 1)}, nil
}

// memoryMax bounds a font that is kept in memory.
const memoryMax = 4 << 20

// inMemory reads a font whole: sfnt stumbles over the kerning of some fonts (Amiri) when
// it reads them piece by piece.
func inMemory(r io.ReaderAt) (*sfnt.Collection, error) {
	b, err := io.ReadAll(io.NewSectionReader(r, 0, memoryMax+1))
	if err != nil {
		return nil, err
	}
	if len(b) > memoryMax {
		return nil, errors.New("too large to be kept in memory")
	}
	return sfnt.ParseCollection(b)
}

// Close closes the file.
func (f *Font) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Units returns how many units of the font make an em.
func (f *Font) Units() int { return f.units }

// Index returns the number of r's glyph in the font; 0 when it has none.
func (f *Font) Index(r rune) sfnt.GlyphIndex {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.f.GlyphIndex(&f.buf, r)
	if err != nil || r < 0x20 { // some faces draw NUL
		return 0
	}
	return i
}

// Advance returns how far glyph i moves the pen at em pixels an em.
func (f *Font) Advance(i sfnt.GlyphIndex, em int) fixed.Int26_6 {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, err := f.f.GlyphAdvance(&f.buf, i, fixed.I(em), 0)
	if err != nil {
		return 0
	}
	return a
}

// Outline returns a copy of a glyph's outline at em pixels an em, the pen's start at
// zero, and the box around it.
func (f *Font) Outline(i sfnt.GlyphIndex, em int) (sfnt.Segments, fixed.Rectangle26_6, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.f.LoadGlyph(&f.buf, i, fixed.I(em), nil)
	if err != nil {
		return nil, fixed.Rectangle26_6{}, false
	}
	out := append(sfnt.Segments(nil), s...)
	return out, out.Bounds(), true
}
