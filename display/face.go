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
	"golang.org/x/image/vector"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/shape"
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

// glyph is a letter's mask at one size. Its coverage has 16 steps, so that a
// picture has few enough colours for a palette.
type glyph struct {
	mask   []uint8
	w, h   int
	dx, dy int // of the mask's corner from the pen
}

// glyphKey is a letter of any font, or a glyph of one.
type glyphKey struct {
	r         rune
	font      *shape.Font // nil: whichever has r
	index     sfnt.GlyphIndex
	size, sub int
}

// extent is a letter's width and ink, in font units.
type extent struct{ advance, left, right int }

// weight is one of the two fonts, with all that was measured and drawn of it.
// Faces are not safe for concurrent use: type is set under typeset's lock.
type weight struct {
	font    *sfnt.Font
	units   int  // in an em
	whole   bool // letters stand on whole pixels: for glass without greys
	buf     sfnt.Buffer
	extents map[rune]extent
	faces   map[int]font.Face // by size
	glyphs  map[glyphKey]glyph
	shaped  map[string][]piece // see shape
}

// typeset guards both weights. A text holds it for some microseconds.
var (
	typeset    sync.Mutex
	regular    = newWeight(goregular.TTF, false)
	bold       = newWeight(gobold.TTF, false)
	monoPlain  = newWeight(goregular.TTF, true)
	monoBold   = newWeight(gobold.TTF, true)
	added      []*shape.Font // asked after the built-in ones, in this order
	glyphBytes int
)

// fontsMax bounds the fonts that are asked for a letter that nobody has.
const fontsMax = 8

// AddFont adds a font file, TrueType or OpenType, for letters that the built-in
// fonts lack. It is for all Displays, and has one weight. Scripts that this till
// cannot set (see shape.Known) stay boxes. The file is read as letters are needed, so
// it has to stay open and unchanged. AddFont fails with Invalid when it is no font, or
// when there are fontsMax already.
func AddFont(file io.ReaderAt) error {
	f, err := shape.Parse(file)
	if err != nil {
		return pos.Wrap("add font", pos.Invalid, err, "the file is no font that can be used")
	}
	typeset.Lock()
	defer typeset.Unlock()
	if len(added) >= fontsMax {
		return pos.E("add font", pos.Invalid, "there are %d fonts already", len(added))
	}
	added = append(added, f)
	return nil
}

func newWeight(ttf []byte, whole bool) *weight {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("display: built-in font: " + err.Error()) // a broken build
	}
	w := &weight{font: f, units: int(f.UnitsPerEm()), whole: whole}
	w.forget()
	return w
}

// forget drops what was measured and drawn.
func (w *weight) forget() {
	for _, g := range w.glyphs {
		glyphBytes -= len(g.mask)
	}
	w.extents, w.faces, w.glyphs, w.shaped = map[rune]extent{}, map[int]font.Face{}, map[glyphKey]glyph{}, map[string][]piece{}
}

// has reports that some font draws r. Spaces count.
func (w *weight) has(r rune) bool {
	_, _, ok := w.find(r)
	return ok
}

// find returns the first font that has r; a nil one is the built-in one.
func (w *weight) find(r rune) (*shape.Font, sfnt.GlyphIndex, bool) {
	if i, err := w.font.GlyphIndex(&w.buf, r); err == nil && i != 0 {
		return nil, i, true
	}
	for _, f := range added {
		if i := f.Index(r); i != 0 {
			return f, i, true
		}
	}
	return nil, 0, false
}

// extent measures r once, in this weight's units. The map is bounded by the letters
// that the fonts have.
func (w *weight) extent(r rune) (e extent) {
	if e, ok := w.extents[r]; ok {
		return e
	}
	defer damaged()
	f, i, _ := w.find(r)
	if f != nil {
		e = w.extentIn(f, i)
	} else if box, advance, err := w.font.GlyphBounds(&w.buf, i, fixed.Int26_6(w.units<<6), font.HintingNone); err == nil {
		e = extent{advance.Round(), box.Min.X.Floor(), box.Max.X.Ceil()}
	}
	w.extents[r] = e
	return e
}

// extentIn measures a glyph of an added font, in this weight's units.
func (w *weight) extentIn(f *shape.Font, i sfnt.GlyphIndex) extent {
	_, box, ok := f.Outline(i, w.units)
	if !ok || !sane(box, w.units) {
		return extent{}
	}
	return extent{f.Advance(i, w.units).Round(), box.Min.X.Floor(), box.Max.X.Ceil()}
}

// measure returns where the ink of s begins and ends, in font units from the pen.
func (w *weight) measure(s string) (left, right int) {
	pen := 0
	w.each(s, func(p piece) {
		left, right = min(left, pen+p.dx+p.left), max(right, pen+p.dx+p.right, pen+p.advance)
		pen += p.advance
	})
	return left, right
}

