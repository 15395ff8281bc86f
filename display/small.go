package display

import (
	"cmp"
	"image"
	"image/color"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/qr"
)

const (
	// compactBelow is the shorter side in pixels under which there is room for the
	// amount, the state, and one thing more.
	compactBelow = 200

	// lowBelow is the height under which that is one line or two: 160 × 80, 128 × 64, 128 × 32.
	lowBelow = 96

	// besideMin is the type size in pixels of a sum beside a code under which it is
	// set upwards, larger.
	besideMin = 12

	// stripMin is the least height of a line of text beside a code.
	stripMin = 12
)

// compact reports a glass on which only the most important can be said.
func (c *canvas) compact() bool { return min(c.area.Dx(), c.area.Dy()) < compactBelow }

// low reports a glass of one or two lines.
func (c *canvas) low() bool { return c.area.Dy() < lowBelow }

// small lays a picture out where there is little room: amount and state, as large
// as they go.
func (c *canvas) small(s scene) {
	page := c.area.Inset(max(min(c.area.Dx(), c.area.Dy())/24, 1))
	switch s.customer.Phase {
	case pos.PhaseBasket:
		c.smallBasket(page, s)
	case pos.PhaseDue:
		c.smallDue(page, s)
	case pos.PhaseArriving:
		c.smallState(page, c.word("arriving"), c.money(s.owed()), accent, arrow)
	case pos.PhaseChecking:
		c.smallState(page, c.word(s.checking()), c.money(s.owed()), accent, dots)
	case pos.PhasePaid:
		c.smallPaid(page, s)
	case pos.PhaseChange:
		c.three(page, c.word("change"), c.money(s.customer.Change), c.word("given")+" "+c.money(s.customer.Given), quiet)
	case pos.PhaseRefused:
		sum := ""
		if s.customer.Due.Minor != 0 {
			sum = c.money(s.customer.Due)
		}
		c.smallState(page, c.reason(s.customer.Reason), sum, bad, cross)
	default:
		c.smallIdle(page, s)
	}
}

// amount sets a sum as large as r allows, and never cuts it.
func (c *canvas) amount(r image.Rectangle, sum string, x align, col set) {
	col.bold, col.max, col.min, col.x, col.y, col.whole = true, r.Dy(), c.least(), x, middle, true
	c.text(r, sum, col)
}

// three is a heading, a sum, and a note below it; where it is low the heading
// stands beside the sum and the note falls away.
func (c *canvas) three(page image.Rectangle, head, sum, note string, tint color.RGBA) {
	label := set{max: max(page.Dy()/5, c.least()), min: c.least(), x: middle, y: middle, col: quiet}
	if page.Dy() < 2*lineHeight(c.least())+12 { // one line
		label.x, label.max = start, page.Dy()/2
		c.pair(page, head, sum, label, ink)
		return
	}
	c.text(top(&page, page.Dy()*26/100), head, label)
	if !c.low() && note != "" {
		share := 38
		if !c.wide() && strings.Contains(note, " ") {
			share = 58 // a sentence takes more lines
		}
		foot := bottom(&page, page.Dy()*share/100)
		c.text(foot, note, set{max: max(c.area.Dy()/9, c.least()), min: c.least(), lines: 5, x: middle, y: middle, col: tint})
	}
	c.amount(page, sum, middle, set{col: ink})
}

// pair sets a word and a sum in one line; a long sum takes all of it.
func (c *canvas) pair(r image.Rectangle, word, sum string, label set, col color.RGBA) {
	left, right := r, r
	left.Max.X -= r.Dx() * 55 / 100
	right.Min.X = left.Max.X + 2
	if c.width(sum, set{bold: true, max: c.least() + 2}) > right.Dx() {
		c.amount(r, sum, middle, set{col: col})
		return
	}
	c.text(left, word, label)
	c.amount(right, sum, end, set{col: col})
}

