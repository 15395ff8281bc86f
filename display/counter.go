package display

import (
	"image"
	"image/color"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Shows says whom a panel is for.
type Shows string

// What panels show. The zero value is the customer's picture.
const (
	ShowsCustomer Shows = "customer"
	ShowsCashier  Shows = "cashier" // the prompt: what to type, the total, what to choose from
	ShowsBoth     Shows = "both"    // the prompt, and the customer's picture while he pays
)

// Counter draws what a panel shows of v and the cashier's prompt p at time now. For
// the customer that is Picture; both of them get the customer's picture with a line
// for the cashier below it, while p yields.
func (g Glass) Counter(v pos.View, p pos.Prompt, shows Shows, now time.Time) *image.RGBA {
	return stage{sceneOf(v, now), p, shows}.draw(g, nil).img
}

// stage is what one panel shows: a scene for customers, a prompt for the cashier, or
// both.
type stage struct {
	scene
	prompt pos.Prompt
	shows  Shows
}

// yields reports that the customer's picture has the place.
func (s stage) yields() bool {
	return s.shows != ShowsCashier && (s.shows != ShowsBoth || s.prompt.Yields || s.prompt.Kind == "")
}

// draw makes the picture; see scene.draw.
func (s stage) draw(g Glass, placed func(image.Rectangle, string, fitted, set, *weight)) frame {
	switch {
	case s.shows == ShowsBoth && s.prompt.Yields:
		return s.shared(g, placed)
	case s.yields():
		return s.scene.draw(g, placed)
	}
	g.Size = image.Pt(max(g.Size.X, 1), max(g.Size.Y, 1))
	c := newCanvas(g, s.shop.Language)
	c.placed = placed
	if c.compact() {
		c.smallPrompt(s)
	} else {
		c.prompt(s)
	}
	return frame{c.img, c.code, c.module}
}

// shared is the customer's picture with a line for the cashier below it. Where the
// code would get smaller by that, or go, there is no line.
func (s stage) shared(g Glass, placed func(image.Rectangle, string, fitted, set, *weight)) frame {
	whole := s.scene.draw(g, nil)
	c := newCanvas(g, s.shop.Language)
	c.placed = placed
	line := keyLine(s.prompt.Keys)
	if s.prompt.Kind == pos.PromptPIN || s.prompt.Kind == pos.PromptChoose {
		line = s.prompt.Title
	}
	if g.Round || c.compact() || line == "" {
		return s.scene.draw(g, placed)
	}
	foot := bottom(&c.area, lineHeight(c.keySize())+c.p(12))
	if c.compact() {
		return s.scene.draw(g, placed)
	}
	c.large(s.scene)
	if c.module < whole.module {
		return s.scene.draw(g, placed)
	}
	c.fill(foot, ink)
	c.text(foot.Inset(c.p(8)), line, set{max: c.keySize(), min: c.least(), x: middle, y: middle, col: white})
	return frame{c.img, c.code, c.module}
}

// keyLine is what keys do, in one line.
func keyLine(keys []pos.PromptKey) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, k.Key+space+strings.ReplaceAll(k.Text, " ", space))
	}
	return strings.Join(parts, " · ")
}

// keySize is the type of what keys do: read from where the cashier's hand is.
func (c *canvas) keySize() int { return max(c.p(24), 13) }

// prompt lays a prompt out where there is room for all that can be said: title, what
// it is about, the keys, and a sentence.
func (c *canvas) prompt(s stage) {
	p, page := s.prompt, c.area
	c.head(top(&page, max(c.p(52), 22)), s)
	in := page.Inset(max(c.p(16), 6))
	if said, col := sentence(p); said != "" {
		high := max(in.Dy()*24/100, 2*lineHeight(c.keySize()))
		c.said(bottom(&in, high), said, col)
		bottom(&in, c.p(12))
	}
	switch {
	case p.Kind == pos.PromptChoose:
		c.choices(in, p)
	case len(p.Choices) > 0: // a panel without a keypad tells what is taken
		left, right := c.halves(in, 52)
		c.matter(left, p)
		c.taken(right, p.Choices)
	case len(p.Keys) == 0:
		c.matter(in, p)
	default:
		left, right := c.halves(in, 56)
		c.matter(left, p)
		c.keys(right, p.Keys)
	}
}

// halves parts r into what it is about, with share hundredths, and what can be done:
// side by side, or one below the other.
func (c *canvas) halves(r image.Rectangle, share int) (first, second image.Rectangle) {
	if c.wide() {
		first = r
		first.Max.X = r.Min.X + r.Dx()*share/100
		second = image.Rect(first.Max.X+max(c.p(24), 8), r.Min.Y, r.Max.X, r.Max.Y)
		return first, second
	}
	first = top(&r, r.Dy()*share/100)
	top(&r, max(c.p(16), 6))
	return first, r
}