// advance returns how far a letter on whole pixels moves the pen. Small type is set
// a little wider than the font would: letters without greys between them must not
// touch.
func (w *weight) advance(p piece, size int) int {
	if size < boldBelow/2 && p.font == nil {
		return ceilDiv(p.advance*size, w.units)
	}
	return (p.advance*size + w.units/2) / w.units
}

// width returns the pixels that s takes at size, rounded up.
func (w *weight) width(s string, size int) int {
	if w.whole {
		pen, left, right := 0, 0, 0
		w.each(s, func(p piece) {
			left, right = min(left, pen+(p.dx+p.left)*size/w.units-1), max(right, pen+ceilDiv((p.dx+p.right)*size, w.units))
			pen += w.advance(p, size)
			right = max(right, pen)
		})
		return right - left
	}
	left, right := w.measure(s)
	return ceilDiv((right-left)*size, w.units)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// glyph returns a mask; of k the size in pixels and the quarters of a pixel to the
// right are set, too.
func (w *weight) glyph(k glyphKey, size, sub int) glyph {
	k.size, k.sub = size, sub
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

// sane reports that a letter whose box at em pixels is this has a size that letters have.
func sane(box fixed.Rectangle26_6, em int) bool {
	far := fixed.I(emsMax * em)
	return box.Min.X > -far && box.Min.Y > -far && box.Max.X < far && box.Max.Y < far
}

// damaged lets a letter go that a font file makes the font's reader stumble over: a
// picture with a gap is better than a till that stops.
func damaged() { _ = recover() }

func (w *weight) draw(k glyphKey) (g glyph) {
	defer damaged()
	if k.font == nil {
		if f, i, _ := w.find(k.r); f != nil {
			k.font, k.index = f, i
		}
	}
	if k.font != nil {
		return outlined(k)
	}
	face := w.faces[k.size]
	if face == nil {
		var err error
		face, err = opentype.NewFace(w.font, &opentype.FaceOptions{Size: float64(k.size), DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return glyph{}
		}
		w.faces[k.size] = face
	}
	dr, mask, mp, _, ok := face.Glyph(fixed.Point26_6{X: fixed.Int26_6(k.sub * 16)}, k.r)
	alpha, isAlpha := mask.(*image.Alpha)
	if !ok || !isAlpha {
		return glyph{}
	}
	return masked(dr, alpha, mp)
}

// masked keeps what of a mask lies in r; its corner there is from.
func masked(r image.Rectangle, alpha *image.Alpha, from image.Point) glyph {
	g := glyph{w: r.Dx(), h: r.Dy(), dx: r.Min.X, dy: r.Min.Y, mask: make([]uint8, r.Dx()*r.Dy())}
	for y := range g.h {
		row := alpha.Pix[alpha.PixOffset(from.X, from.Y+y):]
		for x := range g.w {
			g.mask[y*g.w+x] = coarse(row[x])
		}
	}
	return g
}

// outlined draws a glyph of an added font.
func outlined(k glyphKey) glyph {
	s, box, ok := k.font.Outline(k.index, k.size)
	if !ok || len(s) == 0 || !sane(box, k.size) {
		return glyph{}
	}
	shift := fixed.Int26_6(k.sub * 16)
	r := image.Rect((box.Min.X + shift).Floor(), box.Min.Y.Floor(), (box.Max.X + shift).Ceil(), box.Max.Y.Ceil())
	if r.Empty() {
		return glyph{}
	}
	ras := vector.NewRasterizer(r.Dx(), r.Dy())
	at := func(p fixed.Point26_6) (x, y float32) {
		return float32(p.X+shift)/64 - float32(r.Min.X), float32(p.Y)/64 - float32(r.Min.Y)
	}
	for _, g := range s {
		ax, ay := at(g.Args[0])
		bx, by := at(g.Args[1])
		cx, cy := at(g.Args[2])
		switch g.Op {
		case sfnt.SegmentOpMoveTo:
			ras.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			ras.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			ras.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			ras.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	mask := image.NewAlpha(image.Rect(0, 0, r.Dx(), r.Dy()))
	ras.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return masked(r, mask, image.Point{})
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
	case r == '\u00a0' || shape.Joiner(r):
		return r
	case unicode.IsSpace(r):
		return ' '
	case shape.Joined(r) && shape.Known(r) && w.has(r):
		return r
	case unicode.In(r, unicode.C, unicode.M):
		return -1
	case r != unicode.ReplacementChar && !shape.Joined(r) && w.has(r):
		return r
	case r != unicode.ReplacementChar && unicode.In(r, unicode.So, unicode.Sk):
		return -1
	default:
		return absent
	}
}
