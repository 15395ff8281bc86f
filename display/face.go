package display

import (
	"image"
	"io"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/tillwright/tillwright/pos"
)

// sizes are the type sizes in pixels, so that a bounded number of faces is ever
// made. They run from a size that only a hopeless panel needs to a headline on a
// full HD screen.
var sizes = [...]int{
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40, 44, 48, 52, 56, 60, 64,
	72, 80, 88, 96, 104, 112, 120, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320,
}

const (
	// glyphMax bounds the masks kept, in bytes: two pictures' worth on a 7" panel.
	// When it is passed all are dropped and made again as they are needed.
	glyphMax = 2 << 20

	// fineBelow is the size in pixels under which glyphs are placed to a quarter of
	// a pixel: above it the eye does not see the difference, and masks are large.
	fineBelow = 40

	// textMax is the number of letters of a text that are looked at: no box holds
	// more, and a name may come from anywhere.
	textMax = 200
)

// absent stands for letters that the fonts do not have. They have Latin, Greek and
// Cyrillic with € £ ¥; AddFont adds others.
const absent = '□'

// shaped are the scripts whose letters change with their neighbours, or run from
// right to left: letter by letter they would be wrong, so they are boxes whatever
// the fonts have.
var shaped = []*unicode.RangeTable{
	unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Mongolian,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada,
	unicode.Malayalam, unicode.Sinhala, unicode.Thai, unicode.Lao, unicode.Tibetan, unicode.Myanmar, unicode.Khmer,
}

// glyph is a letter's mask at one size. Its coverage has 16 steps, so that a
// picture has few enough colours for a palette.
type glyph struct {
	mask   []uint8
	w, h   int
	dx, dy int // of the mask's corner from the pen
}

// typeface is a font file.
type typeface struct {
	font  *sfnt.Font
	units int // in an em
}

// faceKey is a typeface at one size.
type faceKey struct {
	font *sfnt.Font
	size int
}

type glyphKey struct {
	r         rune
	size, sub int
}

// extent is a letter's width and ink, in font units.
type extent struct{ advance, left, right int }

// weight is one of the two fonts, with all that was measured and drawn of it.
// Faces are not safe for concurrent use: type is set under typeset's lock.
type weight struct {
	typeface
	whole   bool // letters stand on whole pixels: for glass without greys
	buf     sfnt.Buffer
	extents map[rune]extent
	faces   map[faceKey]font.Face
	glyphs  map[glyphKey]glyph
}

// typeset guards both weights. A text holds it for some microseconds.
var (
	typeset    sync.Mutex
	regular    = newWeight(goregular.TTF, false)
	bold       = newWeight(gobold.TTF, false)
	monoPlain  = newWeight(goregular.TTF, true)
	monoBold   = newWeight(gobold.TTF, true)
	added      []typeface // asked after the built-in ones, in this order
	glyphBytes int
)

// fontsMax bounds the fonts that are asked for a letter that nobody has.
const fontsMax = 8

// AddFont adds a font file, TrueType or OpenType, for letters that the built-in
// fonts lack: Chinese, Japanese, Korean, Armenian, Georgian and others that are set
// letter by letter. It is for all Displays, and has one weight. What has to be
// shaped or runs from right to left stays a box. The file is read as letters are
// needed, so it has to stay open and unchanged. AddFont fails with Invalid when it
// is no font, or when there are fontsMax already.
func AddFont(file io.ReaderAt) error {
	f, err := opentype.ParseReaderAt(file)
	if err != nil {
		return pos.Wrap("add font", pos.Invalid, err, "the file is no font that can be used")
	}
	typeset.Lock()
	defer typeset.Unlock()
	if len(added) >= fontsMax {
		return pos.E("add font", pos.Invalid, "there are %d fonts already", len(added))
	}
	added = append(added, typeface{f, max(int(f.UnitsPerEm()), 1)})
	return nil
}

func newWeight(ttf []byte, whole bool) *weight {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("display: built-in font: " + err.Error()) // a broken build
	}
	return &weight{
		typeface: typeface{f, int(f.UnitsPerEm())}, whole: whole,
		extents: map[rune]extent{}, faces: map[faceKey]font.Face{}, glyphs: map[glyphKey]glyph{},
	}
}

// has reports that some font draws r. Spaces count.
func (w *weight) has(r rune) bool {
	_, _, ok := w.find(r)
	return ok
}

// find returns the first font that has r.
func (w *weight) find(r rune) (typeface, sfnt.GlyphIndex, bool) {
	if i, err := w.font.GlyphIndex(&w.buf, r); err == nil && i != 0 {
		return w.typeface, i, true
	}
	if unicode.In(r, shaped...) {
		return w.typeface, 0, false
	}
	for _, t := range added {
		if i, err := t.font.GlyphIndex(&w.buf, r); err == nil && i != 0 {
			return t, i, true
		}
	}
	return w.typeface, 0, false
}

