package display

import (
	"image"
	"image/color"
	"strings"
	"unicode/utf8"

	"github.com/tillwright/tillwright/pos"
)

// fact is a line of a small panel: a word, and a value that is never cut.
type fact struct{ word, value string }

// facts are what a prompt tells where there is little room, the most important first:
// what was typed, what it comes to, and what to press.
func facts(lang string, p pos.Prompt) []fact {
	typed, sum := entryOf(lang, p.Typed)
	if p.Typed.IsZero() {
		typed = ""
	}
	total := fact{p.Sum.Label, money(lang, p.Sum.Amount)}
	var out []fact
	add := func(f fact) {
		if f != (fact{}) {
			out = append(out, f)
		}
	}
	switch p.Kind {
	case pos.PromptSetUp:
		for _, r := range p.Rows {
			add(fact{value: r.Label})
		}
		add(fact{value: typed})
	case pos.PromptPIN:
		add(fact{word: p.Title})
		add(fact{value: strings.Repeat("*", p.Typed.Secret)})
	case pos.PromptChoose:
		add(fact{word: p.Title})
		if p.At >= 0 && p.At < len(p.Choices) {
			add(fact{word: p.Choices[p.At].Key + " " + p.Choices[p.At].Text})
		}
	case pos.PromptDone:
		if p.Back.Label != "" {
			add(fact{p.Back.Label, money(lang, p.Back.Amount)})
		}
		add(fact{p.Title, money(lang, p.Sum.Amount)})
	case pos.PromptPay:
		switch {
		case typed != "" && p.Back.Label != "":
			add(fact{p.Back.Label, money(lang, p.Back.Amount)})
			add(fact{pos.Word(lang, "given"), typed})
		case typed != "":
			add(fact{pos.Word(lang, "given"), typed})
		}
		add(total)
	case pos.PromptDoubt:
		add(fact{word: p.Title})
		if typed != "" {
			total = fact{value: typed}
		}
		add(total)
	case pos.PromptWait:
		if typed != "" {
			add(fact{value: typed})
			add(total)
			break
		}
		add(total)
		add(fact{word: p.Title})
	default:
		switch {
		case sum != "":
			add(fact{typed, sum})
		case typed != "":
			add(fact{value: typed})
		case len(p.Rows) > 0:
			last := p.Rows[len(p.Rows)-1]
			add(fact{last.Label, money(lang, last.Amount)})
		default:
			add(fact{word: p.Hint})
		}
		add(total)
	}
	return out
}

// briefKeys is what keys do, as much of it as n letters hold: whole keys, the most
// needed first.
func briefKeys(keys []pos.PromptKey, n int) string {
	line := ""
	for _, k := range keys {
		part := k.Key + " " + k.Text
		if line != "" {
			part = line + "  " + part
		}
		if utf8.RuneCountInString(part) > n {
			break
		}
		line = part
	}
	return line
}

// smallPrompt lays a prompt out where there is little room: the facts, as large as
// they go, and what to press. A sentence about what did not work takes their place.
func (c *canvas) smallPrompt(s stage) {
	p := s.prompt
	page := c.area.Inset(max(min(c.area.Dx(), c.area.Dy())/24, 1))
	list := facts(c.lang, p)
	if p.Trouble != "" {
		c.troubled(page, p, list)
		return
	}
	if !c.low() {
		c.smallHead(top(&page, max(page.Dy()*17/100, lineHeight(c.least()))), s)
		top(&page, 2)
		c.smallFoot(&page, p)
		list = withoutTitle(list, p.Title)
	}
	c.facts(page, list)
}

// withoutTitle drops what stands above already.
func withoutTitle(list []fact, title string) (out []fact) {
	for _, f := range list {
		if f.word == title {
			f.word = ""
		}
		if f != (fact{}) {
			out = append(out, f)
		}
	}
	return out
}

// troubled says what did not work; on glass of two lines nothing else fits.
func (c *canvas) troubled(page image.Rectangle, p pos.Prompt, list []fact) {
	if !c.low() && len(list) > 0 {
		last := list[len(list)-1]
		if last.value != "" {
			c.factRow(bottom(&page, page.Dy()*24/100), last, ink)
		}
	}
	if len(p.Keys) == 1 { // what the question is answered with
		line := bottom(&page, max(page.Dy()*28/100, lineHeight(c.least())))
		c.text(line, keyLine(p.Keys), set{bold: true, max: max(line.Dy()*6/10, c.least()), min: c.least(), x: middle, y: middle, col: ink})
	}
	words := p.Trouble
	if c.low() {
		words = firstSentence(words)
	}
	c.text(page, words, set{bold: true, max: max(page.Dy()/4, c.least()), min: c.least(), lines: 6, x: middle, y: middle, col: bad})
}