// smallIdle is the shop's name, and where there is room a welcome.
func (c *canvas) smallIdle(page image.Rectangle, s scene) {
	name := strings.TrimSpace(s.shop.Name)
	title := set{bold: true, max: max(page.Dy()*2/5, c.least()), min: c.least(), lines: 3, x: middle, y: middle, col: ink}
	if name == "" || c.low() {
		title.max = max(page.Dy()*3/5, c.least())
		c.text(page, cmp.Or(name, c.word("welcome")), title)
		return
	}
	greeting := set{max: page.Dy() / 6, min: c.least(), x: middle, y: middle, col: quiet}
	bar, gap := 3, page.Dy()/14
	room := page
	rest := bottom(&room, 2*gap+bar+lineHeight(greeting.max))
	high := min(c.height(room, name, title), room.Dy())
	top(&page, (page.Dy()-high-rest.Dy())/2)
	c.text(top(&page, high), name, title)
	top(&page, gap)
	c.pill(place(top(&page, bar), min(c.area.Dx()/4, 48), bar, middle, start), accent)
	top(&page, gap)
	c.text(top(&page, lineHeight(greeting.max)), c.word("welcome"), greeting)
}

// smallBasket is the total, and above it as many of the newest lines as fit.
func (c *canvas) smallBasket(page image.Rectangle, s scene) {
	row := max(min(c.area.Dx(), c.area.Dy())/8, lineHeight(c.least())+1)
	sum := c.money(s.customer.Total)
	switch {
	case page.Dy() < 2*row+10:
		c.three(page, c.word("total"), sum, "", quiet)
		return
	case c.area.Dx() < 100 || !c.wide():
		foot := bottom(&page, max(page.Dy()*34/100, 2*row))
		c.rule(&page)
		c.text(top(&foot, row), c.word("total"), set{max: row * 3 / 4, min: c.least(), y: middle, col: quiet})
		c.amount(foot, sum, end, set{col: ink})
	default:
		foot := bottom(&page, page.Dy()*46/100)
		c.rule(&page)
		left := foot
		left.Max.X -= foot.Dx() * 62 / 100
		c.text(left, c.word("total"), set{max: max(row, c.least()), min: c.least(), y: middle, col: quiet})
		c.amount(image.Rect(left.Max.X+4, foot.Min.Y, foot.Max.X, foot.Max.Y), sum, end, set{col: ink})
	}
	lines := s.customer.Lines
	for i := range lines {
		l := lines[len(lines)-1-i]
		if page.Dy() < row {
			return
		}
		label := l.Name
		if l.Qty != 1000 {
			label = number(c.lang, pos.FormatQty(l.Qty)) + space + "×" + space + label
		}
		c.smallRow(top(&page, row), label, c.money(l.Total))
	}
}

// rule draws a line at the foot of page and takes it off.
func (c *canvas) rule(page *image.Rectangle) {
	bottom(page, 2)
	c.fill(bottom(page, 1), hair)
	bottom(page, 1)
}

// smallRow is a basket's line; the name is cut where it must be.
func (c *canvas) smallRow(r image.Rectangle, label, sum string) {
	size := max(r.Dy()*3/4, c.least())
	t := set{max: size, min: c.least(), x: end, y: middle, col: ink, whole: true}
	right := r
	right.Min.X = r.Max.X - min(c.width(sum, t), r.Dx()*60/100)
	r.Max.X = right.Min.X - 5
	c.text(r, label, set{max: size, min: size, y: middle, col: ink})
	c.text(right, sum, t)
}

// smallDue is the code and the amount, or the amount alone.
func (c *canvas) smallDue(page image.Rectangle, s scene) {
	switch {
	case s.runs() && s.left <= 0:
		c.smallState(page, c.word("checking"), c.money(s.owed()), accent, dots)
	case s.customer.QR == "":
		how := s.customer.Network
		if s.customer.Tender == pos.Cash {
			how = c.word("cash")
		}
		c.three(page, c.word("to_pay"), c.money(s.owed()), how, accent)
	case c.codeAlone(s, moduleMin):
	case s.asksToken():
		c.smallToken(page, s)
	default:
		c.three(page, c.word("to_pay"), c.money(s.owed()), c.word("code_too_small"), ink)
	}
}

// codeAlone gives the code all the room that it takes to be read, and the amount
// what is left of it. It reports that a module has smallest pixels then.
func (c *canvas) codeAlone(s scene, smallest int) bool {
	side := min(c.area.Dx(), c.area.Dy())
	if s.asksToken() {
		return c.tokenAlone(s, side, smallest)
	}
	m, px, ok := c.fit(s.customer.QR, side, smallest)
	if !ok {
		return false
	}
	words := c.place(s, m, px)
	switch {
	case c.glass.Round:
		c.discWords(s)
	case c.wide():
		c.beside(words, s)
	default:
		c.below(words, s)
	}
	return true
}

