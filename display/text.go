package display

import (
	"image"
	"image/color"
	"strings"
)

// align says where a text stands in its box.
type align uint8

const (
	start align = iota // left, or top
	middle
	end // right, or bottom
)

// set says how a text is set into a box.
type set struct {
	bold  bool
	max   int // type size in pixels to begin with
	min   int // the least that is legible; below it the text is cut with …
	lines int // at most; 0 is 1
	x, y  align
	col   color.RGBA

	// whole forbids cutting: half an amount is another amount. The text goes on
	// shrinking below min until it fits.
	whole bool

	// spare drops the text when there is no room for it at min.
	spare bool
}

// fitted is a text that was found to fit.
type fitted struct {
	lines []string
	size  int
}

// A line's parts, in hundredths of the type size. Every letter of our five
// languages stays within them; a ring on a Czech Ů does not, and loses a pixel.
const (
	ascent  = 95
	descent = 22
)

func above(size int) int { return ceilDiv(size*ascent, 100) }

func lineHeight(size int) int { return above(size) + ceilDiv(size*descent, 100) }

// fit finds the largest size at which s fits into w × h pixels.
func (wt *weight) fit(s string, w, h int, t set) fitted {
	lines := max(t.lines, 1)
	for i := len(sizes) - 1; i >= 0; i-- {
		size := sizes[i]
		if size > t.max || (size < t.min && !t.whole) {
			continue
		}
		n := min(lines, h/lineHeight(size))
		if got, ok := wt.wrap(s, size, w, n); ok {
			return fitted{wt.balance(got, s, size, w), size}
		}
	}
	if t.spare {
		return fitted{}
	}
	size := max(min(t.min, t.max), 1)
	n := max(min(lines, h/lineHeight(size)), 0)
	return fitted{wt.chop(s, size, w, n), size}
}

// wrap breaks s at spaces into at most n lines of w pixels. ok is false when that
// is not enough.
func (wt *weight) wrap(s string, size, w, n int) (lines []string, ok bool) {
	for line := ""; ; {
		word, rest, more := strings.Cut(s, " ")
		longer := word
		if line != "" {
			longer = line + " " + word
		}
		switch {
		case wt.width(longer, size) <= w:
			line = longer
			s = rest
		case line == "":
			return lines, false // a word alone is too long
		default:
			lines, line, more = append(lines, line), "", true
		}
		if !more {
			lines = append(lines, line)
			return lines, len(lines) <= n
		}
		if len(lines) >= n {
			return lines, false
		}
	}
}

// balance sets s again on as many lines in the narrowest column that holds them,
// so that no word is left alone on the last line.
func (wt *weight) balance(lines []string, s string, size, w int) []string {
	if len(lines) < 2 {
		return lines
	}
	for narrow := 0; w-narrow > 1; {
		mid := (narrow + w) / 2
		if got, ok := wt.wrap(s, size, mid, len(lines)); ok {
			lines, w = got, mid
		} else {
			narrow = mid
		}
	}
	return lines
}

// chop sets as much of s as n lines hold, breaking words where it must, and ends
// it with … when something is left.
func (wt *weight) chop(s string, size, w, n int) []string {
	var lines []string
	for len(lines) < n && s != "" {
		last := len(lines) == n-1
		if wt.width(s, size) <= w {
			return append(lines, s)
		}
		line := wt.prefix(s, size, w, last)
		if line == "" {
			break
		}
		if last {
			return append(lines, strings.TrimRight(line, " ")+"…")
		}
		if cut := strings.LastIndexByte(line, ' '); cut > 0 {
			line = line[:cut]
		}
		lines = append(lines, line)
		s = strings.TrimLeft(s[len(line):], " ")
	}
	return lines
}

// prefix returns the longest beginning of s that fits into w pixels, with the
// width of an ellipsis to spare if it will need one.
func (wt *weight) prefix(s string, size, w int, ellipsis bool) string {
	tail := ""
	if ellipsis {
		tail = "…"
	}
	best := 0
	for i, r := range s {
		next := i + len(string(r))
		if wt.width(s[:next]+tail, size) > w {
			break
		}
		best = next
	}
	return s[:best]
}