// extent measures r once, in this weight's units. The map is bounded by the letters
// that the fonts have.
func (w *weight) extent(r rune) (e extent) {
	if e, ok := w.extents[r]; ok {
		return e
	}
	defer damaged()
	t, i, _ := w.find(r)
	box, advance, err := t.font.GlyphBounds(&w.buf, i, fixed.Int26_6(t.units<<6), font.HintingNone)
	if err != nil {
		return extent{}
	}
	own := func(n int) int { return n * w.units / t.units }
	e = extent{own(advance.Round()), own(box.Min.X.Floor()), own(box.Max.X.Ceil())}
	w.extents[r] = e
	return e
}

// measure returns where the ink of s begins and ends, in font units from the pen.
func (w *weight) measure(s string) (left, right int) {
	pen := 0
	for _, r := range s {
		e := w.extent(r)
		left, right = min(left, pen+e.left), max(right, pen+e.right, pen+e.advance)
		pen += e.advance
	}
	return left, right
}

// advance returns how far a letter on whole pixels moves the pen. Small type is set
// a little wider than the font would: letters without greys between them must not
// touch.
func (w *weight) advance(e extent, size int) int {
	if size < boldBelow/2 {
		return ceilDiv(e.advance*size, w.units)
	}
	return (e.advance*size + w.units/2) / w.units
}

// width returns the pixels that s takes at size, rounded up.
func (w *weight) width(s string, size int) int {
	if w.whole {
		pen, left, right := 0, 0, 0
		for _, r := range s {
			e := w.extent(r)
			left, right = min(left, pen+e.left*size/w.units-1), max(right, pen+ceilDiv(e.right*size, w.units))
			pen += w.advance(e, size)
			right = max(right, pen)
		}
		return right - left
	}
	left, right := w.measure(s)
	return ceilDiv((right-left)*size, w.units)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// glyph returns r's mask at size, sub quarters of a pixel to the right.
func (w *weight) glyph(r rune, size, sub int) glyph {
	k := glyphKey{r, size, sub}
	g, ok := w.glyphs[k]
	if !ok {
		g = w.draw(k)
		if glyphBytes += len(g.mask); glyphBytes > glyphMax {
			for _, w := range []*weight{regular, bold, monoPlain, monoBold} {
				clear(w.glyphs)
			}
			glyphBytes = len(g.mask)
		}
		w.glyphs[k] = g
	}
	return g
}

// emsMax bounds the ems that a letter of an added font may reach: a mask of more
// would take memory without end.
const emsMax = 3

// sane reports that a letter is of a size that letters have.
func (t typeface) sane(buf *sfnt.Buffer, i sfnt.GlyphIndex) bool {
	box, _, err := t.font.GlyphBounds(buf, i, fixed.I(t.units), font.HintingNone)
	far := fixed.I(emsMax * t.units)
	return err == nil && box.Min.X > -far && box.Min.Y > -far && box.Max.X < far && box.Max.Y < far
}

// damaged lets a letter go that a font file makes the font's reader stumble over: a
// picture with a gap is better than a till that stops.
func damaged() { _ = recover() }

func (w *weight) draw(k glyphKey) (g glyph) {
	defer damaged()
	t, i, _ := w.find(k.r)
	if t != w.typeface && !t.sane(&w.buf, i) {
		return glyph{}
	}
	face := w.faces[faceKey{t.font, k.size}]
	if face == nil {
		var err error
		face, err = opentype.NewFace(t.font, &opentype.FaceOptions{Size: float64(k.size), DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return glyph{}
		}
		w.faces[faceKey{t.font, k.size}] = face
	}
	dr, mask, mp, _, ok := face.Glyph(fixed.Point26_6{X: fixed.Int26_6(k.sub * 16)}, k.r)
	alpha, isAlpha := mask.(*image.Alpha)
	if !ok || !isAlpha {
		return glyph{}
	}
	g = glyph{w: dr.Dx(), h: dr.Dy(), dx: dr.Min.X, dy: dr.Min.Y, mask: make([]uint8, dr.Dx()*dr.Dy())}
	for y := range g.h {
		row := alpha.Pix[alpha.PixOffset(mp.X, mp.Y+y):]
		for x := range g.w {
			g.mask[y*g.w+x] = coarse(row[x])
		}
	}
	return g
}

// coarse rounds a coverage to one of 16 steps from 0 to 255.
func coarse(a uint8) uint8 { return uint8((int(a) + 8) / 17 * 17) }

// clean makes s drawable: one line, no control or format characters, no pictures
// that the font lacks, and every run of letters that it lacks as one box. A letter
// built of a base and a mark loses the mark.
func (w *weight) clean(s string) string {
	var b strings.Builder
	last, n := ' ', 0
	for _, r := range s {
		if r = w.drawable(r); r < 0 || (r == last && (r == ' ' || r == absent)) {
			continue
		}
		if n++; n > textMax {
			break
		}
		b.WriteRune(r)
		last = r
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), " …", space+"…")
}

// drawable returns what stands for r, -1 for nothing. Bytes that are no UTF-8 come
// as U+FFFD.
func (w *weight) drawable(r rune) rune {
	switch {
	case r == '\u00a0':
		return r
	case unicode.IsSpace(r):
		return ' '
	case unicode.In(r, unicode.C, unicode.M):
		return -1
	case r != unicode.ReplacementChar && w.has(r):
		return r
	case r != unicode.ReplacementChar && unicode.In(r, unicode.So, unicode.Sk):
		return -1
	default:
		return absent
	}
}