// place draws a code where it stands when all else gives way, and returns the room for
// words: beside it, or below it.
func (c *canvas) place(s scene, m qr.Matrix, px int) image.Rectangle {
	size := (m.Size() + 2*qr.Quiet) * px
	switch {
	case c.glass.Round:
		c.drawCode(place(c.img.Rect, size, size, middle, middle), m, px)
		return image.Rectangle{}
	case c.wide():
		rim := (c.area.Dy() - size) / 2
		square := image.Rect(0, 0, size, size).Add(c.area.Min.Add(image.Pt(min(rim, c.area.Dx()/30), rim)))
		c.drawCode(square, m, px)
		return image.Rect(square.Max.X+2, c.area.Min.Y+3, c.area.Max.X-4, c.area.Max.Y-3)
	default:
		share := 4
		if s.asksToken() {
			share = 12 // its words need the room
		}
		rim := min((c.area.Dx()-size)/2, max((c.area.Dy()-size)/share, 0))
		square := image.Rect(0, 0, size, size).Add(c.area.Min.Add(image.Pt((c.area.Dx()-size)/2, rim)))
		c.drawCode(square, m, px)
		return image.Rect(c.area.Min.X+4, square.Max.Y, c.area.Max.X-4, c.area.Max.Y-3)
	}
}

// fit chooses the code for a square of side pixels: the usual correction if that can be
// read, else the least; what is optional in the text goes before that.
func (c *canvas) fit(text string, side, smallest int) (m qr.Matrix, px int, ok bool) {
	levels := []qr.Level{qr.M, qr.L}
	if smallest > moduleMin {
		levels = levels[:1] // less correction is not worth a larger module
	}
	for _, least := range levels {
		for _, t := range []string{text, shorten(text)} {
			_, px, err := qr.Fit(t, least, side, smallest)
			if err != nil {
				continue
			}
			// More correction only where it costs no module: the room is for the words.
			if m, err := qr.Encode(t, least); err == nil {
				if best, err := qr.Best(t, least, m.Size()+2*qr.Quiet); err == nil {
					m = best
				}
				return m, px, true
			}
		}
	}
	return qr.Matrix{}, 0, false
}

// beside sets the words at the right of a code.
func (c *canvas) beside(r image.Rectangle, s scene) {
	sum := c.money(s.owed())
	if c.width(sum, set{bold: true, max: besideMin}) > r.Dx() {
		c.upwards(r, sum)
		return
	}
	h := r.Dy()
	note := set{max: max(h/9, c.least()), min: c.least(), y: middle, col: quiet}
	c.text(top(&r, h*15/100), c.word("to_pay"), note)
	c.amount(top(&r, h*27/100), sum, start, set{col: ink})
	c.text(top(&r, h*14/100), c.second(s), set{bold: true, max: max(h/8, c.least()), min: c.least(), y: middle, col: accent, whole: true})
	if left := c.timeLeft(s); left != "" {
		c.text(bottom(&r, h*14/100), left, set{max: note.max, min: c.least(), y: middle, col: accent, whole: true})
	}
	c.text(r, c.how(s), set{bold: true, max: note.max, min: c.least(), lines: 4, y: end, col: ink, spare: true})
}

// upwards sets a sum from bottom to top: it is as tall a column as the code is.
func (c *canvas) upwards(r image.Rectangle, sum string) {
	if r.Dx() < stripMin {
		return
	}
	lying := c.glass
	lying.Size, lying.Round = image.Pt(r.Dy(), r.Dx()), false
	turned := newCanvas(lying, c.lang)
	turned.placed = c.placed
	turned.amount(turned.area, sum, middle, set{col: ink})
	for y := range r.Dx() {
		for x := range r.Dy() {
			c.img.SetRGBA(r.Min.X+y, r.Max.Y-1-x, turned.img.RGBAAt(x, y))
		}
	}
}