// height returns how many pixels high text would set s in box.
func (c *canvas) height(box image.Rectangle, s string, t set) int {
	typeset.Lock()
	defer typeset.Unlock()
	wt := c.weight(t)
	f := wt.fit(wt.clean(s), box.Dx(), box.Dy(), t)
	return lineHeight(f.size) * len(f.lines)
}

// width returns how many pixels wide text would set s in one line at t's largest
// size.
func (c *canvas) width(s string, t set) int {
	typeset.Lock()
	defer typeset.Unlock()
	wt := c.weight(t)
	return wt.width(wt.clean(s), t.max)
}

func (t set) weight() *weight {
	if t.bold {
		return bold
	}
	return regular
}

// boldBelow is the size in pixels under which type on a glass without greys is
// bold: a thinner stroke than a pixel and a half breaks up.
const boldBelow = 24

// weight returns the font of t on this glass.
func (c *canvas) weight(t set) *weight {
	switch {
	case !c.glass.Mono:
		return t.weight()
	case t.bold || t.max < boldBelow:
		return monoBold
	default:
		return monoPlain
	}
}

// text sets s into box. It never draws outside of box.
func (c *canvas) text(box image.Rectangle, s string, t set) {
	typeset.Lock()
	defer typeset.Unlock()
	wt := c.weight(t)
	s = wt.clean(s)
	if box = box.Intersect(c.img.Rect); s == "" || box.Empty() {
		return
	}
	f := wt.fit(s, box.Dx(), box.Dy(), t)
	high := lineHeight(f.size)
	used := place(box, box.Dx(), high*len(f.lines), start, t.y)
	for i, line := range f.lines {
		row := image.Rect(box.Min.X, used.Min.Y+i*high, box.Max.X, used.Min.Y+(i+1)*high)
		at := place(row, wt.width(line, f.size), high, t.x, start)
		c.line(wt, box, at.Min, line, f.size, t.col)
	}
	if c.placed != nil {
		c.placed(box, s, f, t, wt)
	}
}

// line draws one line whose ink begins at at, and nothing outside of box.
func (c *canvas) line(wt *weight, box image.Rectangle, at image.Point, s string, size int, col color.RGBA) {
	if wt.whole {
		c.wholeLine(wt, box, at, s, size, col)
		return
	}
	left, _ := wt.measure(s)
	base, pen := at.Y+above(size), -left
	wt.each(s, func(p piece) {
		quarters := (pen + p.dx) * size * 4 / wt.units
		x, sub := at.X+quarters/4, quarters%4
		if size >= fineBelow || quarters < 0 {
			x, sub = at.X+(quarters+2)>>2, 0
		}
		g := wt.glyph(p.glyphKey, size, sub)
		c.stamp(box, image.Pt(x+g.dx, base+g.dy+p.dy*size/wt.units), g, col)
		pen += p.advance
	})
}

// wholeLine is line with each letter on whole pixels.
func (c *canvas) wholeLine(wt *weight, box image.Rectangle, at image.Point, s string, size int, col color.RGBA) {
	base, pen, left := at.Y+above(size), 0, 0
	wt.each(s, func(p piece) {
		left = min(left, pen+(p.dx+p.left)*size/wt.units-1)
		pen += wt.advance(p, size)
	})
	x := at.X - left
	wt.each(s, func(p piece) {
		g := wt.glyph(p.glyphKey, size, 0)
		c.stamp(box, image.Pt(x+p.dx*size/wt.units+g.dx, base+g.dy+p.dy*size/wt.units), g, col)
		x += wt.advance(p, size)
	})
}

// place returns a rectangle of w × h in box, aligned by x and y.
func place(box image.Rectangle, w, h int, x, y align) image.Rectangle {
	at := box.Min.Add(image.Pt((box.Dx()-w)*int(x)/2, (box.Dy()-h)*int(y)/2))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}
}
