package display

import (
	"image"
	"image/color"

	"github.com/tillwright/tillwright/pos"
)

// cap draws a key as it looks, and what stands on it.
func (c *canvas) cap(r image.Rectangle, label string, on, by color.RGBA) {
	c.pill(r, on)
	c.text(r.Inset(max(r.Dy()/8, 1)), label, set{bold: true, max: max(r.Dy()*6/10, c.least()), min: c.least(), x: middle, y: middle, col: by, whole: true})
}

// keys lists what keys do, the most needed on top.
func (c *canvas) keys(r image.Rectangle, keys []pos.PromptKey) {
	if len(keys) == 0 {
		return
	}
	size := c.keySize()
	high := min(max(r.Dy()/max(len(keys), 4), lineHeight(size)), c.p(72)+8)
	cap := min(max(c.width("Enter", set{bold: true, max: size})+size, high), r.Dx()*40/100)
	for i, k := range keys {
		row := top(&r, high)
		if row.Dy() < high {
			return
		}
		box := row.Inset(max(high/12, 1))
		box.Max.X = box.Min.X + cap
		on, by := hair, ink
		if i == 0 {
			on, by = accent, white
		}
		if c.glass.Mono {
			on, by = ink, white
		}
		c.cap(box, k.Key, on, by)
		row.Min.X = box.Max.X + max(c.p(12), 5)
		c.text(row, k.Text, set{bold: i == 0, max: size, min: c.least(), lines: 2, y: middle, col: ink})
	}
}

// choices is a list to choose from by number. Where not all fit, those around the
// marked one are shown. What is grey says why, if there is room.
func (c *canvas) choices(r image.Rectangle, p pos.Prompt) {
	if p.Kind == pos.PromptChoose {
		if p.Sum.Label != "" && r.Dy() > 6*lineHeight(c.keySize()) {
			c.sum(bottom(&r, r.Dy()*18/100), p.Sum)
		}
		if line := keyLine(p.Keys); line != "" {
			foot := bottom(&r, lineHeight(max(c.p(20), 11)))
			c.text(foot, line, set{max: max(c.p(20), 11), min: c.least(), x: middle, y: middle, col: quiet, spare: true})
		}
	}
	size := max(c.p(30), 14)
	high := lineHeight(size) + max(c.p(16), 5)
	n := max(min(len(p.Choices), r.Dy()/high), 1)
	first := max(min(p.At-n/2, len(p.Choices)-n), 0)
	for i := first; i < len(p.Choices) && i < first+n; i++ {
		c.choice(top(&r, high), p.Choices[i], i == p.At, size)
	}
}

// taken lists what is taken now, and why something is not.
func (c *canvas) taken(r image.Rectangle, list []pos.PromptChoice) {
	size, note := max(c.p(28), 14), max(c.p(18), 10)
	gap := max(c.p(8), 3)
	for _, ch := range list {
		col, why := ink, ""
		if ch.Off {
			col, why = quiet, ch.Why
		}
		high := lineHeight(size)
		t := set{max: note, min: c.least(), lines: 4, col: quiet}
		under := r
		under.Min.Y = min(r.Min.Y+high, r.Max.Y)
		lines := 0
		if why != "" {
			lines = c.height(under, why, t)
		}
		if r.Dy() < high+lines {
			return
		}
		c.text(top(&r, high), ch.Text, set{bold: !ch.Off, max: size, min: c.least(), y: middle, col: col})
		c.text(top(&r, lines), why, t)
		top(&r, gap)
	}
}

// choice is one of a list.
func (c *canvas) choice(row image.Rectangle, ch pos.PromptChoice, marked bool, size int) {
	col := ink
	if ch.Off {
		col = quiet
	}
	if marked {
		c.fill(row, shade)
		c.fill(image.Rect(row.Min.X, row.Min.Y, row.Min.X+max(c.p(6), 2), row.Max.Y), accent)
	}
	box := row.Inset(max(row.Dy()/10, 1))
	box.Min.X += max(c.p(8), 3)
	box.Max.X = box.Min.X + max(box.Dy(), c.width("99", set{bold: true, max: size})+4)
	on, by := hair, ink
	if marked || c.glass.Mono {
		on, by = accent, white
	}
	c.cap(box, ch.Key, on, by)
	text := row
	text.Min.X, text.Max.X = box.Max.X+max(c.p(14), 6), row.Max.X-2
	t := set{bold: marked, max: size, min: c.least(), lines: 2, y: middle, col: col}
	if ch.Why != "" {
		if free := text.Dx() - c.width(ch.Text, t) - c.p(24); free > text.Dx()*2/5 {
			why := text
			why.Min.X = text.Max.X - free
			text.Max.X = why.Min.X - 4
			c.text(why, ch.Why, set{max: max(c.p(20), 10), min: c.least(), lines: 2, x: end, y: middle, col: quiet, spare: true})
		}
	}
	c.text(text, ch.Text, t)
}