// second is what stands under the sum: what the wallet sends, or without a line the
// number that tells the payer's page and this sale belong together.
func (c *canvas) second(s scene) string {
	if s.customer.Offline {
		return c.word("request_no", "ref", strings.ReplaceAll(s.customer.Counter, " ", space))
	}
	return quantity(c.lang, s.customer.Quantity)
}

// below sets the words under a code.
func (c *canvas) below(r image.Rectangle, s scene) {
	if r.Dy() < stripMin {
		return
	}
	h := r.Dy()
	if h < 3*lineHeight(c.least()) {
		c.amount(r, c.money(s.owed()), middle, set{col: ink})
		return
	}
	if left := c.timeLeft(s); left != "" && h > 5*lineHeight(c.least()) {
		c.text(bottom(&r, h*16/100), left, set{max: max(h/8, c.least()), min: c.least(), x: middle, y: middle, col: accent, whole: true})
	}
	c.amount(top(&r, h*38/100), c.money(s.owed()), middle, set{col: ink})
	c.text(top(&r, h*22/100), c.second(s), set{bold: true, max: max(h/6, c.least()), min: c.least(), x: middle, y: middle, col: accent, whole: true})
	c.text(r, c.how(s), set{max: max(h/7, c.least()), min: c.least(), lines: 3, x: middle, y: middle, col: ink, spare: true})
}

// timeLeft is the countdown in words, empty where nothing ticks.
func (c *canvas) timeLeft(s scene) string {
	if s.whole == 0 || c.glass.Still {
		return ""
	}
	return clock(s.left)
}

// segments are the room above and below the code on a disc.
func (c *canvas) segments() (above, below image.Rectangle) {
	all := c.img.Rect
	high := (all.Dy()-c.code.Dy())/2 - all.Dy()/16
	width := all.Dx() * 56 / 100
	above = place(image.Rect(0, c.code.Min.Y-high, all.Max.X, c.code.Min.Y), width, high, middle, end)
	below = place(image.Rect(0, c.code.Max.Y, all.Max.X, c.code.Max.Y+high), width, high, middle, start)
	return above, below
}

// discWords sets words into them.
func (c *canvas) discWords(s scene) {
	above, below := c.segments()
	high := below.Dy()
	c.amount(above, c.money(s.owed()), middle, set{col: ink})
	c.text(top(&below, high/2), c.second(s), set{bold: true, max: high / 2, min: c.least(), x: middle, y: middle, col: accent, whole: true})
	if left := c.timeLeft(s); left != "" {
		c.text(below, left, set{max: high / 2, min: c.least(), x: middle, y: middle, col: accent, whole: true})
	}
}

// smallState says in words what is going on, with a sign where there is room, and
// the sum that it is about.
func (c *canvas) smallState(page image.Rectangle, words, sum string, col color.RGBA, sign mark) {
	h := page.Dy()
	if sum != "" && !c.low() {
		c.amount(bottom(&page, h*28/100), sum, middle, set{col: quiet})
	}
	if !c.low() {
		c.mark(top(&page, h*30/100), col, white, sign)
	}
	size := h / 5
	if c.low() {
		size = h * 2 / 5
		words = firstSentence(words)
	}
	c.text(page, words, set{bold: true, max: max(size, c.least()), min: c.least(), lines: 6, x: middle, y: middle, col: ink})
}

// firstSentence returns what has happened, without what to do about it.
func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i > 0 {
		return s[:i+1]
	}
	return s
}

// smallPaid fills the glass, except where pixels glow: the word, and the sum.
func (c *canvas) smallPaid(page image.Rectangle, s scene) {
	on, by := good, white
	if c.glass.Dark {
		on, by = white, ink
	}
	c.fill(c.img.Rect, on)
	word := set{bold: true, min: c.least(), x: middle, y: middle, col: by}
	sum := c.money(s.customer.Total)
	if page.Dy() < 2*lineHeight(c.least())+12 { // one line
		word.max, word.x = page.Dy()*2/3, start
		c.pair(page, c.word("paid"), sum, word, by)
		return
	}
	if !c.low() {
		c.mark(top(&page, page.Dy()*34/100), by, on, tick)
	}
	word.max = page.Dy() / 2
	c.text(top(&page, page.Dy()*55/100), c.word("paid"), word)
	c.amount(page, sum, middle, set{col: by})
}
