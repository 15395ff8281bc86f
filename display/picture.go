package display

import (
	"image"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// scene is what one picture shows: a View's public part, and the time that is
// left of the time there was.
type scene struct {
	shop        pos.Shop
	customer    pos.Customer
	left, whole time.Duration // zero: nothing runs out
}

// frame is a drawn picture. It never changes.
type frame struct {
	img    *image.RGBA
	code   image.Rectangle // where the QR stands; empty without one
	module int             // its pixels a module
}

// Picture draws the customer's picture of v at time now: the whole layout, for
// panels, browsers and tests alike. The same arguments give the same pixels. It
// makes sense of any size, though a QR needs about 200 pixels, and says in words
// when there is no room for one. A code whose time is up is not shown: until the
// till says what became of it, the payment is being checked.
//
// It takes milliseconds, more when a QR is new, and is safe for concurrent use.
// The caller owns the picture.
func Picture(v pos.View, size image.Point, now time.Time) *image.RGBA {
	return Glass{Size: size}.Picture(v, now)
}

// sceneOf returns what a picture of v at time now shows.
func sceneOf(v pos.View, now time.Time) scene {
	s := seen(v)
	if s.runs() {
		s.left = v.Customer.Expires.Sub(now)
		s.whole = roundUp(s.left)
	}
	return s
}

// seen returns what a customer sees of v, whatever the time.
func seen(v pos.View) scene {
	s := scene{shop: v.Shop, customer: v.Customer}
	if s.customer.Phase == pos.PhaseChange && s.customer.Change.Minor == 0 {
		s.customer.Phase = pos.PhasePaid // exact cash: there is nothing to wait for
	}
	return s
}

// runs reports that the customer has a limited time to pay.
func (s scene) runs() bool {
	return s.customer.Phase == pos.PhaseDue && s.customer.QR != "" && !s.customer.Expires.IsZero()
}

// roundUp returns the usual time of which left remains. It is the full length of
// the bar when nothing better is known.
func roundUp(left time.Duration) time.Duration {
	for _, m := range []time.Duration{1, 2, 3, 5, 10, 15, 20, 30} {
		if left <= m*time.Minute {
			return m * time.Minute
		}
	}
	return max(left, time.Hour)
}

// draw makes the picture. placed, if not nil, is told of every text in it.
func (s scene) draw(g Glass, placed func(image.Rectangle, string, fitted, set, *weight)) frame {
	g.Size = image.Pt(max(g.Size.X, 1), max(g.Size.Y, 1))
	c := newCanvas(g, s.shop.Language)
	c.placed = placed
	if c.compact() {
		c.small(s)
	} else {
		c.large(s)
	}
	return frame{c.img, c.code, c.module}
}

// large lays a picture out where there is room for all that can be said.
func (c *canvas) large(s scene) {
	switch s.customer.Phase {
	case pos.PhaseBasket:
		c.basket(s)
	case pos.PhaseDue:
		c.due(s)
	case pos.PhaseArriving:
		c.waiting(s, "arriving", arrow)
	case pos.PhaseChecking:
		c.waiting(s, s.checking(), dots)
	case pos.PhasePaid:
		c.paid(s)
	case pos.PhaseChange:
		c.change(s)
	case pos.PhaseRefused:
		c.refused(s)
	default:
		c.idle(s)
	}
}

// checking is the word for a payment that is neither paid nor unpaid. When the sale went on
// without it, or when it came astray, it asks the customer for no patience.
func (s scene) checking() string {
	switch s.customer.Reason {
	case "unverified", "other_network", "other_coin":
		return s.customer.Reason
	}
	return "checking"
}

// word returns a text of the catalogue in the shop's language.
func (c *canvas) word(key string, with ...string) string { return pos.Word(c.lang, key, with...) }

// money writes a in the shop's language.
func (c *canvas) money(a pos.Amount) string { return money(c.lang, a) }

// page returns the picture without its margins.
func (c *canvas) page() image.Rectangle { return c.area.Inset(c.p(32)) }

// wide reports a landscape picture.
func (c *canvas) wide() bool { return c.area.Dx() > c.area.Dy() }

// top cuts h pixels off the top of r.
func top(r *image.Rectangle, h int) image.Rectangle {
	h = max(min(h, r.Dy()), 0)
	out := image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+h)
	r.Min.Y += h
	return out
}

// bottom cuts h pixels off the bottom of r.
func bottom(r *image.Rectangle, h int) image.Rectangle {
	h = max(min(h, r.Dy()), 0)
	out := image.Rect(r.Min.X, r.Max.Y-h, r.Max.X, r.Max.Y)
	r.Max.Y -= h
	return out
}