// head is the title, and who is at the till or which line is down.
func (c *canvas) head(r image.Rectangle, s stage) {
	p := s.prompt
	on, by := shade, ink
	switch p.Kind {
	case pos.PromptDone:
		on, by = good, white
	case pos.PromptDoubt:
		on, by = bad, white
	case pos.PromptWait:
		on, by = accent, white
	}
	c.fill(r, on)
	if on == shade {
		c.fill(image.Rect(r.Min.X, r.Max.Y-max(c.p(3), 1), r.Max.X, r.Max.Y), accent)
	}
	in := image.Rect(r.Min.X+max(c.p(16), 6), r.Min.Y+1, r.Max.X-max(c.p(16), 6), r.Max.Y-2)
	title := p.Title
	if title == "" {
		title = s.shop.Name
	}
	size := max(c.p(28), 13)
	note := p.Who
	if len(p.Links) > 0 {
		note = "× " + strings.Join(p.Links, ", ")
	}
	if note != "" {
		t := set{max: max(c.p(22), 11), min: c.least(), x: end, y: middle, col: by}
		if len(p.Links) > 0 && on == shade {
			t.col = bad
		}
		right := in
		right.Min.X = in.Max.X - min(c.width(note, t), in.Dx()*38/100)
		in.Max.X = right.Min.X - max(c.p(12), 5)
		c.text(right, note, t)
	}
	c.text(in, title, set{bold: true, max: size, min: c.least(), y: middle, col: by})
}

// sentence is the one that matters most, and its colour.
func sentence(p pos.Prompt) (string, color.RGBA) {
	switch {
	case p.Trouble != "":
		return p.Trouble, bad
	case p.Hint != "" && p.Kind != pos.PromptWait && p.Kind != pos.PromptDoubt:
		return p.Hint, ink
	case p.Kind == pos.PromptChoose && p.At >= 0 && p.At < len(p.Choices) && p.Choices[p.At].Why != "":
		return p.Choices[p.At].Why, quiet
	case p.Notice != "":
		return p.Notice, accent
	}
	return "", quiet
}

// said sets a sentence at the foot.
func (c *canvas) said(r image.Rectangle, s string, col color.RGBA) {
	c.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+1), hair)
	top(&r, max(c.p(6), 2))
	c.text(r, s, set{bold: col == bad, max: max(c.p(26), 13), min: c.least(), lines: 3, y: middle, col: col})
}

// matter is what the prompt is about: what was typed, the basket, the sum.
func (c *canvas) matter(r image.Rectangle, p pos.Prompt) {
	switch p.Kind {
	case pos.PromptSetUp:
		c.setUp(r, p)
	case pos.PromptPIN:
		c.text(r, pinDots(p.Typed.Secret), set{bold: true, max: c.p(96), min: c.least(), x: middle, y: middle, col: ink, whole: true})
	case pos.PromptPay:
		c.paying(r, p)
	case pos.PromptWait, pos.PromptDoubt:
		c.attending(r, p)
	case pos.PromptDone:
		c.finished(r, p)
	default:
		c.selling(r, p)
	}
}

// pinDots stand for the digits of a PIN.
func pinDots(n int) string {
	if n == 0 {
		return "– – – –"
	}
	return strings.TrimSpace(strings.Repeat("• ", n))
}

// setUp is the address to open, and the code to type there.
func (c *canvas) setUp(r image.Rectangle, p pos.Prompt) {
	if p.Typed.Text != "" {
		c.text(bottom(&r, r.Dy()/2), p.Typed.Text, set{bold: true, max: c.p(72), min: c.least(), x: middle, y: middle, col: ink, whole: true})
	}
	for _, row := range p.Rows {
		c.text(r, row.Label, set{bold: true, max: c.p(44), min: c.least(), x: middle, y: middle, col: accent, whole: true})
	}
}

// selling is what is being typed, large; the basket; the total, always in the same
// place.
func (c *canvas) selling(r image.Rectangle, p pos.Prompt) {
	c.sum(bottom(&r, max(r.Dy()*26/100, lineHeight(c.keySize()))), p.Sum)
	switch {
	case !p.Typed.IsZero():
		c.typed(top(&r, r.Dy()*52/100), p.Typed)
	case len(p.Rows) == 0: // where it will stand
		c.text(r, c.money(p.Sum.Amount), set{bold: true, max: c.p(88), min: c.least(), x: end, y: middle, col: hair, whole: true})
	}
	c.rows(r, p.Rows)
}