func (c *canvas) smallHead(r image.Rectangle, s stage) {
	title := s.prompt.Title
	if title == "" {
		title = s.shop.Name
	}
	on, by := shade, ink
	switch s.prompt.Kind {
	case pos.PromptDone:
		on, by = good, white
	case pos.PromptDoubt:
		on, by = bad, white
	case pos.PromptWait:
		on, by = accent, white
	}
	c.fill(image.Rect(c.img.Rect.Min.X, c.img.Rect.Min.Y, c.img.Rect.Max.X, r.Max.Y), on)
	if on == shade {
		c.fill(image.Rect(c.img.Rect.Min.X, r.Max.Y-1, c.img.Rect.Max.X, r.Max.Y), accent)
		r.Max.Y--
	}
	c.text(r, title, set{bold: true, max: max(r.Dy()*3/4, c.least()), min: c.least(), x: middle, y: middle, col: by})
}

// smallFoot says what to do, and cuts that off the page.
func (c *canvas) smallFoot(page *image.Rectangle, p pos.Prompt) {
	t := set{max: max(min(c.area.Dx(), c.area.Dy())/10, c.least()), min: c.least(), lines: 2, x: middle, y: middle, col: quiet}
	words := p.Hint
	switch {
	case p.Kind == pos.PromptDoubt, p.Kind == pos.PromptSetUp, p.Kind == pos.PromptWait:
		t.lines, t.col = 5, ink
		if p.Kind == pos.PromptDoubt {
			words = firstSentence(words)
		}
	case p.Kind == pos.PromptChoose && p.At >= 0 && p.At < len(p.Choices) && p.Choices[p.At].Why != "":
		words = p.Choices[p.At].Why
	case len(p.Keys) > 0:
		c.smallKeys(bottom(page, page.Dy()*32/100), p.Keys)
		bottom(page, 2)
		return
	}
	if words == "" {
		return
	}
	c.text(bottom(page, page.Dy()*32/100), words, t)
	bottom(page, 2)
}

// smallKeys says what keys do in one line or two: whole keys, the most needed first.
func (c *canvas) smallKeys(r image.Rectangle, keys []pos.PromptKey) {
	t := set{max: c.least(), min: c.least(), x: middle, y: middle, col: quiet, whole: true}
	var lines []string
	room := min(2, r.Dy()/lineHeight(t.max))
	for _, k := range keys {
		part := keyLine([]pos.PromptKey{k})
		if n := len(lines); n > 0 && c.width(lines[n-1]+" · "+part, t) <= r.Dx() {
			lines[n-1] += " · " + part
			continue
		}
		if len(lines) == room || c.width(part, t) > r.Dx() {
			break
		}
		lines = append(lines, part)
	}
	if len(lines) == 0 {
		return
	}
	high := r.Dy() / len(lines)
	size := min(max(min(c.area.Dx(), c.area.Dy())/10, c.least()), high*3/4)
	for _, line := range lines { // all in one size
		for t.max = size; t.max > c.least() && c.width(line, t) > r.Dx(); t.max-- {
		}
		size = t.max
	}
	for _, line := range lines {
		c.text(top(&r, high), line, t)
	}
}

// facts sets a list, each as large as its share of r allows.
func (c *canvas) facts(r image.Rectangle, list []fact) {
	n := min(len(list), max(r.Dy()/(lineHeight(c.least())), 1), 3)
	for i, f := range list[:n] {
		high := r.Dy() / (n - i)
		if i == 0 && n == 2 && !c.low() {
			high = r.Dy() * 66 / 100
		}
		c.factRow(top(&r, high), f, ink)
	}
}

// factRow sets one. Where it is high, the word stands above the value.
func (c *canvas) factRow(r image.Rectangle, f fact, col color.RGBA) {
	small := set{max: max(r.Dy()/2, c.least()), min: c.least(), lines: 3, x: middle, y: middle, col: quiet}
	switch {
	case f.value == "":
		small.bold, small.col = true, col
		c.text(r, f.word, small)
	case f.word == "":
		c.amount(r, f.value, middle, set{col: col})
	case r.Dy() >= 3*lineHeight(c.least()):
		small.lines, small.max = 1, max(r.Dy()/4, c.least())
		c.text(top(&r, r.Dy()*34/100), f.word, small)
		c.amount(r, f.value, middle, set{col: col})
	default:
		small.x, small.lines = start, 1
		c.pair(r, f.word, f.value, small, col)
	}
}