// idle says whose counter this is.
func (c *canvas) idle(s scene) {
	page := c.page()
	name := strings.TrimSpace(s.shop.Name)
	if name == "" {
		c.text(page, c.word("welcome"), set{bold: true, max: c.p(96), min: c.least(), x: middle, y: middle, col: ink})
		return
	}
	title := set{bold: true, max: c.p(88), min: c.least(), lines: 3, x: middle, col: ink}
	greeting := set{max: c.p(36), min: c.least(), x: middle, col: quiet}
	bar, gap := max(c.p(6), 2), c.p(20)
	high := c.height(page, name, title)
	rest := 2*gap + bar + lineHeight(greeting.max)
	top(&page, (page.Dy()-high-rest)/2)
	c.text(top(&page, high), name, title)
	top(&page, gap)
	c.pill(place(top(&page, bar), c.p(72), bar, middle, start), accent)
	top(&page, gap)
	c.text(page, c.word("welcome"), greeting)
}

// paid fills the whole panel: green, a tick, the word, the amount.
func (c *canvas) paid(s scene) {
	c.fill(c.img.Rect, good)
	page := c.page()
	h := page.Dy()
	receipt := bottom(&page, h*7/100)
	thanks := bottom(&page, h*9/100)
	sum := bottom(&page, h*18/100)
	word := bottom(&page, h*30/100)
	c.mark(page, white, good, tick)
	c.text(word, c.word("paid"), set{bold: true, max: c.p(128), min: c.least(), x: middle, y: middle, col: white})
	c.text(sum, c.money(s.customer.Total), set{bold: true, max: c.p(64), min: c.least(), x: middle, y: middle, col: white, whole: true})
	c.text(thanks, c.word("thank_you"), set{max: c.p(30), min: c.least(), x: middle, y: middle, col: white})
	c.text(receipt, c.receipt(s), set{max: c.p(22), min: c.least(), x: middle, y: end, col: white, whole: true})
}

// receipt names the receipt, if there is one.
func (c *canvas) receipt(s scene) string {
	if s.customer.Receipt == "" {
		return ""
	}
	return c.word("receipt") + space + s.customer.Receipt
}

// change is what the customer waits for after paying in cash.
func (c *canvas) change(s scene) {
	page := c.page()
	head := top(&page, c.p(44))
	badge := place(head, head.Dy(), head.Dy(), start, middle)
	c.mark(badge, good, white, tick)
	head.Min.X = badge.Max.X + c.p(12)
	c.text(head, c.word("paid"), set{bold: true, max: c.p(32), min: c.least(), y: middle, col: good})
	if receipt := c.receipt(s); receipt != "" {
		head.Min.X += head.Dx() / 2
		c.text(head, receipt, set{max: c.p(20), min: c.least(), x: end, y: middle, col: quiet, whole: true})
	}
	rows := bottom(&page, c.p(96))
	c.row(top(&rows, c.p(48)), c.word("total"), c.money(s.customer.Total), c.p(26), quiet)
	c.row(rows, c.word("given"), c.money(s.customer.Given), c.p(26), quiet)
	bottom(&page, c.p(12))
	label := top(&page, page.Dy()*3/10)
	c.text(label, c.word("change"), set{max: c.p(40), min: c.least(), x: middle, y: end, col: quiet})
	c.text(page, c.money(s.customer.Change), set{bold: true, max: c.p(160), min: c.least(), x: middle, y: middle, col: ink, whole: true})
}

// waiting tells that something is going on and nothing is to be done.
func (c *canvas) waiting(s scene, key string, sign mark) {
	page := c.page()
	h := page.Dy()
	sum := bottom(&page, h*24/100)
	words := bottom(&page, h*38/100)
	c.mark(page, accent, white, sign)
	c.text(words, c.word(key), set{bold: true, max: c.p(44), min: c.least(), lines: 3, x: middle, y: middle, col: ink})
	c.text(sum, c.money(s.owed()), set{max: c.p(56), min: c.least(), x: middle, y: middle, col: quiet, whole: true})
}

// refused says what happened in plain words. It never says that nothing was paid
// unless the till knows.
func (c *canvas) refused(s scene) {
	page := c.page()
	h := page.Dy()
	sum := bottom(&page, h*24/100)
	words := bottom(&page, h*38/100)
	c.mark(page, bad, white, cross)
	c.text(words, c.reason(s.customer.Reason), set{bold: true, max: c.p(40), min: c.least(), lines: 4, x: middle, y: middle, col: ink})
	if s.customer.Due.Minor != 0 {
		c.text(sum, c.word("to_pay")+" "+c.money(s.customer.Due), set{max: c.p(40), min: c.least(), x: middle, y: middle, col: quiet, whole: true})
	}
}

// reason puts a key into words; one that is unknown claims nothing.
func (c *canvas) reason(key string) string {
	if key != "" {
		if text := c.word(key); text != key {
			return text
		}
	}
	return c.word("refused")
}

// owed is what this payment is about: what is due, else the total.
func (s scene) owed() pos.Amount {
	if s.customer.Due.Minor != 0 {
		return s.customer.Due
	}
	return s.customer.Total
}