// typed is the entry as it will be taken.
func (c *canvas) typed(r image.Rectangle, t pos.Typed) {
	if t.IsZero() {
		return
	}
	text, sum := c.entry(t)
	if sum != "" {
		c.text(bottom(&r, r.Dy()*36/100), "= "+sum, set{max: c.p(40), min: c.least(), x: end, y: middle, col: quiet, whole: true})
	}
	c.text(r, text, set{bold: true, max: c.p(88), min: c.least(), x: end, y: middle, col: ink, whole: true})
}

// entry is what was typed, in the shop's language, and what it comes to if that is
// something else.
func (c *canvas) entry(t pos.Typed) (text, sum string) { return entryOf(c.lang, t) }

func entryOf(lang string, t pos.Typed) (text, sum string) {
	qty := number(lang, pos.FormatQty(t.Qty)) + space + "×"
	switch {
	case t.Text != "":
		return t.Text, ""
	case t.Qty != 0 && t.Amount.IsZero():
		return qty, ""
	case t.Qty != 0:
		return qty + space + money(lang, t.Amount), money(lang, t.Sum)
	case t.Secret > 0:
		return strings.Repeat("*", t.Secret), ""
	}
	return money(lang, t.Amount), ""
}

// sum is a label and the amount that stands above all.
func (c *canvas) sum(r image.Rectangle, row pos.PromptRow) {
	if row.Label == "" {
		return
	}
	c.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+max(c.p(3), 1)), ink)
	top(&r, max(c.p(6), 2))
	sum := c.money(row.Amount)
	t := set{bold: true, max: min(c.p(60), r.Dy()), min: c.least(), x: end, y: middle, col: ink, whole: true}
	right := r
	right.Min.X = r.Max.X - min(c.width(sum, t), r.Dx()*62/100)
	r.Max.X = right.Min.X - max(c.p(8), 4)
	c.text(r, row.Label, set{max: max(c.p(28), 12), min: c.least(), lines: 2, y: middle, col: quiet})
	c.text(right, sum, t)
}

// rows are the basket's last lines, the newest at the bottom, as many as fit.
func (c *canvas) rows(r image.Rectangle, rows []pos.PromptRow) {
	high := max(c.p(36), lineHeight(max(c.p(24), 12)))
	n := min(len(rows), r.Dy()/high)
	for _, row := range rows[len(rows)-n:] {
		label := row.Label
		if row.Qty != 0 && row.Qty != 1000 {
			label = number(c.lang, pos.FormatQty(row.Qty)) + space + "×" + space + label
		}
		c.row(top(&r, high), label, c.money(row.Amount), max(c.p(24), 12), quiet)
	}
}

// paying is what is due, and what was given of it.
func (c *canvas) paying(r image.Rectangle, p pos.Prompt) {
	if p.Typed.IsZero() {
		label := top(&r, max(r.Dy()*28/100, lineHeight(c.least())))
		c.text(label, p.Sum.Label, set{max: c.p(32), min: c.least(), y: end, col: quiet})
		c.text(top(&r, r.Dy()*60/100), c.money(p.Sum.Amount), set{bold: true, max: c.p(112), min: c.least(), y: middle, col: ink, whole: true})
		c.rows(r, p.Rows)
		return
	}
	c.sum(bottom(&r, max(r.Dy()*26/100, lineHeight(c.keySize()))), p.Sum)
	if p.Back.Label != "" {
		c.sum(bottom(&r, r.Dy()*40/100), p.Back)
	}
	c.typed(r, p.Typed)
}

// attending is the payment that the customer is making, or has made perhaps.
func (c *canvas) attending(r image.Rectangle, p pos.Prompt) {
	c.sum(bottom(&r, max(r.Dy()*30/100, lineHeight(c.keySize()))), p.Sum)
	if p.Typed.Text != "" {
		c.text(bottom(&r, r.Dy()*48/100), p.Typed.Text, set{bold: true, max: c.p(88), min: c.least(), x: middle, y: middle, col: ink, whole: true})
	}
	c.text(r, p.Hint, set{bold: p.Kind == pos.PromptDoubt, max: max(c.p(30), 13), min: c.least(), lines: 6, y: middle, col: ink})
}

// finished is the change to give back, or that it is paid.
func (c *canvas) finished(r image.Rectangle, p pos.Prompt) {
	c.sum(bottom(&r, max(r.Dy()*26/100, lineHeight(c.keySize()))), p.Sum)
	if p.Back.Label == "" {
		c.mark(r.Inset(c.p(16)), good, white, tick)
		return
	}
	if len(p.Rows) > 0 {
		c.rows(bottom(&r, max(c.p(36), lineHeight(max(c.p(24), 12)))), p.Rows)
	}
	c.text(top(&r, r.Dy()*34/100), p.Back.Label, set{max: c.p(36), min: c.least(), y: end, col: quiet})
	c.text(r, c.money(p.Back.Amount), set{bold: true, max: c.p(112), min: c.least(), y: middle, col: good, whole: true})
}
